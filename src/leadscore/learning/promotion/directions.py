"""The gate that lets no table run against what is known of its feature."""

from __future__ import annotations

import numpy as np

from leadscore.language import Text
from leadscore.learning.promotion.decision import Figure, Gate
from leadscore.learning.promotion.trial import Trial
from leadscore.learning.promotion.wording import feature_name, listed
from leadscore.learning.tables.scorecard import NumericTable, log_odds_to_points

_ROUNDING = 1e-9  # log-odds


def directed(trial: Trial) -> Gate:
    """No feature of the card that would serve may run against its direction."""
    tables = {table.feature: table for table in trial.scorecard.tables}
    wanted = {name: sign for name, sign in trial.directions.items() if sign and name in tables}
    faults: list[Text] = []
    figures: dict[str, Figure] = {"directions": len(wanted)}
    for name, sign in wanted.items():
        table = tables[name]
        if not isinstance(table, NumericTable):
            continue
        steps = sign * np.diff(table.values)
        if (steps < -_ROUNDING).any():
            at = int(np.argmin(steps))
            points = float(log_odds_to_points(-float(steps[at])))
            edge = float(table.edges[at])
            if not faults:
                figures |= {"feature": name, "edge": edge, "points": points}
            fault = _RISES if sign < 0 else _FALLS
            faults.append(
                fault.format(name=feature_name(name), points=f"{points:.1f}", edge=f"{edge:g}")
            )
    figures["against"] = len(faults)
    sentence = listed(faults) if faults else _KEPT.format(count=len(wanted))
    return Gate("directions", not faults, sentence, figures)


_KEPT = Text(
    zh="{count}项有既定方向的特征都没有反向。",
    en="None of the {count} features with a known direction runs against it.",
)
_FALLS = Text(
    zh="{name}应越高越有利，候选模型却在{edge}处降了{points}分。",
    en="{name} should never lower the score as it rises, but the challenger drops {points} points "
    "at {edge}.",
)
_RISES = Text(
    zh="{name}应越高越不利，候选模型却在{edge}处升了{points}分。",
    en="{name} should never lift the score as it rises, but the challenger gains {points} points "
    "at {edge}.",
)
