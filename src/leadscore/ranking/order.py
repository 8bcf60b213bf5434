"""The one order of a ranking, and its table."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from leadscore.features.catalogue import CATALOGUE, text_of
from leadscore.lists.columns import column
from leadscore.lists.values.places import province_name
from leadscore.lists.values.words import STAGES
from leadscore.ranking.reasons import Wording, reason_line, shown_words
from leadscore.ranking.score import FirmScore, Interval, Scorer
from leadscore.ranking.vetoes import veto_text
from leadscore.text import Lang

_COMPARED = 400  # characters of a name; PostgreSQL keeps no longer keys in an index
_FRACTIONS = struct.Struct(">ddd")
_ALL_BITS = (1 << 8 * _FRACTIONS.size) - 1
_END, _MISSING = b"\x00", b"\xff"


def order_key(
    *, vetoed: bool, priority: float, likelihood: float, fit: float, name: str,
    credit_code: str | None,
) -> bytes:  # fmt: skip
    """Return what a firm is sorted by: the smaller key comes first in the ranking.

    >>> firm = {"vetoed": False, "priority": 0.5, "likelihood": 0.6, "fit": 0.7}
    >>> first = order_key(**firm, name="甲", credit_code="9136")
    >>> first < order_key(**firm, name="甲", credit_code=None)
    True
    >>> first < order_key(**firm | {"fit": 0.8}, name="乙", credit_code=None)
    False
    """
    # The bits of doubles from 0 on rise with them; turned over they fall. UTF-8 sorts by code
    # point, and no text goes on with a byte that is smaller than its end.
    fractions = _FRACTIONS.pack(priority + 0.0, likelihood + 0.0, fit + 0.0)  # no minus zero
    falling = (int.from_bytes(fractions) ^ _ALL_BITS).to_bytes(_FRACTIONS.size)
    code = _MISSING if credit_code is None else credit_code.encode() + _END
    return bytes([vetoed]) + falling + name[:_COMPARED].encode() + _END + code


def is_vetoed(key: bytes) -> bool:
    """Tell whether a key is that of a vetoed firm."""
    return key >= b"\x01"


RANKING_COLUMNS = (
    "rank", "name", "credit_code", "grade", "priority", "likelihood", "fit", "segment", "role",
    "reasons", "veto", "segments", "row", "model", "segment_name", "role_name", "matched_words",
    "province", "city", "stage", "likelihood_low", "likelihood_high", "certainty",
)  # fmt: skip
"""What a written ranking begins with, from the command line and from the store; a contract."""

FACT_COLUMNS = (
    "registered_capital_cny", "staff", "revenue_cny", "main_business", "exchange", "security_code",
    "listed_on",
)  # fmt: skip
"""Facts of the firms that follow in a written ranking, by their canonical names."""


def fact_columns(records: Sequence[Mapping[str, Any]]) -> dict[str, pd.Series[Any]]:
    """Return the facts of firms as columns of a written ranking."""
    return {
        name: pd.Series(
            [_fact(record.get(name)) for record in records],
            dtype="float64" if column(name).dtype == "float64" else "str",
        )
        for name in FACT_COLUMNS
    }


def _fact(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


_NUMBERS = ("priority", "likelihood", "fit")
_ENDS = ("likelihood_low", "likelihood_high")
Columns = dict[str, list[Any]]
"""Columns of a ranking as plain lists, in the order of the firms; ``order`` is what sorts them."""


def ranking_columns(
    scores: Sequence[FirmScore], scorer: Scorer, lang: Lang, *, reasons: bool = True
) -> Columns:
    """Return what a ranking says of firms beside what was listed: few bytes a firm."""
    wording, best = scorer.wording, [score.best for score in scores]
    roles = CATALOGUE["role"].levels
    own = {name: [getattr(score, name) for score in scores] for name in ("grade", *_NUMBERS)}
    return own | {
        "order": [_order_of(score) for score in scores],
        "segment": [match and match.segment for match in best],
        "role": [match and match.role for match in best],
        "reasons": [reasons_of(score, wording, lang) if reasons else None for score in scores],
        "veto": [score.veto and veto_text(score.veto).pick(lang) for score in scores],
        "stage": [stage_name(score.firm.get("stage"), lang) for score in scores],
        "segments": [score.segments() for score in scores],
        "segment_name": [match and wording.segment(match.segment, lang) for match in best],
        "role_name": [match and roles[match.role].pick(lang) for match in best],
        "matched_words": [match and shown_words(match.words, lang) for match in best],
        **interval_columns(scorer, [score.interval for score in scores], lang),
    }


def certainty_answer(scorer: Scorer, interval: Interval | None, lang: Lang) -> dict[str, Any]:
    """Return how sure a scorer is of a likelihood, in numbers (0..1) and in words.

    ``certainty`` is None where enough is known of such firms.
    """
    low, high = interval or (None, None)
    text = scorer.certainty(interval)
    return {
        "likelihood_low": low, "likelihood_high": high, "certainty": text and text.pick(lang)
    }  # fmt: skip


def interval_columns(
    scorer: Scorer, intervals: Sequence[Interval | None], lang: Lang
) -> dict[str, list[Any]]:
    """Return the same of many likelihoods, as columns."""
    answers = [certainty_answer(scorer, interval, lang) for interval in intervals]
    return {name: [answer[name] for answer in answers] for name in (*_ENDS, "certainty")}


def ranking_table(columns: Columns, firms: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the ranking in the order of `leadscore.ranking.order`, vetoed firms without a rank.

    The first fourteen columns are a contract: ``rank`` (Int64, missing for vetoed firms), ``name``,
    ``credit_code``, ``grade``, ``priority``, ``likelihood``, ``fit`` (0..1), ``segment``, ``role``,
    ``reasons`` (words), ``veto`` (words, missing if none), ``segments`` (``id:strength`` of every
    match, joined by ``;``), ``row`` (in the source file), ``model``. ``segment_name``,
    ``role_name``, ``matched_words``, ``province``, ``city``, ``stage`` (words), then
    ``likelihood_low``, ``likelihood_high`` and ``certainty`` (see `certainty_answer`), ``sheet``
    and `FACT_COLUMNS` follow. Its index is the position of each firm in ``firms``.
    """
    own = {
        name: pd.Series(values, dtype="float64" if name in (*_NUMBERS, *_ENDS) else "str")
        for name, values in columns.items()
        if name != "order"
    }
    provinces = [
        province_name({"province": province, "province_code": code})
        for province, code in zip(firms["province"], firms["province_code"], strict=True)
    ]
    own["province"] = pd.Series(provinces, dtype="str")
    table = pd.DataFrame(
        {name: own.get(name, firms.get(name)) for name in RANKING_COLUMNS[1:]}
    ).assign(model=model)
    if firms["sheet"].nunique(dropna=True) > 1:
        table["sheet"] = firms["sheet"]
    # A list tells days as days, the store as texts; written, they are the same.
    for name in FACT_COLUMNS:
        days = firms[name].dtype.kind == "M"
        told = firms[name].dt.strftime("%Y-%m-%d") if days else firms[name]
        table[name] = told.astype("str") if days else told
    table = table.iloc[sorted(range(len(table)), key=columns["order"].__getitem__)]
    ranked = table["veto"].isna()
    table.insert(0, "rank", ranked.cumsum().astype("Int64").mask(~ranked))
    return table


def stage_name(stage: Any, lang: Lang) -> str | None:
    """Return what a stage is called; None of a firm that nobody has courted."""
    return STAGES[stage].pick(lang) if stage in STAGES else None


def reasons_of(score: FirmScore, wording: Wording, lang: Lang) -> str:
    """Return the main reasons of a score as one line."""
    reasons = score.main_reasons(wording, lang)
    return reason_line(((reason.text, reason.points) for reason in reasons), lang)


def _order_of(score: FirmScore) -> bytes:
    return order_key(
        vetoed=score.veto is not None, priority=score.order_priority, likelihood=score.likelihood,
        fit=score.fit, name=str(score.firm["name"]),
        credit_code=text_of(score.firm, "credit_code"),
    )  # fmt: skip
