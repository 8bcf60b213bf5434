"""Where the insides of leadscore are, by revision: the only module here that knows their names.

What has a public face is asked through it (`leadscore.rank`, the command line, HTTP). A rebuild
that moves what is asked for here adds its new place behind the old one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LOAD_LIST = (
    "leadscore.lists:load_list",
    "leadscore.lists.loading:load_list",
    "leadscore.lists.identity:load_list",
    "leadscore.lists.dedupe:load_list",
)
LOAD_CITY = ("leadscore.city.loading:load_city",)
SHIPPED = ("leadscore.shipped:shipped", "leadscore.files:shipped")
LOAD_OUTCOMES = ("leadscore.lists.outcomes:load_outcomes",)
OPEN_SCORER = ("leadscore.startup:open_scorer",)
LOAD_SETTINGS = ("leadscore.settings:load_settings",)
ERROR = ("leadscore.errors:LeadscoreError",)


_NOT_OF_THE_MODEL = frozenset({"created", "code", "libraries", "artefact", "schema"})
"""What a manifest tells of the moment, the program and the file."""


class UnknownPlaceError(LookupError):
    """What has to be recorded is at none of the places that are known."""


@dataclass(frozen=True)
class CleanFirms:
    """A list as it was read: the table of firms, problems, notices, and the rows read."""

    firms: Any
    problems: Any
    notices: Any
    rows_in: int


@dataclass(frozen=True)
class FirmRecord:
    """What the scorer says of one firm.

    Attributes
    ----------
    numbers
        Likelihood, fit, priority, grade, veto and base points.
    matches
        Segment, role, strength, words, gap and fit of each match, in order.
    reasons
        Feature, value, points and both texts of each reason, in order.
    """

    numbers: dict[str, Any]
    matches: list[dict[str, Any]]
    reasons: list[dict[str, Any]]


def load_list(path: Path, day: date) -> CleanFirms:
    """Return a list as it is read as of a day."""
    clean = _first(LOAD_LIST)(path, today=day)
    return CleanFirms(clean.firms, clean.problems, clean.notices, clean.rows_in)


def load_outcomes(path: Path, day: date) -> CleanFirms:
    """Return a file of outcomes as it is read as of a day."""
    read = _first(LOAD_OUTCOMES)(path, today=day)
    return CleanFirms(read.entries, read.problems, read.notices, read.read)


def score(firms: Any, day: date) -> Iterator[FirmRecord]:
    """Yield what the champion of the home folder says of each firm of a clean table."""
    scorer = _scorer()
    if find_spec("leadscore.ranking.score"):  # since a firm has one form
        records_of = import_module("leadscore.lists.cleaning").records_of
        for firm in scorer.score(records_of(firms), as_of=day):
            yield _of_firm(firm, scorer.wording)
        return
    scores = scorer.score(firms, as_of=day)
    matches: list[list[dict[str, Any]]] = [[] for _ in range(len(firms))]
    for match in scores.measured.fits.to_dict("records"):
        matches[match.pop("firm")].append(match)
    for at in range(len(firms)):
        numbers = {
            "likelihood": scores.likelihood[at], "fit": scores.fit[at],
            "priority": scores.priority[at], "grade": scores.grade[at],
            "veto": scores.veto.iloc[at], "base_points": scores.base_points,
        }  # fmt: skip
        reasons = [
            {
                "feature": each.feature, "value": each.value, "points": each.points,
                "zh": each.text.pick("zh"), "en": each.text.pick("en"),
            }
            for each in scores.reasons(at)
        ]  # fmt: skip
        yield FirmRecord(numbers, matches[at], reasons)


def _of_firm(firm: Any, wording: Any) -> FirmRecord:
    names = ("likelihood", "fit", "priority", "grade", "veto", "base_points")
    zh, en = (firm.reasons(wording, lang) for lang in ("zh", "en"))
    reasons = [
        {
            "feature": one.feature, "value": one.value, "points": one.points,
            "zh": one.text, "en": other.text,
        }
        for one, other in zip(zh, en, strict=True)
    ]  # fmt: skip
    columns = ("segment", "role", "strength", "words", "gap", "fit")
    matches = [{name: getattr(match, name) for name in columns} for match in firm.matches]
    return FirmRecord({name: getattr(firm, name) for name in names}, matches, reasons)


def manifests(home: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the versions of the models of a home, and what is written beside each of them."""
    for path in sorted((home / "models").glob("*/manifest.json")):
        manifest = json.loads(path.read_text("utf-8"))
        yield (
            path.parent.name,
            {key: value for key, value in manifest.items() if key not in _NOT_OF_THE_MODEL},
        )


def shipped_city() -> Any:
    """Return the city whose profile leadscore brings along."""
    return _first(LOAD_CITY)(next(iter(sorted(_first(SHIPPED)("cities").glob("*.toml")))))


def error_class() -> type[Exception]:
    """Return the base of the errors that leadscore raises on purpose."""
    found: type[Exception] = _first(ERROR)
    return found


@cache
def _scorer() -> Any:
    return _first(OPEN_SCORER)(_first(LOAD_SETTINGS)())


def _first(places: tuple[str, ...]) -> Any:
    """Return the first of these that there is; each is a module and a name in it."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            if not (error.name and module.startswith(error.name)):
                raise
        except AttributeError:
            continue
    raise UnknownPlaceError(
        f"this revision has none of {', '.join(places)}: add its new place to {Path(__file__).name}"
    )
