"""Finds the one minimum of a convex objective within bounds, to the last digits that floats hold.

A projected Newton method (after Bertsekas 1982, SIAM J. Control Optim. 20:221): the numbers that
belong at a bound are put there, the others take a Newton step. Conjugate gradients solve its
equations, with the blocks on the diagonal as preconditioner; where they take long, as with
features that say the same, the matrix is written out and factorised instead.
"""

from __future__ import annotations

import math
from itertools import count
from typing import NamedTuple

import numpy as np

from leadscore.learning.fitting.curvature import Curvature
from leadscore.learning.fitting.objective import Objective
from leadscore.learning.tables.columns import Floats, Truths

_SUFFICIENT = 1e-4  # share of the promised gain that a step must bring
_ROUNDING = 1e-10  # relative; a gain this small is lost in the objective's rounding
_ON_BOUND = 1e-12
_SHORT = 2.0**-6  # a step this short says that the wrong numbers were put at their bounds
_SHORTEST = 2.0**-40
# Squared relative error that the equations of the first and of the last steps may keep; asked
# for more than floats hold, conjugate gradients lose their way.
_LOOSEST, _CLOSEST = 1e-2, 1e-12
_MOST_PRODUCTS = 1000


class Minimum(NamedTuple):
    """Where a search ended.

    Attributes
    ----------
    vector
        The minimum.
    n_iter
        Newton steps taken.
    decrement
        How far off it was before the last step, in standard deviations of the posterior.
    converged
        Whether that is within the tolerance.
    """

    vector: Floats
    n_iter: int
    decrement: float
    converged: bool


def minimise(
    objective: Objective, tol: float, max_iter: int, start: Floats | None = None
) -> Minimum:
    """Search from the prior until a Newton step of at most ``tol`` standard deviations is taken."""
    layout = objective.layout
    vector = np.zeros(layout.size) if start is None else start
    log_odds = objective.log_odds(vector)
    share, decrement = 1.0, math.inf
    for n_iter in range(1, max_iter + 1):
        slope = objective.gradient(vector, log_odds)
        curvature = Curvature(objective, log_odds)
        pressed = curvature.at_bounds(vector, slope)
        to_bound = vector - layout.bounds
        direction = _newton_direction(curvature, slope, to_bound, pressed)
        if share <= _SHORT or slope @ direction < 0:
            # The foresight misleads: keep at their bounds only those that press against them.
            pressed = (np.abs(to_bound) <= _ON_BOUND) & (layout.sides * slope > 0)
            direction = _newton_direction(curvature, slope, to_bound, pressed)
        decrement = math.sqrt(max(float(slope @ direction), 0.0))
        vector, log_odds, share = _search(objective, vector, log_odds, slope, direction)
        if decrement <= tol:
            return Minimum(vector, n_iter, decrement, converged=True)
    return Minimum(vector, max_iter, decrement, converged=False)


def _newton_direction(
    curvature: Curvature, slope: Floats, to_bound: Floats, pressed: Truths
) -> Floats:
    """Move what is pressed to its bound, and solve curvature x direction = slope for the rest.

    The nearer the end, the closer the equations are solved.
    """
    free = ~pressed
    divide = curvature.divider(free)
    direction = np.where(pressed, to_bound, 0.0)
    rest = (slope - curvature.product(direction)) * free if direction.any() else slope * free
    divided = towards = divide(rest)
    norm = float(rest @ divided)
    start = float((slope * free) @ divide(slope))
    enough = norm * min(max(start, _CLOSEST), _LOOSEST)
    for products in count():
        if norm <= enough or products >= _MOST_PRODUCTS:
            break
        if products > curvature.patience:
            return direction + curvature.solve(rest, free)
        product = curvature.product(towards) * free
        length = norm / float(towards @ product)
        direction += length * towards
        rest = rest - length * product
        divided = divide(rest)
        norm, before = float(rest @ divided), norm
        towards = divided + (norm / before) * towards
    return direction


def _search(
    objective: Objective, vector: Floats, log_odds: Floats, slope: Floats, direction: Floats
) -> tuple[Floats, Floats, float]:
    """Go along the direction, bent at the bounds, by the first half of a half that gains enough."""
    layout = objective.layout
    value = objective.value(vector, log_odds)
    share = 1.0
    while True:
        moved = layout.within_bounds(vector - share * direction)
        log_odds = objective.log_odds(moved)
        gain = _SUFFICIENT * float(slope @ (vector - moved)) - _ROUNDING * (1.0 + abs(value))
        if objective.value(moved, log_odds) <= value - gain or share <= _SHORTEST:
            return moved, log_odds, share
        share /= 2.0
