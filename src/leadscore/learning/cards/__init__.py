"""The card as a scikit-learn estimator, and the check of what it is given."""
