"""What the header of a column means: which canonical column, in which unit."""
