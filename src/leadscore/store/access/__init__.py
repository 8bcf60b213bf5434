"""Who may come in: users, their passwords and sessions, and the keys of programs."""
