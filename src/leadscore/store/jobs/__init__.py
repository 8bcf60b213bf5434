"""The table of jobs, and who does which."""
