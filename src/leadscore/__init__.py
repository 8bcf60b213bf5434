"""leadscore ranks the firms that a city could court, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leadscore.text import Lang

__all__ = ["__version__", "rank", "read_list", "read_outcomes"]

__version__ = "0.1.0"


def rank(
    listed: pd.DataFrame | Path | str,
    city: Path | str | None = None,
    *,
    lang: Lang | None = None,
    today: date | None = None,
    processes: int | None = None,
    mapping: Mapping[str, str] | None = None,
    plain: bool = False,
) -> pd.DataFrame:
    """Rank a list of firms.

    ``listed`` is a file (CSV, gzipped CSV, XLSX, Parquet), or a DataFrame whose columns have any of
    the names that leadscore knows; one column must name the firms. ``city`` is the file of a city
    profile, ``lang`` the language of the reasons (``"zh"`` or ``"en"``), both by default those of
    the settings; ``today`` the day as of which the firms are scored. Processes score: by default
    one, and for a long list one for each core up to 8; the ranking is the same whatever their
    number. ``mapping`` says what columns mean, as for `read_list`. What officers have corrected of
    these firms counts where a home with a database is in use, unless it is to be left out
    (``plain``).

    Returns the ranking, see `leadscore.ranking.order.ranking_table`, with the column
    ``corrections`` at its end if anything was corrected. Rows that were set aside
    (without a name, or the same firm again) are missing from it. ``attrs`` of the table holds
    ``"counts"``, a sentence that says where every row went; ``"corrected"``, how many firms
    officers have corrected; ``"notices"``, a list of what the
    reader should know of the list as a whole; and ``"problems"``, everything that could not be
    taken as it stood, which ``pandas.DataFrame(table.attrs["problems"])`` shows as a table.

    Raises `leadscore.errors.LeadscoreError` if the list or the profile can't be used; it says where
    and what to do.
    """
    # Imported late: `leadscore --help` imports this package, and pandas takes half a second.
    from leadscore.lists.corrections import NO_CORRECTIONS
    from leadscore.ranking.batch import rank_list
    from leadscore.settings import load_settings
    from leadscore.startup import open_scoring

    settings = load_settings()
    spoken, day = lang or settings.lang, today or date.today()
    profile = Path(city) if isinstance(city, str) else city
    scorer, corrections = open_scoring(settings, profile, as_of=day)
    ranking = rank_list(
        Path(listed) if isinstance(listed, str) else listed,
        scorer,
        today=day,
        lang=spoken,
        processes=processes,
        mapping=mapping or {},
        corrections=NO_CORRECTIONS if plain else corrections,
    )
    ranking.table.attrs |= ranking.attributes(spoken)
    return ranking.table


def read_list(
    listed: pd.DataFrame | Path | str,
    *,
    lang: Lang | None = None,
    today: date | None = None,
    mapping: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Read a list of firms without scoring it: the clean table that `rank` would score.

    ``listed``, ``lang`` and ``today`` are as for `rank`. ``mapping`` says what columns mean, by
    their headers or places (``!B``): a canonical column by its name or its label, with the unit of
    its numbers if that is to be said, such as ``{"注资": "registered_capital_cny(万元)"}``;
    ``"(万元)"`` alone is a unit for what the header means anyway, ``"-"`` leaves a column unread.
    Nothing is kept, and no model or database is needed.

    Returns one row a firm with all canonical columns, missing where the list lacks them, then
    ``row`` and ``sheet`` of the source: money in yuan, shares 0..1, days as datetime64. ``attrs``
    holds ``"problems"`` and ``"notices"`` as for `rank`.

    Raises `leadscore.errors.LeadscoreError` if the list can't be read, or the mapping names what
    isn't there.
    """
    # Imported late, as in `rank`.
    from leadscore.lists.understanding import plain_attributes, read_firms
    from leadscore.settings import spoken_language

    path = Path(listed) if isinstance(listed, str) else listed
    firms = read_firms(path, mapping or {}, today=today or date.today()).clean
    spoken = lang or spoken_language()
    firms.firms.attrs |= plain_attributes(firms.problems, firms.notices, spoken)
    return firms.firms


def read_outcomes(
    path: Path | str,
    *,
    mapping: Mapping[str, str] | None = None,
    stages: Mapping[str, str] | None = None,
    lang: Lang | None = None,
    today: date | None = None,
) -> pd.DataFrame:
    """Read what became of firms, without keeping it.

    ``path`` is a file as `leadscore outcomes import` takes it, ``mapping`` has fields by headers
    and ``stages`` stages by words, as its options ``--map`` and ``--stage``; days after ``today``
    are not believed. Returns one row an event: ``name``, ``credit_code``, ``stage``, ``day``,
    ``reason``; what is withdrawn is no event. ``attrs`` of the table holds ``"notices"``, sentences
    in ``lang`` (``"zh"`` or ``"en"``), and ``"problems"``, a dict for everything that could not be
    taken as it stood: ``code``, ``sheet``, ``row``, ``column``, ``found``, ``wanted``.

    Raises `leadscore.errors.LeadscoreError` if the file can't be read or tells no outcomes.
    """
    from leadscore.lists.outcomes import Instructions, load_outcomes
    from leadscore.lists.understanding import plain_attributes
    from leadscore.settings import load_settings
    from leadscore.startup import names_of_city

    settings = load_settings()
    spoken = lang or settings.lang
    said = Instructions(mapping or {}, stages or {}, here=names_of_city(settings))
    listed = load_outcomes(Path(path), today=today or date.today(), said=said)
    entries = listed.entries[~listed.entries["withdrawn"]]
    table = entries[["name", "credit_code", "stage", "day", "reason"]].reset_index(drop=True)
    table.attrs |= plain_attributes(listed.problems, listed.notices, spoken)
    return table
