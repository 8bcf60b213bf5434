"""Features: what leadscore measures of a firm, seen from a city."""
