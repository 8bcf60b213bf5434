"""Reasons not to court a firm at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.city import City, load_city
from leadscore.ranking.vetoes import COURTED, GONE, WORDING, Exclusions, Vetoes


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


@pytest.mark.parametrize("stage", COURTED)
def test_a_firm_that_is_being_courted_is_vetoed(lakeport: City, stage: str) -> None:
    assert veto(lakeport, stage=stage) == "in_pursuit"


def test_a_lost_pursuit_may_be_taken_up_again(lakeport: City) -> None:
    assert veto(lakeport, stage="lost") is None


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
    assert set(WORDING) == {*GONE, "already_here", "in_pursuit", "excluded"}
    assert all(words.zh and words.en for words in WORDING.values())
