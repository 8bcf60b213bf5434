"""The firms, where each field came from, what was scored of them, and what became of them."""
