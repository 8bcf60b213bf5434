"""Candidate lists as offices keep them: from any file to clean firms, and back to a file."""
