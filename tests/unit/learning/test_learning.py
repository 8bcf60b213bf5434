"""What the package offers, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

import leadscore.learning


def test_the_card_is_offered_by_name():
    from leadscore.learning import AdditiveCard

    assert leadscore.learning.AdditiveCard is AdditiveCard
    with pytest.raises(AttributeError, match="no attribute 'Card'"):
        leadscore.learning.Card  # noqa: B018


def test_looking_up_scores_needs_no_scikit_learn():
    script = (
        "import sys, leadscore.learning.scorecard\n"
        "sys.exit('sklearn' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
