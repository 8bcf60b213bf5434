"""Looks up and counts the entries of all features at once, quickly for few rows and for many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from scipy.sparse import csr_array

from leadscore.learning.fitting.blocks import Block
from leadscore.learning.tables.columns import Codes, Floats

# A table of this many sums stays in the processor's caches. It is summed up anew each time, so
# there must be several rows for each of its entries.
_MOST_ENTRIES = 8192
_ROWS_PER_ENTRY = 4
# Fewer rows hardly share combinations. Measured with some thirty features, a sparse matrix is seven
# times as quick with 760 rows, twice with 3,000, and as quick with 7,000.
_FEW_ROWS = 8192


class _Group(NamedTuple):
    spans: tuple[slice, ...]
    shape: tuple[int, ...]
    codes: Codes


class EntriesOfRows(Protocol):
    """Which entry of each feature each of n rows has."""

    def look_up(self, start: float, entries: Floats) -> Floats:
        """Return the sum of a start and each row's entries, shape (n,)."""

    def count(self, amounts: Floats) -> Floats:
        """Return the sum of the rows' amounts, shape (n,), by entry."""


def entries_of_rows(blocks: Sequence[Block], spans: Sequence[slice], n_rows: int) -> EntriesOfRows:
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
        """See `EntriesOfRows`."""
        total: Floats = start + self._of_row @ entries
        return total

    def count(self, amounts: Floats) -> Floats:
        """See `EntriesOfRows`."""
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
        """See `EntriesOfRows`."""
        total = np.full(self._n_rows, start)
        for spans, _, codes in self._groups:
            table = entries[spans[0]]
            for span in spans[1:]:
                table = np.add.outer(table, entries[span])
            total += table.ravel()[codes]
        return total

    def count(self, amounts: Floats) -> Floats:
        """See `EntriesOfRows`."""
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
