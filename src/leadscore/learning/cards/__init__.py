"""Scikit-learn's view of a card: two families of estimators that end in the same tables."""
