"""The page of the chains without a browser: the map and its table say what the gaps are."""

from __future__ import annotations

import re

from flask.testing import FlaskClient
from tests.contract.test_pages import HTML, access, client, log_in  # noqa: F401 (fixtures)
from tests.contract.test_permissions import app, scorer  # noqa: F401 (fixtures)

from leadscore.features.extract import SIZEABLE_GAP
from leadscore.ranking.score import Scorer
from leadscore.web.pages.chains import ROW, chain_map


def segment(name: str, position: str, *feeds: str) -> dict[str, object]:
    return {"id": name, "position": position, "feeds": list(feeds)}


def test_map_and_table_say_the_same_as_the_answer(client: FlaskClient, scorer: Scorer) -> None:  # noqa: F811
    log_in(client)
    html = client.get("/chains", headers=HTML | {"Accept-Language": "en"}).get_data(as_text=True)
    city = scorer.city
    for each in city.segments.values():
        assert html.count(f'href="/ranking?segment={each.id}"') == 2, each.id
        assert f"{city.gap(each.id):.0%}" in html
    for anchor in city.anchors:
        assert anchor.label.en in html
    inner = {(s.id, fed) for chain in city.chains for s in chain.segments for fed in s.feeds
             if fed in {each.id for each in chain.segments}}  # fmt: skip
    assert inner
    assert html.count('<path class="line"') == len(inner)
    assert "No candidates yet" in html


def test_nothing_stands_inline(client: FlaskClient) -> None:  # noqa: F811
    log_in(client)
    for path in ("/chains", "/import"):
        html = client.get(path, headers=HTML).get_data(as_text=True)
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", html), path


def test_lines_lead_from_a_segment_to_those_that_it_feeds() -> None:
    chain = {
        "id": "x",
        "name": "X",
        "segments": [
            segment("x.a", "upstream", "x.c", "y.elsewhere"),
            segment("x.b", "upstream", "x.a"),
            segment("x.c", "downstream"),
            segment("x.d", "downstream", "x.c"),
        ],
    }
    drawn = chain_map(chain)
    assert drawn["height"] == 2 * ROW
    assert [each["id"] for each in drawn["segments"]] == ["x.a", "x.b", "x.c", "x.d"]
    assert drawn["lines"] == [
        "M270 50C330 50 670 50 730 50",  # from the left column to the right one
        "M270 150C330 150 330 50 270 50",  # within the left column, by the space beside it
        "M730 150C670 150 670 50 730 50",  # within the right column, on its other side
    ]
    assert drawn["ends"] == ["M270 50h0", "M730 50h0"]


def test_who_is_here_stands_beside_the_gaps_next_to_it(
    client: FlaskClient,  # noqa: F811
    scorer: Scorer,  # noqa: F811
) -> None:
    log_in(client)
    city = scorer.city
    answer = client.get("/api/v1/gaps/here?lang=en").get_json()
    assert [each["name"] for each in answer["anchors"]] == [
        anchor.label.en for anchor in city.anchors if anchor.segments
    ]
    told = 0
    for each in answer["anchors"]:
        own = {segment["id"] for segment in each["segments"]}
        for missing in each["could_supply"]:
            assert own & set(city.segments[missing["id"]].feeds)
            assert missing["id"] not in own
            assert city.gap(missing["id"]) >= SIZEABLE_GAP
            told += 1
    assert told
    html = client.get("/chains/here", headers=HTML | {"Accept-Language": "en"}).text
    for anchor in city.anchors:
        if anchor.segments:
            assert anchor.label.en in html
    assert "No firm of the lists is here yet" in html
