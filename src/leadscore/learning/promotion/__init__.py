"""The gates between a challenger and the service, each with a sentence for people."""
