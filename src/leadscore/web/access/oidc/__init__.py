"""Logging in through a provider of OpenID Connect: the office's own log-in, by an extra."""
