"""Which verbs govern a mention: does the firm make it, design it, sell it or serve it?"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from leadscore.city.arrays import BoolArray, IntArray
from leadscore.city.context import VERBS, Context
from leadscore.city.spans import NOWHERE, pick

MAKING, DESIGNING, BUILDING, TRADING, SERVING = 1, 2, 4, 8, 16
"""Bits of what verbs say is done; who only develops a product designs it."""
JOINED: Final = 2
"""Verbs are one group if no more characters than this part them: 研发、生产以及销售."""
BITS: Final = dict(
    zip(VERBS, (MAKING, DESIGNING, DESIGNING, BUILDING, TRADING, SERVING), strict=True)
)


def deeds(context: Context) -> IntArray:
    """Return the bits of the verbs that govern each mention, 0 where none does.

    Verbs that stand together ("研发、生产和销售") are one group. A group is trailing if it ends a
    phrase ("锂电池的生产"), leading if it opens one ("生产锂电池", "销售：灯具"). A trailing group
    of the same clause governs, else the last leading one of the sentence. Serving counts only
    as the end of the mention's own item or after 的: "锂电池维护", "灯具、电器的维修", but not
    "锂电池、灯具及服务".
    """
    begin, end, bits, leading = _verb_groups(context)
    trail, lead = np.flatnonzero(~leading), np.flatnonzero(leading)

    ahead = np.searchsorted(begin[trail], context.end)
    place = pick(begin[trail], ahead, NOWHERE)
    trails = context.same(context.clause, place, context.end - 1)
    # A phrase that another group opens is no longer the mention's.
    trails &= place < pick(begin[lead], np.searchsorted(begin[lead], context.end), NOWHERE)

    behind = np.searchsorted(end[lead], context.begin, side="right") - 1
    leads = context.same(context.sentence, pick(end[lead], behind, -NOWHERE) - 1, context.begin)
    near = trails & context.same(context.item, place, context.end - 1)
    near |= trails & np.isin(place, context.cues["possessive"].end)
    leading_bits = np.where(leads, pick(bits[lead], behind, 0), 0)
    governing = np.where(trails, pick(bits[trail], ahead, 0), leading_bits)
    # "制造、销售：灯具、锂电池的研发": what stands before the colon holds for all that follows.
    listing = context.document.codes[np.where(leads, pick(end[lead], behind, 0), 0)] == ord(":")
    governing |= np.where(listing, leading_bits, 0)
    return np.where(near, governing, governing & ~SERVING)


def text_deeds(context: Context) -> IntArray:
    """Return the bits of all verbs of each text, whatever they govern."""
    begin, _, bits, _ = _verb_groups(context)
    result = np.zeros(len(context.document.start), dtype=np.int64)
    np.bitwise_or.at(result, context.document.text_at(begin), bits)
    return result


def _verb_groups(context: Context) -> tuple[IntArray, IntArray, IntArray, BoolArray]:
    """Return begin, end and bits of each group of verbs, and whether it is a leading one."""
    spans = [context.cues[name] for name in VERBS]
    begin = np.concatenate([s.begin for s in spans])
    end = np.concatenate([s.end for s in spans])
    bits = np.repeat(np.array(list(BITS.values()), dtype=np.int64), [len(s) for s in spans])
    order = np.argsort(begin, kind="stable")
    order = order[~context.negated(begin[order])]
    begin, end, bits = begin[order], end[order], bits[order]
    if not len(begin):
        return begin, end, bits, np.zeros(0, dtype=np.bool_)
    between = begin[1:] - end[:-1]
    # "研发、印制、生产": a verb that is not known, between two that are.
    unknown = context.breaks[end[:-1]] & context.breaks[begin[1:] - 1]
    unknown &= np.searchsorted(context.begin, begin[1:]) == np.searchsorted(context.begin, end[:-1])
    apart: NDArray[np.bool_] = between > np.where(unknown, JOINED + 2, JOINED)
    apart |= context.sentence[begin[1:]] != context.sentence[end[:-1] - 1]
    head = np.append(0, np.flatnonzero(apart) + 1)
    first = begin[head]
    opens = context.breaks[first - 1] | np.isin(first, context.cues["intro"].end)
    return first, np.maximum.reduceat(end, head), np.bitwise_or.reduceat(bits, head), opens
