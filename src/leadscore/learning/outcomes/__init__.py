"""What became of the firms, what it teaches as of a day, and what in it can not be true."""
