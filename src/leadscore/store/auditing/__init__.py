"""The audit: who did what, chained and sealed, checked and pruned."""
