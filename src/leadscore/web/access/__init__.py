"""Who may do what: roles, sessions, keys, and the check that stands before every route."""
