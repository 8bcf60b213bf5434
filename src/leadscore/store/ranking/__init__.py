"""Scores as they were given, where each firm stands now, and pages of that."""
