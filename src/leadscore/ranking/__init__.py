"""From firms to a ranking: scores, vetoes, reasons, and the table that people read."""
