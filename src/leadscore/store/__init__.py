"""Keeps what must outlast a run, in tables of SQLite or PostgreSQL."""
