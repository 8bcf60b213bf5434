"""What the environment decides, and what is said where it can't be understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.errors import SettingsError
from leadscore.language import Lang
from leadscore.settings import ALLOWED, Settings, load_settings, spoken_language


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LEADSCORE_{name.upper()}", raising=False)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = load_settings()
    for name in Settings.model_fields:
        monkeypatch.setenv(f"LEADSCORE_{name.upper()}", "")
    assert load_settings() == unset


def test_a_tilde_is_the_home_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LEADSCORE_HOME", "~/leads")
    monkeypatch.setenv("LEADSCORE_CITY", "~/city.toml")
    settings = load_settings()
    assert settings.models == tmp_path / "leads" / "models"
    assert settings.city == tmp_path / "city.toml"


@pytest.mark.parametrize(
    ("name", "value"),
    [("LANG", "fr"), ("PORT", "many"), ("PORT", "70000"), ("THREADS", "0"), ("HOME", "~nobody-/x")],
)
def test_a_wrong_setting_is_named_with_what_it_may_hold(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"LEADSCORE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    (detail,) = caught.value.details
    assert (detail.where, detail.got) == (f"LEADSCORE_{name}", value)
    assert detail.wanted == ALLOWED[name.lower()]


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_PORT", "many")
    monkeypatch.setenv("LEADSCORE_THREADS", "none")
    with pytest.raises(SettingsError, match="2 settings in the environment are wrong"):
        load_settings()


def test_every_setting_has_words_in_both_languages() -> None:
    assert set(ALLOWED) == set(Settings.model_fields)
    assert all(words.zh and words.en for words in ALLOWED.values())


@pytest.mark.parametrize(
    ("environment", "lang"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, "en"),
        ({"LANG": "en_US.UTF-8", "LEADSCORE_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LEADSCORE_LANG": "fr"}, "zh"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_the_language_is_that_of_the_terminal(environment: dict[str, str], lang: Lang) -> None:
    assert spoken_language(environment) == lang


@pytest.mark.parametrize(
    ("name", "lang"),
    [("Chinese (Simplified)_China", "zh"), ("zh_CN", "zh"), ("English_Canada", "en"), ("", "en")],
)
def test_where_the_environment_is_silent_the_system_is_asked(name: str, lang: Lang) -> None:
    assert spoken_language({}, system=lambda: name) == lang
