"""The compiled card: points per feature as tables, and the look-ups that scoring is made of."""
