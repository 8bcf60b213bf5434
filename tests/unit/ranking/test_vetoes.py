"""Reasons not to court a firm at all."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from leadscore.city import City, load_city
from leadscore.lists.values.words import STAGES
from leadscore.ranking.vetoes import GONE, HERE, WORDING, Exclusions, Vetoes, veto_text


@pytest.fixture(scope="module")
def lakeport() -> City:
    return load_city(Path(__file__).parents[2] / "cities" / "lakeport.toml")


def veto(city: City, exclusions: Exclusions | None = None, **firm: str) -> str | None:
    return Vetoes(city).first({"name": "某某有限公司", **firm}, exclusions or Exclusions())


def test_an_ordinary_firm_has_no_veto(lakeport: City) -> None:
    assert veto(lakeport, status="active", stage="screened") is None


@pytest.mark.parametrize("status", GONE)
def test_a_firm_that_is_gone_is_vetoed(lakeport: City, status: str) -> None:
    assert veto(lakeport, status=status) == status


@pytest.mark.parametrize("stage", sorted(STAGES.keys() - {*HERE, "lost"}))
def test_a_stage_is_no_veto(lakeport: City, stage: str) -> None:
    assert veto(lakeport, stage=stage) is None


@pytest.mark.parametrize("stage", HERE)
def test_from_registration_on_a_firm_is_here(lakeport: City, stage: str) -> None:
    assert veto(lakeport, stage=stage) == "already_here"


def test_a_lost_firm_rests_unless_the_office_lets_none_rest(lakeport: City) -> None:
    assert veto(lakeport, stage="lost") == "resting"
    assert veto(lakeport, Exclusions(lost_rest=False), stage="lost") is None


def test_a_rest_says_its_end_and_its_reason() -> None:
    plain, until = veto_text("resting"), veto_text("resting", until=date(2027, 6, 1))
    why = veto_text("resting", until=date(2027, 6, 1), reason="地价" * 50)
    assert plain == WORDING["resting"]
    assert ("2027年6月1日" in until.zh, "1 Jun 2027" in until.en) == (True, True)
    assert until.zh in why.zh
    assert "地价地价" in why.en
    assert len(why.zh) < 100
    assert not veto_text(None).zh


def test_an_anchor_is_here_already_under_its_whole_name_only(lakeport: City) -> None:
    assert veto(lakeport, name="湖港康器医疗股份有限公司") == "already_here"
    assert veto(lakeport, name="湖港康器医疗股份有限公司上海分公司") is None


def test_a_name_that_a_firm_bore_before_counts_too(lakeport: City) -> None:
    former = "甲有限公司;湖港康器医疗股份有限公司"
    assert veto(lakeport, former_names=former) == "already_here"
    exclusions = Exclusions(names=frozenset({"甲有限公司"}))
    assert veto(lakeport, exclusions, former_names="甲有限责任公司") == "excluded"


def test_a_city_without_a_code_has_no_firm_at_home(lakeport: City) -> None:
    assert veto(lakeport, city_code="3601") is None


def test_the_exclusion_list_knows_a_firm_by_code_and_by_any_spelling_of_its_name(
    lakeport: City,
) -> None:
    exclusions = Exclusions(frozenset({"91360100MA35LGHK7K"}), frozenset({"甲上海有限公司"}))
    assert veto(lakeport, exclusions, name="甲(上海)有限责任公司") == "excluded"
    assert veto(lakeport, exclusions, credit_code="91360100MA35LGHK7K") == "excluded"
    assert veto(lakeport, exclusions, name="丙有限公司") is None


def test_every_veto_has_words() -> None:
    assert set(WORDING) == {*GONE, "already_here", "excluded", "resting"}
    assert all(words.zh and words.en for words in WORDING.values())
