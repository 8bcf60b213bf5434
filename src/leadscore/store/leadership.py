"""What the leadership is told: chains, gaps, whom to court, pursuits, forecasts and changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.city.profile import City
from leadscore.errors import ModelError
from leadscore.features.extract import SIZEABLE_GAP
from leadscore.learning.history import EVENTS, firms_of, label_pursuits
from leadscore.lists.values.words import STAGES
from leadscore.ranking.score import Scorer
from leadscore.registry.manifest import Manifest
from leadscore.registry.models import ModelRegistry
from leadscore.store.champions import history
from leadscore.store.current_ranking import SCORES, STANDINGS
from leadscore.store.database import one_of_some, rows_of_some
from leadscore.store.facets import candidates
from leadscore.store.firms import FIRMS, read_firms
from leadscore.store.lists import LISTS, KeptList, kept_lists
from leadscore.store.outcomes import Entry, firms_with_outcomes, outcomes_of
from leadscore.store.profiles import changes_of
from leadscore.store.ranking import RankingFilter, ranking_page
from leadscore.text import Lang

TARGETS = 5
"""Firms that are named for each sizeable gap."""
ENOUGH = 20
"""Settled pursuits from which a comparison with the forecast says something."""
_MOST_LISTS, _MOST_MOVES = 50, 5
_OUTSIDE = 0.05  # of forecasts that are right, at either end of the range
_Condition = sa.ColumnElement[bool]
_TARGET, _HORIZON_DAYS = "signed", 365  # of a model whose manifest does not say


@dataclass(frozen=True, slots=True)
class ReportScope:
    """What a report covers: the days ``starts`` to ``ends``, and these chains (all if none)."""

    starts: date
    ends: date
    chains: tuple[str, ...] = ()

    def of(self, city: City) -> tuple[str, ...]:
        """Return the chains that are meant, in the order of the profile."""
        return tuple(
            chain.id for chain in city.chains if not self.chains or chain.id in self.chains
        )


def leadership_report(
    connection: Connection, scorer: Scorer, registry: ModelRegistry, scope: ReportScope, *,
    today: date, profile: int | None, lang: Lang,
) -> dict[str, Any]:  # fmt: skip
    """Return the report as plain JSON values; figures are unrounded, shares and likelihoods 0..1.

    Chains, gaps, firms to court and stages are as they stand ``today``; pursuits that began in the
    period are compared with what was forecast of them before, and the changes are those of the
    period. ``profile`` is the number of the version of the city's profile by which is scored.
    """
    city, chains = scorer.city, scope.of(scorer.city)
    segments = [key for key, each in city.segments.items() if each.chain_id in chains]
    counts = {key: there.number for key, there in candidates(connection, segments).items()}
    lists = kept_lists(connection, limit=_MOST_LISTS)
    some = len(chains) < len(city.chains)
    # A report of all chains also counts firms that work in none of them.
    meant = STANDINGS.c.chain.in_(chains) if some else sa.true()
    pursued = _pursued(connection, meant)
    return {
        "city": city.id,
        "name": city.name.pick(lang),
        "today": today.isoformat(),
        "some_chains": some,
        "period": {"starts": scope.starts.isoformat(), "ends": scope.ends.isoformat()},
        "source": _source(connection, scorer, registry, meant, lists, profile, lang),
        "chains": [_chain(city, key, counts, lang) for key in chains],
        "gaps": _gaps(connection, scorer, segments, counts, lang),
        "pursuits": _pursuits(connection, meant),
        "forecast": _forecast(
            connection, scope, pursued, _forecasts(registry, scorer.model), today
        ),
        "changes": _changes(connection, city, scope, meant, pursued, lists, lang),
    }


def _source(
    connection: Connection, scorer: Scorer, registry: ModelRegistry, meant: _Condition,
    lists: Sequence[KeptList], profile: int | None, lang: Lang,
) -> dict[str, Any]:  # fmt: skip
    city, manifest = scorer.city, _manifest(registry, scorer.model)
    scored = sa.select(sa.func.count(), sa.func.max(SCORES.c.as_of)).select_from(STANDINGS)
    firms, as_of = connection.execute(
        scored.join(SCORES, SCORES.c.id == STANDINGS.c.score_id).where(meant)
    ).one()
    return {
        "model": scorer.model,
        "model_day": manifest.created.date().isoformat() if manifest.created else None,
        "learned_from": manifest.learned,
        "profile": profile,
        "statement": {
            "title": city.statement.title.pick(lang), "number": city.statement.number,
            "issuer": city.statement.issuer.pick(lang), "year": city.statement.year,
        },
        "neighbour_discount": city.neighbour_discount,
        "firms": firms,
        "as_of": as_of and as_of.isoformat(),
        "lists": [
            {
                "id": each.id, "file_name": each.file_name, "as_of": each.as_of.isoformat(),
                "rows": (each.counts or {}).get("rows"),
            }
            for each in lists
            if each.state == "done"
        ],
    }  # fmt: skip


def _chain(city: City, key: str, counts: Mapping[str, int], lang: Lang) -> dict[str, Any]:
    chain = next(each for each in city.chains if each.id == key)
    return {
        "id": key, "name": chain.name.pick(lang),
        "segments": [_segment(city, each.id, counts, lang) for each in chain.segments],
    }  # fmt: skip


def _segment(city: City, key: str, counts: Mapping[str, int], lang: Lang) -> dict[str, Any]:
    segment = city.segments[key]
    near = [
        neighbour.name.pick(lang)
        for neighbour in city.neighbours
        if any(delivery.segment == key for delivery in neighbour.delivers)
    ]
    return {
        "id": key, "name": segment.name.pick(lang), "position": segment.position,
        "supply": segment.supply, "neighbour_supply": city.neighbour_supply(key),
        "neighbours": near, "gap": city.gap(key), "sought": segment.sought,
        "anchors": [anchor.label.pick(lang) for anchor in city.anchors_of(key)],
        "candidates": counts[key],
    }  # fmt: skip


def _gaps(
    connection: Connection, scorer: Scorer, segments: Sequence[str], counts: Mapping[str, int],
    lang: Lang,
) -> list[dict[str, Any]]:  # fmt: skip
    # The largest first; firms are named for those that are worth filling.
    city = scorer.city
    names = {chain.id: chain.name.pick(lang) for chain in city.chains}
    order = sorted(segments, key=lambda key: -city.gap(key))
    return [
        _segment(city, key, counts, lang) | {
            "chain": names[city.segments[key].chain_id],
            "sizeable": city.gap(key) >= SIZEABLE_GAP,
            "targets": _targets(connection, scorer, key, lang)
            if city.gap(key) >= SIZEABLE_GAP else [],
        }
        for key in order
    ]  # fmt: skip


def _targets(
    connection: Connection, scorer: Scorer, segment: str, lang: Lang
) -> list[dict[str, Any]]:
    asked = RankingFilter(segment=(segment,), veto=("no",))
    rows = ranking_page(connection, asked, limit=TARGETS).firms
    sure = scorer.intervals([(row["model"], row["values"]) for row in rows])
    same = ("rank", "name", "grade", "likelihood", "fit", "priority", "stage", "model", "row")
    targets = []
    for row, interval in zip(rows, sure, strict=True):
        reason = next(iter(scorer.wording.kept_reasons(row, lang)), None)
        targets.append({name: row[name] for name in same} | {
            "id": row["firm_id"], "interval": interval and list(interval),
            "reason": reason and reason[2], "list_id": row["list_id"],
            "as_of": row["as_of"].isoformat(),
        })  # fmt: skip
    return targets


def _pursuits(connection: Connection, meant: _Condition) -> list[dict[str, Any]]:
    # Where the firms of these chains stand today; every stage has its row, in their order.
    at = STANDINGS.c
    query = sa.select(at.stage, sa.func.count(), sa.func.sum(at.likelihood)).group_by(at.stage)
    by = {row[0]: row for row in connection.execute(query.where(meant))}
    return [
        {
            "stage": stage, "firms": by[stage][1] if stage in by else 0,
            "likelihood": float(by[stage][2]) if stage in by else 0.0,
        }
        for stage in STAGES
    ]  # fmt: skip


def _pursued(connection: Connection, meant: _Condition) -> dict[int, list[Entry]]:
    # What became of the firms that are meant, by their numbers.
    firms = read_firms(connection, firms_with_outcomes(connection)).values()
    numbers = set(connection.scalars(sa.select(STANDINGS.c.firm_id).where(meant)))
    return outcomes_of(connection, [firm for firm in firms if firm.id in numbers])


def _manifest(registry: ModelRegistry, version: str) -> Manifest:
    # One that can't be read tells nothing, and keeps nobody from the report.
    try:
        return registry.manifest(version)
    except ModelError:
        return Manifest.of({})


def _forecasts(registry: ModelRegistry, version: str) -> tuple[str, int]:
    # What the model that serves forecasts: of which stage, within how many days.
    manifest = _manifest(registry, version)
    return manifest.target or _TARGET, manifest.horizon_days or _HORIZON_DAYS


def _forecast(
    connection: Connection, scope: ReportScope, pursued: Mapping[int, Sequence[Entry]],
    forecasts: tuple[str, int], today: date,
) -> dict[str, Any]:  # fmt: skip
    # Of pursuits that began in the period: what was forecast before first contact, and what became
    # of them. Only those whose horizon has passed can be compared: of the others, early ends are
    # seen sooner.
    target, horizon = forecasts
    labels = label_pursuits(
        _events(pursued), as_of=today, target=target, horizon_days=horizon
    ).table
    rows = [
        (int(firm), contacted.date(), None if np.isnan(label) else bool(label))
        for firm, contacted, label in zip(
            firms_of(labels["firm"]), labels["contacted"], labels["label"], strict=True
        )
    ]
    rows = [row for row in rows if scope.starts <= row[1] <= scope.ends]
    given = _given_before(connection, {firm: day for firm, day, _ in rows})
    known = [(given[firm, day], day, landed) for firm, day, landed in rows if (firm, day) in given]
    passed = [(p, landed) for p, day, landed in known if day + timedelta(days=horizon) <= today]
    low, high = plausible_range([p for p, _ in passed])
    return {
        "target": target, "horizon_days": horizon, "courted": len(rows), "forecast": len(known),
        "without_forecast": len(rows) - len(known),
        "expected": sum(p for p, _, _ in known),
        "landed": sum(landed is True for _, _, landed in known),
        "landed_of_all": sum(landed is True for _, _, landed in rows),
        "ended": sum(landed is False for _, _, landed in known),
        "open": sum(landed is None for _, _, landed in known),
        "passed": len(passed), "passed_expected": sum(p for p, _ in passed),
        "passed_landed": sum(landed is True for _, landed in passed),
        "range": [low, high] if passed else None, "enough": len(passed) >= ENOUGH,
        "enough_from": ENOUGH,
    }  # fmt: skip


_ENTERED = ("entry", "stage", "day", "reason", "withdrawn", "recorded", "source")


def _events(entries: Mapping[int, Sequence[Entry]]) -> pd.DataFrame:
    # As learning has them, by the number of the firm, so that a pursuit is labelled by one rule.
    rows: list[dict[str, Any]] = []
    for firm, of_firm in entries.items():
        for entry in of_firm:
            same = {name: getattr(entry, name) for name in _ENTERED}
            rows.append(dict.fromkeys(EVENTS) | same | {"firm": str(firm), "row": 0})
    rows.sort(key=lambda row: row["entry"])
    return pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in EVENTS.items()}
    )


def _given_before(
    connection: Connection, contacts: Mapping[int, date]
) -> dict[tuple[int, date], float]:
    # The likelihood that was given last until the day of first contact.
    at = SCORES.c
    query = sa.select(at.firm_id, at.scored_at, at.likelihood).where(at.firm_id.in_(one_of_some()))
    given: dict[tuple[int, date], tuple[datetime, float]] = {}
    for firm, scored_at, likelihood in rows_of_some(connection, query, contacts):
        day = contacts[firm]
        if scored_at.astimezone().date() <= day:
            given[firm, day] = max(given.get((firm, day), (scored_at, likelihood)),
                                   (scored_at, likelihood))  # fmt: skip
    return {key: likelihood for key, (_, likelihood) in given.items()}


def plausible_range(likelihoods: Sequence[float]) -> tuple[int, int]:
    """Return between which numbers of landings nine in ten would lie if the forecasts are right.

    The number of successes of independent trials with these chances (Poisson binomial).

    >>> plausible_range([0.5] * 10), plausible_range([])
    ((2, 8), (0, 0))
    """
    chances = np.ones(1)
    for p in likelihoods:
        chances = np.convolve(chances, [1.0 - p, p])
    below = np.cumsum(chances)
    low = int(np.searchsorted(below, _OUTSIDE))
    high = int(np.searchsorted(below, 1.0 - _OUTSIDE))
    return min(low, len(likelihoods)), min(high, len(likelihoods))


def _changes(
    connection: Connection, city: City, scope: ReportScope, meant: _Condition,
    pursued: Mapping[int, Sequence[Entry]], lists: Sequence[KeptList], lang: Lang,
) -> dict[str, Any]:  # fmt: skip
    chains = scope.of(city)

    def within(moment: datetime) -> bool:
        return scope.starts <= moment.astimezone().date() <= scope.ends

    start, end = (
        datetime.combine(day, datetime.min.time()).astimezone()
        for day in (scope.starts, scope.ends + timedelta(days=1))
    )
    new = sa.select(sa.func.count()).select_from(FIRMS).join(
        STANDINGS, STANDINGS.c.firm_id == FIRMS.c.id
    )  # fmt: skip
    new = new.where(FIRMS.c.created_at >= start, FIRMS.c.created_at < end, meant)
    reached = Counter(
        entry.stage
        for of_firm in pursued.values()
        for entry in of_firm
        if entry.in_force and scope.starts <= entry.day <= scope.ends
    )
    return {
        "lists": [
            {"id": each.id, "file_name": each.file_name, "day": _day(each.uploaded_at),
             "ranked": (each.counts or {}).get("ranked")}
            for each in lists
            if each.state == "done" and within(each.uploaded_at)
        ],
        "lists_undone": _undone(connection, start, end),
        "new_firms": connection.scalar(new) or 0,
        "stages": [{"stage": stage, "firms": reached[stage]} for stage in STAGES if reached[stage]],
        "supplies": [
            {
                "segment": key,
                "name": city.segments[key].name.pick(lang) if key in city.segments else key,
                "before": step.before, "after": step.after, "day": _day(change.at),
                "reason": change.reason,
            }
            for change in changes_of(connection, city.id)
            if within(change.at)
            for key, step in change.supply.items()
            if key.partition(".")[0] in chains
        ],
        "models": [
            {"version": each.version, "act": each.act, "day": _day(each.at), "reason": each.reason}
            for each in history(connection, city.id)
            if within(each.at)
        ],
        "grades": _regraded(connection, meant, start),
    }  # fmt: skip


def _day(moment: datetime) -> str:
    return moment.astimezone().date().isoformat()


def _undone(connection: Connection, start: datetime, end: datetime) -> int:
    at = LISTS.c
    query = sa.select(sa.func.count()).where(at.undone_at >= start, at.undone_at < end)
    return connection.scalar(query) or 0


def _regraded(connection: Connection, meant: _Condition, start: datetime) -> dict[str, Any]:
    # Firms whose grade is another than by their last score before the period.
    at = STANDINGS.c
    last = (
        sa.select(SCORES.c.firm_id, sa.func.max(SCORES.c.id).label("id"))
        .where(SCORES.c.scored_at < start)
        .group_by(SCORES.c.firm_id)
        .subquery()
    )
    before = SCORES.alias("before")
    query = (
        sa.select(
            at.firm_id, at.name, before.c.grade.label("before"), at.grade.label("after"),
            before.c.likelihood.label("likelihood_before"), at.likelihood,
        )
        .join(last, last.c.firm_id == at.firm_id)
        .join(before, before.c.id == last.c.id)
        .where(before.c.grade != at.grade, meant)
        .order_by(sa.func.abs(at.likelihood - before.c.likelihood).desc(), at.firm_id)
    )  # fmt: skip
    rows = connection.execute(query).mappings().all()
    return {
        "up": sum(row["after"] < row["before"] for row in rows),
        "down": sum(row["after"] > row["before"] for row in rows),
        "firms": [{**row, "id": row["firm_id"]} for row in rows[:_MOST_MOVES]],
    }
