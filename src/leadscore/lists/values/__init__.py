"""From the text of a cell to a value with a type, or to a problem."""
