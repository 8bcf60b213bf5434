"""From a file of any kind to tables of text."""
