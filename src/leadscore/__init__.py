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

    ``listed`` is a file (CSV, gzipped CSV, XLSX, Parquet), or a DataFrame whose columns have any of
    the names that leadscore knows; one column must name the firms. ``city`` is the file of a city
    profile, ``lang`` the language of the reasons (``"zh"`` or ``"en"``), both by default those of
    the settings; ``today`` the day as of which the firms are scored. Processes score: by default
    one, and for a long list one for each core up to 8; the ranking is the same whatever their
    number.

    Returns the ranking, see `leadscore.ranking.order.ranking_table`. Rows that were set aside
    (without a name, or the same firm again) are missing from it. ``attrs`` of the table holds
    ``"counts"``, a sentence that says where every row went; ``"notices"``, a list of what the
    reader should know of the list as a whole; and ``"problems"``, everything that could not be
    taken as it stood, which ``pandas.DataFrame(table.attrs["problems"])`` shows as a table.

    Raises `leadscore.errors.LeadscoreError` if the list or the profile can't be used; it says where
    and what to do.
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
