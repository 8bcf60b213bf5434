"""Why not to court a firm: deregistered, already here, excluded by a list, lost not long ago."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from leadscore import numbers
from leadscore.city.profile import City
from leadscore.features.catalogue import Firm, text_of
from leadscore.lists.cleaning import clean
from leadscore.lists.dedupe import normal_name_of
from leadscore.lists.problems import Problem, lay_out
from leadscore.lists.reading import read_list
from leadscore.lists.reading.table import TextTable
from leadscore.lists.values.codes import valid_code
from leadscore.text import Text, room_words, shown

WORDS = room_words("ranking")


@dataclass(frozen=True, eq=False)
class ExclusionList:
    """By what the firms of a list are known, to leave them out of another."""

    credit_codes: frozenset[str]  # valid ones, also those of rows without a name
    names: frozenset[str]  # and former names, in the form that `normal_name_of` gives
    problems: tuple[Problem, ...]  # a row is set aside if it has neither name nor valid code
    notices: tuple[Text, ...]  # what the owner should know about the list as a whole
    rows_in: int


def load_exclusions(path: Path, *, today: date) -> ExclusionList:
    """Read a list of firms that are to be left out.

    Raises ListError if the file can't be read at all, or no column names firms.
    """
    raw = read_list(path)
    cleaned = clean(raw, today=today)
    codes = {place: code for table in raw.tables for place, code in _codes(table)}
    own = (str(firm["credit_code"]) for firm in cleaned.records if "credit_code" in firm)
    names = frozenset(name for firm in cleaned.records for name in _normal_names(firm))
    problems = tuple(
        replace(problem, wanted=WORDS["vetoes.wanted"]) if problem.code == "no_name" else problem
        for problem in cleaned.problems
        if problem.code != "no_name" or (problem.sheet, problem.row) not in codes
    )
    codes_in = frozenset([*codes.values(), *own])
    return ExclusionList(codes_in, names, problems, cleaned.notices, cleaned.rows_in)


def _codes(table: TextTable) -> Iterator[tuple[tuple[str | None, int], str]]:
    sources = lay_out(table.headers).sources
    for source in (*sources.get("taxpayer_id", ()), *sources.get("credit_code", ())):
        for row, text in zip(table.rows, table.column(source.position), strict=True):
            if text and (code := valid_code(text)):
                yield (table.sheet, int(row)), code


GONE = ("deregistered", "revoked", "liquidating")
"""Statuses of firms that no longer do business."""

HERE = ("registered", "building", "producing")
"""Stages from which on a courted firm is among those already here; before, it keeps its rank."""

WORDING = {
    veto: WORDS[f"vetoes.wording.{veto}"] for veto in (*GONE, "already_here", "excluded", "resting")
}
"""Every veto in words; the keys are stable."""

_LONGEST_REASON = 60  # characters beside the end of a rest


def veto_text(veto: str | None, *, until: date | None = None, reason: str | None = None) -> Text:
    """Return a veto in words; of a firm that rests also until when, and why it was lost.

    >>> veto_text("resting", until=date(2027, 6, 1), reason="land").en
    'lost, rests until 1 Jun 2027: land'
    """
    if veto != "resting" or until is None:
        return WORDING[veto] if veto else Text("", "")
    words = WORDS["vetoes.resting_why"] if reason else WORDS["vetoes.resting_until"]
    day = Text(*(numbers.day(until, lang) for lang in ("zh", "en")))
    return words.format(day=day, reason=shown(reason or "", _LONGEST_REASON))


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Firms that are not to be courted, by credit code and by normal form of the name.

    ``lost_rest`` if one that its list calls lost is left alone for a while.
    """

    credit_codes: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    lost_rest: bool = True


class Vetoes:
    """Finds reasons not to court a firm, as a city has them."""

    def __init__(self, city: City) -> None:
        names = (word for anchor in city.anchors for word in (anchor.name, *anchor.aliases))
        self._anchors = frozenset(normal_name_of(name) for name in names)
        self._division = city.division_code

    def first(self, firm: Firm, exclusions: Exclusions) -> str | None:
        """Return the first veto that holds for a firm, as a key of `WORDING`; None if none does.

        A firm counts as already here by its home, from registration on, or if its whole name, or
        one that it bore before, is that of an anchor.
        """
        status = text_of(firm, "status")
        if status in GONE:
            return status
        names = _normal_names(firm)
        if firm.get("credit_code") in exclusions.credit_codes or names & exclusions.names:
            return "excluded"
        home = text_of(firm, "city_code") or text_of(firm, "province_code") or ""
        if names & self._anchors or (self._division and home.startswith(self._division)):
            return "already_here"
        stage = firm.get("stage")
        if stage in HERE:
            return "already_here"
        return "resting" if stage == "lost" and exclusions.lost_rest else None


def _normal_names(firm: Firm) -> set[str]:
    # Of the name that a firm bears and of those that it bore.
    borne = [text_of(firm, "name"), *(text_of(firm, "former_names") or "").split(";")]
    return {normal_name_of(name) for name in borne if name}
