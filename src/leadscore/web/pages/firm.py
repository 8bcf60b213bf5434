"""A firm: its grade, the gap that it would fill, why it stands where it stands, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from leadscore.city import City
from leadscore.features.catalogue import CATALOGUE
from leadscore.language import Lang
from leadscore.lists.values.vocabularies import STAGES
from leadscore.ranking.reasons import anchor_labels, supply_words
from leadscore.ranking.score import Scorer
from leadscore.store.firms.firms import Firm, read_firm
from leadscore.store.ranking.scores import Score, score_history
from leadscore.web.access.permissions import requires
from leadscore.web.pages import shell
from leadscore.web.pages.firm_fields import known_fields
from leadscore.web.pages.firm_history import chosen_scores, difference_of
from leadscore.web.pages.firm_texts import own_texts
from leadscore.web.pages.firm_timeline import timeline
from leadscore.web.pages.form_fields import LONGEST_REASON
from leadscore.web.pages.intervals import intervals
from leadscore.web.pages.waterfall import waterfall
from leadscore.web.routes.firm_views import firm_summary
from leadscore.web.store_refusals import store_refusals

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from leadscore.web.pages.site import Site

_ANCHORS = 6


def firm_pages(site: Site, pages: Blueprint) -> None:
    """Add ``/firms/<id>``."""
    backing = site.backing

    @pages.get("/firms/<int:id>")
    @requires("read")
    def firm(id: int) -> Response:  # noqa: A002 (as the address has it)
        lang, today, scorer = site.lang(), backing.today(), backing.scorer()
        with store_refusals(), backing.database.read() as connection:
            found = read_firm(connection, id)
            answer = firm_summary(scorer.wording, connection, found, lang)
            history = score_history(connection, id)
            told = _history(site, scorer, connection, found, history)
            fields = known_fields(connection, found, today, lang)
        standing, score = answer["standing"], next(iter(history), None)
        line, recorded = timeline(answer["outcomes"], request.args.get("entry", ""))
        return shell.page(
            site,
            "firm.html",
            title=found.name,
            firm=answer,
            version=found.version,
            standing=standing,
            names=_names(standing, lang) if standing else None,
            score=score,
            gap=gap_of(scorer.city, standing, lang) if standing else None,
            texts=own_texts(found.record, score.words if score else None, lang),
            fields=fields,
            stale=sum(each.stale for each in fields),
            line=line,
            recorded=recorded,
            choices=choices(scorer.city, lang),
            segment_names=segment_names(scorer.city, lang),
            today=today.isoformat(),
            longest_reason=LONGEST_REASON,
            history=history,
            **told,
        )


def _history(
    site: Site, scorer: Scorer, connection: Connection, firm: Firm, history: Sequence[Score]
) -> dict[str, Any]:
    """Return what the page says of scores: of the last one, and of two that are compared."""
    lang = site.lang()
    compared = chosen_scores(connection, firm.id, history, request.args)
    score = next(iter(history), None)
    return {
        "interval": intervals(scorer, [(score.model, score.values)])[0] if score else None,
        "falls": waterfall(score, firm, scorer.wording, lang) if score else None,
        "outdated": bool(score and score.model != scorer.model),
        "change": difference_of(connection, *compared, scorer.wording, lang) if compared else None,
    }


def choices(city: City, lang: Lang) -> dict[str, Any]:
    """Return what may be chosen in the forms: stages, roles, and segments by chain."""
    return {
        "stages": {key: name.pick(lang) for key, name in STAGES.items()},
        "roles": {key: name.pick(lang) for key, name in CATALOGUE["role"].levels.items()},
        "segments": {
            chain.name.pick(lang): {
                each.id: each.name.pick(lang)
                for each in city.segments.values()
                if each.chain_id == chain.id
            }
            for chain in city.chains
        },
    }


def segment_names(city: City, lang: Lang) -> dict[str, str]:
    """Return the name of each segment of a city."""
    return {key: each.name.pick(lang) for key, each in city.segments.items()}


def _names(standing: dict[str, Any], lang: Lang) -> dict[str, str | None]:
    role, stage = CATALOGUE["role"].levels.get(standing["role"]), STAGES.get(standing["stage"])
    return {"role": role.pick(lang) if role else None, "stage": stage.pick(lang) if stage else None}


def gap_of(city: City, standing: dict[str, Any], lang: Lang) -> dict[str, Any] | None:
    """Return the gap that the firm would fill, and the anchors next to it in the chain."""
    segment = city.segments.get(standing["segment"] or "")
    if segment is None:
        return None
    chain = next(each for each in city.chains if each.id == segment.chain_id)
    supply = city.supply(segment.id)
    buyers, suppliers = (
        anchor_labels(city, anchors, segment.id, lang)
        for anchors in (city.buyers(segment.id), city.suppliers(segment.id))
    )
    return {
        "chain": chain.name.pick(lang),
        "segment": segment.name.pick(lang),
        "gap": city.gap(segment.id),
        "supply": supply,
        "supply_words": supply_words(supply).pick(lang),
        "neighbours": city.neighbour_supply(segment.id),
        "buyers": buyers[:_ANCHORS],
        "more_buyers": max(len(buyers) - _ANCHORS, 0),
        "suppliers": suppliers[:_ANCHORS],
        "more_suppliers": max(len(suppliers) - _ANCHORS, 0),
    }
