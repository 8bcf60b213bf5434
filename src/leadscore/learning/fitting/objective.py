"""The penalised likelihood of a card with its derivatives, and the Newton steps to its minimum."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from functools import cached_property
from itertools import count
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import nnls
from scipy.sparse import csr_array

from leadscore.learning.binning import Codes, Floats, Truths
from leadscore.learning.fitting.layout import Block, Layout, Widths, words
from leadscore.learning.scorecard import Scorecard, probability

# Beside a trend, steps a hundred times narrower make no visible difference, but cost the optimum
# its last digits.
_STIFFEST = 100.0


class Penalty:
    """Minus the log of the prior, a quadratic form.

    Each number varies by itself, and some vary together: the covariance is
    ``diag(variance) + shared @ shared.T``. Steps of a feature of numbers have the variance
    step^2 d, where d are the distances of neighbouring bins: a random walk. What they share is
    trend d, a straight line of unknown slope; it needs no number of its own. And all numbers
    share the doubt whether the prior's card, or one of its tables, is too strong or too weak.

    Parameters
    ----------
    layout, blocks
        The vector, and the features that it stands for.
    widths
        Of the prior.
    said
        See `leadscore.learning.fitting.layout.words`; None where there is no doubt.

    Attributes
    ----------
    words
        Shape (any, size of the layout): ``said``.
    diagonal
        Shape (size of the layout,), what holds each number by itself, were nothing shared.
    """

    def __init__(
        self, layout: Layout, blocks: Sequence[Block], widths: Widths, said: Floats | None
    ) -> None:
        self._layout = layout
        self.words = np.zeros((0, layout.size)) if said is None else said
        variance, lines = np.ones(layout.size), []
        variance[0] = widths.intercept**2
        for j, block in enumerate(blocks):
            factor, single, steps = widths.factor(j), layout.single_of(j), layout.steps_of(j)
            if block.steps:
                step = max(widths.step, widths.trend / _STIFFEST)
                variance[steps] = (factor * step) ** 2 * block.steps.distances
                line = np.zeros(layout.size)
                line[steps] = factor * widths.trend * block.steps.distances
                lines.append(line)
            variance[single] = (factor * widths.level) ** 2
            variance[single.stop - 1] = (factor * widths.unknown) ** 2
        self.diagonal = 1.0 / variance
        shared = self._shared = np.vstack([*lines, widths.doubt * self.words])
        # Woodbury: the inverse of the covariance is diag(diagonal) - pulls.T @ pulls.
        held = shared * self.diagonal
        root = np.linalg.cholesky(np.eye(len(shared)) + held @ shared.T)
        self._pulls = solve_triangular(root, held, lower=True)

    def product(self, vector: Floats) -> Floats:
        """Multiply a vector by the second derivative; half of vector x product is the value."""
        product: Floats = self.diagonal * vector - (self._pulls @ vector) @ self._pulls
        return product

    @cached_property
    def step_blocks(self) -> Floats:
        """The second derivative by the steps of each feature, one matrix per feature."""
        n, (rows, width) = len(self._pulls), self._layout.real.shape
        pulls = self._pulls[:, self._layout.n_single :].reshape(n, rows, width)
        blocks: Floats = -(pulls.transpose(1, 2, 0) @ pulls.transpose(1, 0, 2))
        diagonal = np.arange(width)
        blocks[:, diagonal, diagonal] += self._layout.steps(self.diagonal)
        return blocks

    def covariance(self, at: NDArray[np.intp]) -> Floats:
        """Return the prior's covariance of the numbers at some places."""
        shared = self._shared[:, at]
        covariance: Floats = np.diag(1.0 / self.diagonal[at]) + shared.T @ shared
        return covariance

    def matrix(self) -> Floats:
        """Return the whole second derivative."""
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

    Parameters
    ----------
    blocks
        One per feature.
    target
        Shape (n,), 0 or 1.
    weight
        Shape (n,), positive.
    intercept
        The prior's intercept.
    widths
        Widths of the prior.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        target: Floats,
        weight: Floats,
        intercept: float,
        widths: Widths,
    ) -> None:
        self.layout = Layout(blocks)
        said = words(self.layout, blocks, weight) if widths.doubt else None
        self.penalty = Penalty(self.layout, blocks, widths, said)
        self._blocks, self._target, self._weight = blocks, target, weight
        self._rows = _entries_of_rows(blocks, self.layout.spans, len(target))
        self._intercept, self._against = intercept, 1.0 - 2.0 * target
        self._prior = np.concatenate([np.empty(0), *(block.entries for block in blocks)])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self._target)

    def entries(self, vector: Floats) -> Floats:
        """Return the entries of all tables at a vector."""
        return self._prior + self.layout.entries(vector)

    def under(self, widths: Widths) -> Self:
        """Return the same objective under other widths of the prior; doubt stays doubt, or none."""
        other = copy(self)
        other.penalty = Penalty(self.layout, self._blocks, widths, self.penalty.words)
        return other

    def scorecard(self, vector: Floats) -> Scorecard:
        """Return the card at a vector."""
        entries = self.entries(vector)
        spans = zip(self._blocks, self.layout.spans, strict=True)
        tables = tuple(block.fitted_table(entries[span]) for block, span in spans)
        return Scorecard(self._intercept + float(vector[0]), tables)

    def log_odds(self, vector: Floats) -> Floats:
        """Return the score of each row at a vector, shape (n,)."""
        return self.look_up(self._intercept + float(vector[0]), self.entries(vector))

    def value(self, vector: Floats, log_odds: Floats) -> float:
        """Return the objective, a sum over rows."""
        losses = np.logaddexp(0.0, self._against * log_odds)
        return float(self._weight @ losses + vector @ self.penalty.product(vector) / 2.0)

    def gradient(self, vector: Floats, log_odds: Floats) -> Floats:
        """Return the slope of the objective, shape of the vector."""
        return self.count(self.slopes(log_odds)) + self.penalty.product(vector)

    def slopes(self, log_odds: Floats) -> Floats:
        """Return the derivative of the loss of each row by its score, shape (n,)."""
        return self._weight * (probability(log_odds) - self._target)

    def certainty(self, log_odds: Floats) -> Floats:
        """Return the second derivative of the loss of each row by its score, shape (n,)."""
        p = probability(log_odds)
        return self._weight * p * (1.0 - p)

    def look_up(self, start: float, entries: Floats) -> Floats:
        """Return the sum of a start and each row's entries, shape (n,)."""
        return self._rows.look_up(start, entries)

    def count_entries(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by entry."""
        return self._rows.count(amounts)

    def count_pairs(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts by pair of entries, a symmetric matrix."""
        n_entries = len(self._prior)
        sums = np.zeros((n_entries, n_entries))
        for i, (block, span) in enumerate(zip(self._blocks, self.layout.spans, strict=True)):
            n = len(block.entries)
            sums[span, span] = np.diag(np.bincount(block.codes, amounts, n))
            for other, beside in zip(self._blocks[:i], self.layout.spans[:i], strict=True):
                m = len(other.entries)
                pairs = np.bincount(block.codes * m + other.codes, amounts, n * m).reshape(n, m)
                sums[span, beside], sums[beside, span] = pairs, pairs.T
        return sums

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by number of the vector."""
        return self.layout.gather(float(amounts.sum()), self.count_entries(amounts))


class _Group(NamedTuple):
    spans: tuple[slice, ...]
    shape: tuple[int, ...]
    codes: Codes


class _EntriesOfRows(Protocol):
    """Which entry of each feature each of n rows has."""

    def look_up(self, start: float, entries: Floats) -> Floats:
        """Return the sum of a start and each row's entries, shape (n,)."""

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by entry."""


def _entries_of_rows(
    blocks: Sequence[Block], spans: Sequence[slice], n_rows: int
) -> _EntriesOfRows:
    """Return the entries of the rows in the form that is quick for so many.

    Parameters
    ----------
    blocks
        One per feature.
    spans
        Where the entries of each stand among all entries.
    n_rows
        Number of rows.
    """
    form = _FewRows if n_rows < _FEW_ROWS else _JoinedBlocks
    return form(blocks, spans, n_rows)


class _FewRows:
    """A sparse matrix with a one for each row and each of its entries."""

    def __init__(self, blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> None:
        n_entries = spans[-1].stop if spans else 0
        codes = [block.codes + span.start for block, span in zip(blocks, spans, strict=True)]
        columns = np.array(codes, dtype=np.intp).reshape(len(blocks), n_rows).T.ravel()
        ends = len(blocks) * np.arange(n_rows + 1)
        ones = np.ones(len(columns))
        self._of_row = csr_array((ones, columns, ends), shape=(n_rows, n_entries))
        self._of_entry = self._of_row.T.tocsr()

    def look_up(self, start: float, entries: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        total: Floats = start + self._of_row @ entries
        return total

    def count(self, amounts: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        sums: Floats = self._of_entry @ amounts
        return sums


class _JoinedBlocks:
    """The rows of all features, by combinations of entries where those are few.

    Two features of 65 entries have 4,225 combinations. Adding up those takes no time beside
    looking up 100,000 rows twice.
    """

    def __init__(self, blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> None:
        most = min(_MOST_ENTRIES, n_rows // _ROWS_PER_ENTRY)
        self._n_rows, self._n_entries = n_rows, spans[-1].stop if spans else 0
        self._groups = [
            _Group(
                tuple(spans[i] for i in members),
                tuple(len(blocks[i].entries) for i in members),
                _combined([blocks[i] for i in members]),
            )
            for members in _packed([len(block.entries) for block in blocks], most)
        ]

    def look_up(self, start: float, entries: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        total = np.full(self._n_rows, start)
        for spans, _, codes in self._groups:
            table = entries[spans[0]]
            for span in spans[1:]:
                table = np.add.outer(table, entries[span])
            total += table.ravel()[codes]
        return total

    def count(self, amounts: Floats) -> Floats:
        """See `_EntriesOfRows`."""
        sums = np.empty(self._n_entries)
        for spans, shape, codes in self._groups:
            table = np.bincount(codes, amounts, math.prod(shape)).reshape(shape)
            for axis, span in enumerate(spans):
                others = tuple(a for a in range(len(shape)) if a != axis)
                sums[span] = table.sum(axis=others)
        return sums


def _packed(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Group numbers so that the product of their sizes is at most ``most``, the largest first."""
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


class Curvature:
    """The second derivative, never written out but for its blocks on the diagonal.

    A block is a single number of the vector, or the steps of one feature.

    Parameters
    ----------
    objective
        What is differentiated.
    log_odds
        Shape (n,), the scores of the rows at the point.
    """

    def __init__(self, objective: Objective, log_odds: Floats) -> None:
        self._objective, self._layout = objective, objective.layout
        self._certainty = objective.certainty(log_odds)
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
        """Multiply a vector by the second derivative."""
        objective = self._objective
        moved = objective.look_up(float(vector[0]), self._layout.entries(vector))
        return objective.count(self._certainty * moved) + objective.penalty.product(vector)

    @cached_property
    def patience(self) -> float:
        """How many products cost as much as writing the matrix out and solving with it once.

        Measured on one core: nanoseconds per row and feature, per row and pair of features, per
        element of the matrix, and per multiplication of its factorisation.
        """
        n, p, size = len(self._certainty), len(self._layout.spans), self._layout.size
        if size > _LARGEST_MATRIX:
            return math.inf
        product = 1.0 * n * p + 2e5
        return (0.7 * n * p**2 + 20.0 * size**2 + size**3 / 30.0) / product

    def matrix(self) -> Floats:
        """Return the second derivative written out, shape (size, size)."""
        objective, layout = self._objective, self._layout
        pairs = objective.count_pairs(self._certainty)
        single = objective.count_entries(self._certainty)
        rows = layout.gather(single, pairs)
        first = layout.gather(float(self._certainty.sum()), single)
        return layout.gather(first, np.ascontiguousarray(rows.T)) + objective.penalty.matrix()

    def solve(self, vector: Floats, free: Truths) -> Floats:
        """Divide a vector by the second derivative among the free numbers; others become zero."""
        real = np.append(np.ones(self._layout.n_single, dtype=bool), self._layout.real)
        chosen = np.flatnonzero(free & real)
        result = np.zeros_like(vector)
        factor = cho_factor(self.matrix()[np.ix_(chosen, chosen)], overwrite_a=True)
        result[chosen] = cho_solve(factor, vector[chosen])
        return result

    def divider(self, free: Truths) -> Callable[[Floats], Floats]:
        """Return a function that about divides a vector; what isn't free becomes zero.

        It divides by each block, and adds the division among the vectors that move all rows
        alike: what one feature of texts adds to every row another can take away, which no block
        knows by itself.
        """
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
        """Tell which numbers the minimum has at a bound, as far as each feature alone can tell.

        Steps of one feature hang together tightly, those of different features loosely. So the
        quadratic model of each bounded feature is minimised exactly, as non-negative least
        squares, and its bounds tell those of the whole.
        """
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
