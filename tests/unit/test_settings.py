"""What the environment decides, and what is said where it can't be understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadscore.errors import SettingsError
from leadscore.language import Lang
from leadscore.setting_words import ALLOWED
from leadscore.settings import FILE_NAME, Settings, load_settings, spoken_language


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
    with pytest.raises(SettingsError, match="2 settings are wrong"):
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


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where the file of settings lies in a home folder."""
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path))
    return tmp_path / FILE_NAME


def test_the_file_says_what_the_environment_leaves_open(
    monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    file.write_text(
        'port = 8080\nthreads = 7\nlang = "zh"\noidc_issuer = "https://id.example"\n'
        'oidc_client_id = "leads"\noidc_client_secret_file = "secret"\ncity = "/elsewhere/c.toml"\n'
        '[oidc_roles]\nbosses = "administrator"\n"CN=leads,OU=x" = "officer"\n'
    )
    monkeypatch.setenv("LEADSCORE_THREADS", "2")
    monkeypatch.setenv("LEADSCORE_PORT", "")
    settings = load_settings()
    assert (settings.port, settings.threads, settings.lang) == (8080, 2, "zh")
    assert settings.oidc_client_secret_file == file.parent / "secret"
    assert settings.city == Path("/elsewhere/c.toml")
    assert settings.oidc_roles == {"bosses": "administrator", "CN=leads,OU=x": "officer"}
    monkeypatch.setenv("LEADSCORE_OIDC_ROLES", "a=viewer; CN=leads,OU=x=officer;")
    assert load_settings().oidc_roles == {"a": "viewer", "CN=leads,OU=x": "officer"}


def test_another_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LEADSCORE_HOME", raising=False)
    other = tmp_path / "other.toml"
    other.write_bytes('\ufeffhome = "~/leads"\nport = 9000\n'.encode())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LEADSCORE_SETTINGS", "~/other.toml")
    settings = load_settings()
    assert (settings.home, settings.port) == (tmp_path / "leads", 9000)
    other.unlink()
    with pytest.raises(SettingsError, match=r"other\.toml can't be read"):
        load_settings()


@pytest.mark.parametrize(
    ("line", "name", "got"),
    [
        ("port = 70000", "port", "70000"),
        ("port = true", "port", "true"),
        ('settings = "x"', "settings", "…"),
        ('databse = "postgresql://u:geheim@h/d"', "databse", "…"),
        ('database = "mysql://u:geheim@h/d"', "database", "mysql://***@h/d"),
        ('oidc_scopes = "profile"', "oidc_scopes", "profile"),
        ('oidc_issuer = "http://id.example"', "oidc_issuer", "http://id.example"),
        ('oidc_roles = {a = "boss"}', "oidc_roles", "{'a': 'boss'}"),
        ("session_idle_minutes = 0", "session_idle_minutes", "0"),
        ("trusted_proxies = -1", "trusted_proxies", "-1"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(
    file: Path, line: str, name: str, got: str
) -> None:
    file.write_text(line)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    (detail,) = caught.value.details
    assert (detail.where, detail.got) == (f"{file}, {name}", got)
    assert "geheim" not in caught.value.render("en")


@pytest.mark.parametrize("content", [b"port", b"port = \xff", b"a." * 5000, b"[" * 5000])
def test_a_file_that_is_no_toml_is_told(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="can't be read"):
        load_settings()


@pytest.mark.parametrize("name", ["OIDC_ISSUER", "OIDC_CLIENT_ID"])
def test_a_provider_needs_both_its_address_and_our_name(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"LEADSCORE_{name}", "https://id.example")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "both or none" in caught.value.details[0].wanted.en
