"""The database: where it is, how its tables come to be, its copies, and what it refuses."""
