"""The ranking as a table: the columns that are printed, written and returned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.ranking.order import order_key
from leadscore.ranking.reasons import reason_line
from leadscore.ranking.scoring import Scores
from leadscore.ranking.vetoes import WORDING


def ranking_table(scores: Scores, model: str, *, lang: Lang) -> pd.DataFrame:
    """Return the ranking in the order of `leadscore.ranking.order`, vetoed firms without a rank.

    The first fourteen columns are a contract: ``rank`` (Int64, missing for vetoed firms), ``name``,
    ``credit_code``, ``grade``, ``priority``, ``likelihood``, ``fit`` (0..1), ``segment``, ``role``,
    ``reasons`` (words in ``lang``), ``veto`` (words, missing if none), ``segments``
    (``id:strength`` of every match, joined by ``;``), ``row`` (in the source file), ``model``.
    ``segment_name``, ``role_name``, ``matched_words``, ``province``, ``city`` and ``sheet`` follow.
    """
    firms, best = scores.firms, scores.measured.best
    roles = {level: name.pick(lang) for level, name in CATALOGUE["role"].levels.items()}
    table = pd.DataFrame(
        {
            "name": firms["name"],
            "credit_code": firms["credit_code"],
            "grade": scores.grade,
            "priority": scores.priority,
            "likelihood": scores.likelihood,
            "fit": scores.fit,
            "segment": best["segment"],
            "role": best["role"],
            "reasons": reasons_column(scores, lang),
            "veto": scores.veto.map({key: words.pick(lang) for key, words in WORDING.items()}),
            "segments": _all_segments(scores),
            "row": firms["row"],
            "model": model,
            "segment_name": best["segment"].map(lambda key: scores.wording.segment(key, lang)),
            "role_name": best["role"].map(roles),
            "matched_words": best["words"],
            "province": firms["province"],
            "city": firms["city"],
        }
    )
    if firms["sheet"].nunique(dropna=True) > 1:
        table["sheet"] = firms["sheet"]
    table = table.iloc[_in_order(table)].reset_index(drop=True)
    ranked = table["veto"].isna().to_numpy()
    rank = pd.Series(np.cumsum(ranked), dtype="Int64").mask(~ranked)
    table.insert(0, "rank", rank)
    return table


def reasons_column(scores: Scores, lang: Lang) -> list[str]:
    """Return each firm's main reasons as one line of words and points."""
    return [
        reason_line(((r.text.pick(lang), r.points) for r in scores.main_reasons(firm)), lang)
        for firm in range(len(scores))
    ]


def _all_segments(scores: Scores) -> pd.Series:
    """Return every match of each firm, the strongest first, as ``id:strength``."""
    fits = scores.measured.fits
    each = fits["segment"].str.cat(fits["strength"].map("{:.2f}".format).astype("str"), sep=":")
    joined = each.groupby(fits["firm"]).agg(";".join)
    return joined.reindex(range(len(scores))).astype("str")


def _in_order(table: pd.DataFrame) -> list[int]:
    """Return the positions of the rows in the one order."""
    keys = [
        order_key(
            vetoed=vetoed, priority=priority, likelihood=likelihood, fit=fit, name=name,
            credit_code=code if isinstance(code, str) else None,
        )
        for vetoed, priority, likelihood, fit, name, code in zip(
            table["veto"].notna().tolist(), table["priority"].tolist(),
            table["likelihood"].tolist(), table["fit"].tolist(), table["name"].tolist(),
            table["credit_code"].tolist(), strict=True,
        )
    ]  # fmt: skip
    return sorted(range(len(keys)), key=keys.__getitem__)
