"""Which rows are one and the same firm."""
