"""How a ranking is laid out and put in its place."""
