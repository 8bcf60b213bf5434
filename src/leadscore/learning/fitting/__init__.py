"""What a fit of the card solves, and how: prior, likelihood, steps, widths, certainty."""
