"""The card is a scikit-learn classifier: it passes all checks of scikit-learn itself."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from leadscore.learning import AdditiveCard

# This one says "skipped" unless an environment variable is set before scikit-learn is imported,
# and it concerns only estimators that claim to take in arrays of other libraries.
_ELSEWHERE = {"check_array_api_input"}


CHECKS = [
    (estimator, check)
    for estimator, check in estimator_checks_generator(AdditiveCard())
    if check.func.__name__ not in _ELSEWHERE
]


@pytest.mark.parametrize(
    ("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS]
)
def test_a_check_of_scikit_learn_passes(estimator, check):
    assert check(estimator) is None
