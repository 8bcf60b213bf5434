"""Keeps what must outlast a run: outcomes and snapshots, now in files, later in a database."""
