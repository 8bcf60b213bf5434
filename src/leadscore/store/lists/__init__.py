"""The lists that were handed in, from the file to firms that are kept."""
