"""Fits a card: the penalised likelihood, its minimum, its certainty, and the prior's widths."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from functools import cached_property
from itertools import count
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, cholesky, lapack, solve_triangular
from scipy.optimize import nnls
from scipy.sparse import csr_array

from leadscore.learning.layout import Block, Layout, Widths, prior_directions
from leadscore.learning.model import Posterior
from leadscore.learning.scorecard import Codes, Floats, Scorecard, Truths, probability

# Beside a trend, steps a hundred times narrower make no visible difference, but cost the optimum
# its last digits.
_STIFFEST = 100.0


class _Penalty:
    # Minus the log of the prior, a quadratic form. Each number varies by itself, and some vary
    # together: the covariance is diag(variance) + shared @ shared.T. Steps of a feature of numbers
    # have the variance step^2 d, where d are the distances of neighbouring bins: a random walk.
    # What they share is trend d, a straight line of unknown slope; it needs no number of its own.
    # And all numbers share the doubt whether the prior's card, or one of its tables, is too strong
    # or too weak: `directions`, see `prior_directions`. `diagonal` holds each number by itself.
    def __init__(
        self, layout: Layout, blocks: Sequence[Block], widths: Widths, directions: Floats | None
    ) -> None:
        self._layout = layout
        self.directions = np.zeros((0, layout.size)) if directions is None else directions
        variance, lines = np.ones(layout.size), []
        variance[0] = widths.intercept**2
        for j, block in enumerate(blocks):
            factor, single, steps = widths.factor(j), layout.single_of[j], layout.steps_of[j]
            if block.steps:
                step = max(widths.step, widths.trend / _STIFFEST)
                variance[steps] = (factor * step) ** 2 * block.steps.distances
                line = np.zeros(layout.size)
                line[steps] = factor * widths.trend * block.steps.distances
                lines.append(line)
            variance[single] = (factor * widths.level) ** 2
            variance[single.stop - 1] = (factor * widths.unknown) ** 2
        self.diagonal = 1.0 / variance
        shared = self._shared = np.vstack([*lines, widths.doubt * self.directions])
        # Woodbury: the inverse of the covariance is diag(diagonal) - pulls.T @ pulls.
        held = shared * self.diagonal
        root = np.linalg.cholesky(np.eye(len(shared)) + held @ shared.T)
        self._pulls = solve_triangular(root, held, lower=True)

    def product(self, vector: Floats) -> Floats:
        # A vector times the second derivative; half of vector x product is the value.
        product: Floats = self.diagonal * vector - (self._pulls @ vector) @ self._pulls
        return product

    @cached_property
    def step_blocks(self) -> Floats:
        # The second derivative by the steps of each feature, one matrix per feature.
        n, (rows, width) = len(self._pulls), self._layout.real.shape
        pulls = self._pulls[:, self._layout.n_single :].reshape(n, rows, width)
        blocks: Floats = -(pulls.transpose(1, 2, 0) @ pulls.transpose(1, 0, 2))
        diagonal = np.arange(width)
        blocks[:, diagonal, diagonal] += self._layout.steps(self.diagonal)
        return blocks

    def covariance(self, at: NDArray[np.intp]) -> Floats:
        shared = self._shared[:, at]
        covariance: Floats = np.diag(1.0 / self.diagonal[at]) + shared.T @ shared
        return covariance

    def matrix(self) -> Floats:
        matrix: Floats = np.diag(self.diagonal) - self._pulls.T @ self._pulls
        return matrix


# A table of this many sums stays in the processor's caches. It is summed up anew each time, so
# there must be several rows for each of its entries.
_MOST_ENTRIES = 8192
_ROWS_PER_ENTRY = 4
# Fewer rows hardly share combinations. Measured with some thirty features, a sparse matrix is seven
# times as quick with 760 rows, twice with 3,000, and as quick with 7,000.
_FEW_ROWS = 8192


class Objective:
    """Minus the log of likelihood times prior, as a function of a `Layout`'s vector.

    ``target`` holds 0 or 1 and ``weight`` is positive, for each row; ``intercept`` is the prior's.
    ``offset`` is what stands in for entries that a row doesn't get, see `Block.asked`.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        target: Floats,
        weight: Floats,
        intercept: float,
        widths: Widths,
        offset: Floats | float = 0.0,
    ) -> None:
        self.layout = Layout(blocks)
        directions = prior_directions(self.layout, blocks, weight) if widths.doubt else None
        self.penalty = _Penalty(self.layout, blocks, widths, directions)
        self._blocks, self._target, self.weight = blocks, target, weight
        rows: _FewRows | _JoinedBlocks
        few = len(target) < _FEW_ROWS or any(block.asked is not None for block in blocks)
        rows = (_FewRows if few else _JoinedBlocks)(blocks, self.layout.spans, len(target))
        # The sum of a start and each row's entries; the sum of the rows' amounts by entry.
        self.look_up, self.count_entries = rows.look_up, rows.count
        self._intercept, self._against = intercept, 1.0 - 2.0 * target
        self._offset = offset
        self._prior = np.concatenate([np.empty(0), *(block.entries for block in blocks)])

    def entries(self, vector: Floats) -> Floats:
        """Return the entries of all tables at a vector."""
        return self._prior + self.layout.entries(vector)

    def under(self, widths: Widths) -> Self:
        """Return the same objective under other widths of the prior; doubt stays doubt, or none."""
        other = copy(self)
        other.penalty = _Penalty(self.layout, self._blocks, widths, self.penalty.directions)
        return other

    def scorecard(self, vector: Floats) -> Scorecard:
        """Return the card at a vector."""
        entries = self.entries(vector)
        spans = zip(self._blocks, self.layout.spans, strict=True)
        tables = tuple(block.fitted_table(entries[span]) for block, span in spans)
        return Scorecard(self._intercept + float(vector[0]), tables)

    def log_odds(self, vector: Floats) -> Floats:
        """Return the score of each row at a vector, shape (n,)."""
        of_all = self.look_up(self._intercept + float(vector[0]), self.entries(vector))
        return of_all + self._offset

    def value(self, vector: Floats, log_odds: Floats) -> float:
        """Return the objective, a sum over rows."""
        losses = np.logaddexp(0.0, self._against * log_odds)
        return float(self.weight @ losses + vector @ self.penalty.product(vector) / 2.0)

    def gradient(self, vector: Floats, log_odds: Floats) -> Floats:
        """Return the slope of the objective, shape of the vector."""
        slopes = self.weight * (probability(log_odds) - self._target)
        return self.count(slopes) + self.penalty.product(vector)

    def count_pairs(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts by pair of entries, a symmetric matrix."""
        n_entries = len(self._prior)
        sums = np.zeros((n_entries, n_entries))
        for i, (block, span) in enumerate(zip(self._blocks, self.layout.spans, strict=True)):
            n, own = len(block.entries), block.of_asked(amounts)
            sums[span, span] = np.diag(block.count(amounts))
            for other, beside in zip(self._blocks[:i], self.layout.spans[:i], strict=True):
                m = len(other.entries)
                both = other.of_asked(own)
                pairs = np.bincount(block.codes * m + other.codes, both, n * m).reshape(n, m)
                sums[span, beside], sums[beside, span] = pairs, pairs.T
        return sums

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by number of the vector."""
        return self.layout.gather(float(amounts.sum()), self.count_entries(amounts))


class _FewRows:
    # A sparse matrix with a one for each row and each of its entries (0 if it doesn't get that).
    def __init__(self, blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> None:
        n_entries = spans[-1].stop if spans else 0
        codes = [block.codes + span.start for block, span in zip(blocks, spans, strict=True)]
        columns = np.array(codes, dtype=np.intp).reshape(len(blocks), n_rows).T.ravel()
        ends = len(blocks) * np.arange(n_rows + 1)
        ones = np.ones(n_rows)
        asked = np.array([block.of_asked(ones) for block in blocks]).reshape(len(blocks), n_rows)
        self._of_row = csr_array((asked.T.ravel(), columns, ends), shape=(n_rows, n_entries))
        self._of_entry = self._of_row.T.tocsr()

    def look_up(self, start: float, entries: Floats) -> Floats:
        total: Floats = start + self._of_row @ entries
        return total

    def count(self, amounts: Floats) -> Floats:
        sums: Floats = self._of_entry @ amounts
        return sums


class _JoinedBlocks:
    # The rows of all features, by combinations of entries where those are few: two features of 65
    # entries have 4,225. Adding up those takes no time beside looking up 100,000 rows twice.
    def __init__(self, blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> None:
        most = min(_MOST_ENTRIES, n_rows // _ROWS_PER_ENTRY)
        self._n_rows, self._n_entries = n_rows, spans[-1].stop if spans else 0
        self._groups = [
            (
                [spans[i] for i in members],
                [len(blocks[i].entries) for i in members],
                _combined([blocks[i] for i in members]),
            )
            for members in _packed([len(block.entries) for block in blocks], most)
        ]

    def look_up(self, start: float, entries: Floats) -> Floats:
        total = np.full(self._n_rows, start)
        for spans, _, codes in self._groups:
            table = entries[spans[0]]
            for span in spans[1:]:
                table = np.add.outer(table, entries[span])
            total += table.ravel()[codes]
        return total

    def count(self, amounts: Floats) -> Floats:
        sums = np.empty(self._n_entries)
        for spans, shape, codes in self._groups:
            table = np.bincount(codes, amounts, math.prod(shape)).reshape(shape)
            for axis, span in enumerate(spans):
                others = tuple(a for a in range(len(shape)) if a != axis)
                sums[span] = table.sum(axis=others)
        return sums


def _packed(sizes: Sequence[int], most: int) -> list[list[int]]:
    # Groups of which the product of sizes is at most `most`, the largest first.
    groups: list[list[int]] = []
    products: list[int] = []
    for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
        room = next((g for g, p in enumerate(products) if p * sizes[i] <= most), None)
        if room is None:
            groups.append([i])
            products.append(sizes[i])
        else:
            groups[room].append(i)
            products[room] *= sizes[i]
    return groups


def _combined(blocks: Sequence[Block]) -> Codes:
    codes = blocks[0].codes
    for block in blocks[1:]:
        codes = codes * len(block.entries) + block.codes
    return codes


_LARGEST_MATRIX = 2500  # 50 MB
_PATIENT = 10_000  # far more than least squares of some dozen numbers ever take


class _Curvature:
    # The second derivative, never written out but for its blocks on the diagonal: a single number
    # of the vector, or the steps of one feature.
    def __init__(self, objective: Objective, log_odds: Floats) -> None:
        self._objective, self._layout = objective, objective.layout
        p = probability(log_odds)
        self._certainty = objective.weight * p * (1.0 - p)  # by the score of each row
        layout, penalty = objective.layout, objective.penalty
        entries = objective.count_entries(self._certainty)
        single = layout.gather(float(self._certainty.sum()), entries)[: layout.n_single]
        self._single = single + penalty.diagonal[: layout.n_single]
        # Two steps on the same side of the anchor both move what the farther of them moves.
        reach = layout.reach(entries)
        same_side = layout.right[:, :, None] == layout.right[:, None, :]
        shared = np.minimum(reach[:, :, None], reach[:, None, :]) * same_side
        self._blocks = shared + penalty.step_blocks

    def product(self, vector: Floats) -> Floats:
        objective = self._objective
        moved = objective.look_up(float(vector[0]), self._layout.entries(vector))
        return objective.count(self._certainty * moved) + objective.penalty.product(vector)

    @cached_property
    def patience(self) -> float:
        # How many products cost as much as writing the matrix out and solving with it once.
        # Measured on one core: nanoseconds per row and feature, per row and pair of features, per
        # element of the matrix, and per multiplication of its factorisation.
        n, p, size = len(self._certainty), len(self._layout.spans), self._layout.size
        if size > _LARGEST_MATRIX:
            return math.inf
        product = 1.0 * n * p + 2e5
        return (0.7 * n * p**2 + 20.0 * size**2 + size**3 / 30.0) / product

    def matrix(self) -> Floats:
        objective, layout = self._objective, self._layout
        pairs = objective.count_pairs(self._certainty)
        single = objective.count_entries(self._certainty)
        rows = layout.gather(single, pairs)
        first = layout.gather(float(self._certainty.sum()), single)
        return layout.gather(first, np.ascontiguousarray(rows.T)) + objective.penalty.matrix()

    def solve(self, vector: Floats, free: Truths) -> Floats:
        # Divide a vector by the second derivative among the free numbers; others become zero.
        real = np.append(np.ones(self._layout.n_single, dtype=bool), self._layout.real)
        chosen = np.flatnonzero(free & real)
        result = np.zeros_like(vector)
        factor = cho_factor(self.matrix()[np.ix_(chosen, chosen)], overwrite_a=True)
        result[chosen] = cho_solve(factor, vector[chosen])
        return result

    def divider(self, free: Truths) -> Callable[[Floats], Floats]:
        # A function that about divides a vector by each block (what isn't free becomes zero), and
        # adds the division among the vectors that move all rows alike: what one feature of texts
        # adds to every row another can take away, which no block knows by itself.
        n_single = self._layout.n_single
        single = free[:n_single] / self._single
        chosen = free[n_single:].reshape(self._layout.real.shape)
        blocks = self._blocks * (chosen[:, :, None] & chosen[:, None, :])
        diagonal = np.arange(chosen.shape[1])
        blocks[:, diagonal, diagonal] += ~chosen
        inverse = np.linalg.inv(blocks) * chosen[:, :, None]
        together = self._layout.together
        held = np.diag(together @ self._objective.penalty.diagonal)
        alike = np.linalg.inv(held + float(self._certainty.sum()))

        def divide(vector: Floats) -> Floats:
            steps = inverse @ self._layout.steps(vector)[:, :, None]
            apart = np.concatenate([single * vector[:n_single], steps.ravel()])
            return apart + (alike @ (together @ vector)) @ together

        return divide

    def at_bounds(self, vector: Floats, slope: Floats) -> Truths:
        # Which numbers the minimum has at a bound, as far as each feature alone can tell. Steps of
        # one feature hang together tightly, those of different features loosely. So the quadratic
        # model of each bounded feature is minimised exactly, as non-negative least squares, and its
        # bounds tell those of the whole.
        layout = self._layout
        pressed = np.zeros(layout.size, dtype=bool)
        sides, bounds = layout.steps(layout.sides), layout.steps(layout.bounds)
        for row in np.flatnonzero(sides.any(axis=1)):
            real = layout.real[row]
            side, block = sides[row, real], self._blocks[row][np.ix_(real, real)]
            to_bound = layout.steps(vector)[row, real] - bounds[row, real]
            rise = side * (layout.steps(slope)[row, real] - block @ to_bound)
            root = np.linalg.cholesky(block)
            moved, _ = nnls(root.T, solve_triangular(root, -rise, lower=True), maxiter=_PATIENT)
            layout.steps(pressed)[row, real] = moved == 0.0
        return pressed


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
    """Where a search ended, and how far off it was before its last step, in standard deviations."""

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
        curvature = _Curvature(objective, log_odds)
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
    curvature: _Curvature, slope: Floats, to_bound: Floats, pressed: Truths
) -> Floats:
    # What is pressed moves to its bound; curvature x direction = slope is solved for the rest, the
    # more closely the nearer the end.
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
    # Go along the direction, bent at the bounds, by the first half of a half that gains enough.
    layout = objective.layout
    value = objective.value(vector, log_odds)
    share = 1.0
    while True:
        moved = vector - share * direction
        moved = np.where(layout.sides * (moved - layout.bounds) < 0, layout.bounds, moved)
        log_odds = objective.log_odds(moved)
        gain = _SUFFICIENT * float(slope @ (vector - moved)) - _ROUNDING * (1.0 + abs(value))
        if objective.value(moved, log_odds) <= value - gain or share <= _SHORTEST:
            return moved, log_odds, share
        share /= 2.0


def posterior_at(objective: Objective, vector: Floats) -> Posterior:
    """Return what is known at an optimum; a known direction is passed over: on the wide side."""
    layout = objective.layout
    real = np.flatnonzero(np.append(np.ones(layout.n_single, dtype=bool), layout.real))
    curvature = _Curvature(objective, objective.log_odds(vector)).matrix()
    inverse, among = np.zeros_like(curvature), np.ix_(real, real)
    # From the root itself, in half the time of a solver.
    root = cholesky(curvature[among], lower=True, overwrite_a=True)
    lower = np.tril(lapack.dpotri(root, lower=True)[0])
    inverse[among] = lower + np.tril(lower, -1).T
    # From numbers to entries, once for the columns and once for the rows.
    covariance = layout.spread(layout.spread(inverse).T)
    starts = np.array([1 + span.start for span in layout.spans], dtype=np.intp)
    return Posterior(covariance.astype(np.float32), starts)


# How far the data may be expected to move the log of a width: of all features together, of the
# doubt in the prior, and of one feature beside the others (standard deviations). The doubt may move
# furthest: experts are mostly right or mostly wrong, and the wrong have to be unlearnt soon.
_ALL, _DOUBT, _EACH = 0.7, 1.1, 0.7
_MOST_ROUNDS = 16
_LONGEST = 1.0  # step in the log of a width
_REMEMBERED = 3  # steps whose slopes correct the expected curvature; more mislead where it changes
_DAMPED = 0.2  # share of the expected curvature that a correction leaves at least (Powell 1978)
_NEAR = 0.1  # how near the optima of the widths, and of each card, are sought, in their deviations
_DIGITS = 3  # of a chosen width: what rounding errors change is not kept
# Share of the standard deviation of a width's log that is added to tell uncertainty by. Measured
# (`benchmarks/calibration.py`): without it 90 % intervals cover 0.7 to 0.8 in offices whose experts
# are right, half right or wrong, with a half more or less of it 0.82 to 0.97.
_WIDER = 0.7
_KINDS = ("trend", "step", "level", "unknown")


class _Part(NamedTuple):
    # A part of the prior's covariance: width^2 shape @ shape.T at some numbers of the vector.
    kind: int
    feature: int
    at: slice
    shape: Floats


def chosen_widths(
    objective: Objective, blocks: Sequence[Block], expected: Widths
) -> tuple[Widths, Widths]:
    """Return the widths that make the outcomes likeliest, and those to tell uncertainty by.

    A factor for each feature is chosen beside the ``expected`` widths; that of the intercept is
    kept. Where experts have narrowed the widths, how far they had to be widened again is itself in
    doubt; the second are wider by a share of that doubt.
    """
    # As changes to what is expected: of each kind of width, of the doubt, of the features' factors.
    held = np.repeat([_ALL**-2, _DOUBT**-2, _EACH**-2], [len(_KINDS), 1, len(blocks)])
    logs = np.zeros(len(held))
    parts = _parts(objective.layout, blocks)
    vector: Floats | None = None
    longest = _LONGEST
    steps: deque[tuple[Floats, Floats]] = deque(maxlen=_REMEMBERED)
    step = before = np.zeros(len(logs))
    for number in range(_MOST_ROUNDS):
        widths = _widened(expected, logs)
        under = objective.under(widths)
        vector = minimise(under, _NEAR, _MOST_ROUNDS, start=vector).vector
        slope, certainty = _slopes(under, vector, widths, parts, len(logs))
        slope -= held * logs
        if number:
            steps.append((step, before - slope))
        expected_curvature = certainty + np.diag(held)
        step = cho_solve(cho_factor(_corrected(expected_curvature, steps)), slope)
        furthest = float(np.abs(step).max())
        step *= min(1.0, longest / furthest) if furthest else 1.0
        # A step that is suddenly far longer than the last trusts a correction too much.
        longest, before = min(_LONGEST, 2.0 * min(longest, furthest)), slope
        logs += step
        if float(slope @ step) <= _NEAR**2:
            break
    doubt = np.sqrt(np.diag(np.linalg.inv(expected_curvature)))
    wider = _WIDER * doubt if expected.doubt else 0.0
    return _widened(expected, logs), _widened(expected, logs + wider)


def _corrected(curvature: Floats, steps: Iterable[tuple[Floats, Floats]]) -> Floats:
    # The curvature that agrees with how the slope changed over steps, the last one best: the update
    # of Broyden, Fletcher, Goldfarb and Shanno, damped so that it stays positive (Powell 1978,
    # Nocedal and Wright 2006, procedure 18.2).
    for step, change in steps:
        expected = curvature @ step
        whole, part = float(step @ expected), float(step @ change)
        share = 1.0 if part >= _DAMPED * whole else (1.0 - _DAMPED) * whole / (whole - part)
        seen = share * change + (1.0 - share) * expected
        curvature = (
            curvature - np.outer(expected, expected) / whole + np.outer(seen, seen) / (step @ seen)
        )
    return curvature


def _widened(expected: Widths, logs: Floats) -> Widths:
    factors, doubt = np.exp(logs).tolist(), len(_KINDS)
    kinds = {
        name: _rounded(getattr(expected, name) * factor)
        for name, factor in zip((*_KINDS, "doubt"), factors, strict=False)
    }
    by_feature = (expected.factor(j) * factor for j, factor in enumerate(factors[doubt + 1 :]))
    return replace(expected, **kinds, factors=tuple(map(_rounded, by_feature)))


def _rounded(width: float) -> float:
    return float(f"{width:.{_DIGITS}g}")


def _parts(layout: Layout, blocks: Sequence[Block]) -> list[_Part]:
    parts = []
    for j, block in enumerate(blocks):
        single = layout.single_of[j]
        unknown = slice(single.stop - 1, single.stop)
        if block.steps and len(block.steps.distances):
            distances = block.steps.distances
            parts.append(_Part(0, j, layout.steps_of[j], distances[:, None]))
            parts.append(_Part(1, j, layout.steps_of[j], np.diag(np.sqrt(distances))))
        elif not block.steps:
            levels = slice(single.start, unknown.start)
            parts.append(_Part(2, j, levels, np.eye(levels.stop - levels.start)))
        parts.append(_Part(3, j, unknown, np.ones((1, 1))))
    return parts


def _slopes(
    objective: Objective, vector: Floats, widths: Widths, parts: Sequence[_Part], n: int
) -> tuple[Floats, Floats]:
    # The slope of the log evidence by the logs of the widths, and its expected curvature. With P
    # the prior's precision, H the curvature, and g = P x vector: the slope by the log of a width is
    # tr((g g' - K) S), the curvature 2 tr(K S K S'), where S is the part of the covariance that the
    # width scales, and K = P (P^-1 - H^-1) P.
    pull, evidence = objective.penalty.product(vector), _Evidence(objective, vector)
    n_kinds = len(_KINDS)
    slope, certainty = np.zeros(n), np.zeros((n, n))
    scaled = [
        part._replace(
            shape=part.shape * getattr(widths, _KINDS[part.kind]) * widths.factor(part.feature)
        )
        for part in parts
    ]
    for i, part in enumerate(scaled):
        own = [part.kind, n_kinds + 1 + part.feature]
        slope[own] += float(((part.shape.T @ pull[part.at]) ** 2).sum())
        for other in scaled[: i + 1][::-1]:
            if other.feature != part.feature:
                break
            seen = other.shape.T @ evidence.block(other.at, part.at) @ part.shape
            both = 2.0 * float((seen**2).sum())
            others = [other.kind, n_kinds + 1 + other.feature]
            for one in own:
                certainty[one, others] += both
            if other is part:
                slope[own] -= float(np.trace(seen))
            else:
                for one in others:
                    certainty[one, own] += both
    directions = widths.doubt * objective.penalty.directions
    if len(directions):
        seen = evidence.among(directions)
        slope[n_kinds] = float(((directions @ pull) ** 2).sum() - np.trace(seen))
        certainty[n_kinds, n_kinds] = 2.0 * float((seen**2).sum())
    return slope, certainty


class _Evidence:
    # What the data tell at a vector: K of `_slopes`, for the numbers that are not at a bound. With
    # the numbers f that are free and b that are at a bound, and the root R R' of the curvature of
    # the free: K = P - (P^-1)_bb^-1 - W'W, where W = R^-1 P_f. Only blocks of K are ever needed.
    def __init__(self, objective: Objective, vector: Floats) -> None:
        layout, self._penalty = objective.layout, objective.penalty
        curvature = _Curvature(objective, objective.log_odds(vector)).matrix()
        at_bound = (layout.sides != 0) & (np.abs(vector - layout.bounds) <= 1e-12)
        real = np.append(np.ones(layout.n_single, dtype=bool), layout.real)
        free, bound = np.flatnonzero(~at_bound & real), np.flatnonzero(at_bound & real)
        prior = self._penalty.matrix()
        root = cholesky(curvature[np.ix_(free, free)], lower=True, overwrite_a=True)
        self._seen = solve_triangular(root, prior[free], lower=True, overwrite_b=True)
        self._left = prior
        self._left[np.ix_(bound, bound)] -= np.linalg.inv(self._penalty.covariance(bound))

    def block(self, rows: slice, columns: slice) -> Floats:
        block: Floats = self._left[rows, columns] - self._seen[:, rows].T @ self._seen[:, columns]
        return block

    def among(self, vectors: Floats) -> Floats:
        seen = self._seen @ vectors.T
        among: Floats = vectors @ self._left @ vectors.T - seen.T @ seen
        return among
