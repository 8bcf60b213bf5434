"""leadscore ranks the firms that a city could court, and says why."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from leadscore.text import Lang

__all__ = ["__version__", "rank"]

__version__ = "0.1.0"


def rank(
    listed: pd.DataFrame | Path | str,
    city: Path | str | None = None,
    *,
    lang: Lang | None = None,
    today: date | None = None,
    processes: int | None = None,
) -> pd.DataFrame:
    """Rank a list of firms.

    Parameters
    ----------
    listed
        A file (CSV, gzipped CSV, XLSX, Parquet), or a DataFrame whose columns have any of the names
        that leadscore knows. One column must name the firms.
    city
        File of a city profile; by default the one of the settings.
    lang
        Language of the reasons, ``"zh"`` or ``"en"``; by default that of the settings.
    today
        Day as of which the firms are scored; by default today.
    processes
        How many processes score; by default one, and for a long list one for each core up to 8. The
        ranking is the same whatever their number.

    Returns
    -------
    DataFrame
        The ranking, see `leadscore.ranking.order.ranking_table`. Rows that were set aside
        (without a name, or the same firm again) are missing from it. ``attrs`` of the table holds
        ``"counts"``, a sentence that says where every row went; ``"notices"``, a list of what the
        reader should know of the list as a whole; and ``"problems"``, everything that could not be
        taken as it stood, which ``pandas.DataFrame(table.attrs["problems"])`` shows as a table.

    Raises
    ------
    leadscore.errors.LeadscoreError
        If the list or the profile can't be used; it says where and what to do.
    """
    # Imported late: `leadscore --help` imports this package, and pandas takes half a second.
    from leadscore.ranking.batch import rank_list
    from leadscore.settings import load_settings
    from leadscore.startup import open_scorer

    settings = load_settings()
    spoken = lang or settings.lang
    ranking = rank_list(
        Path(listed) if isinstance(listed, str) else listed,
        open_scorer(settings, Path(city) if isinstance(city, str) else city),
        today=today or date.today(),
        lang=spoken,
        processes=processes,
    )
    ranking.table.attrs |= ranking.attributes(spoken)
    return ranking.table
