"""What the environment decides, and what is said where it can't be understood."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from leadscore.cli import cli
from leadscore.errors import SettingsError
from leadscore.settings import (
    FILE_NAME,
    Settings,
    allowed,
    load_settings,
    spoken_language,
    unknown_variables,
)
from leadscore.text import Lang


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
    assert detail.wanted == allowed()[name.lower()]


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSCORE_PORT", "many")
    monkeypatch.setenv("LEADSCORE_THREADS", "none")
    with pytest.raises(SettingsError, match="2 settings are wrong"):
        load_settings()


def test_every_setting_has_words_in_both_languages() -> None:
    assert set(allowed()) == set(Settings.model_fields)
    assert all(words.zh and words.en for words in allowed().values())


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
        'port = 8080\nthreads = 7\nlang = "zh"\nkey_file = "secret"\ncity = "/elsewhere/c.toml"\n'
        'proxy_addresses = ["10.0.0.0/24", "::1"]\nproxy_user_header = "X-Forwarded-User"\n'
        'proxy_groups_header = "X-Forwarded-Groups"\n'
        '[proxy_roles]\nbosses = "administrator"\n"team=leads" = "officer"\n'
    )
    monkeypatch.setenv("LEADSCORE_THREADS", "2")
    monkeypatch.setenv("LEADSCORE_PORT", "")
    settings = load_settings()
    assert (settings.port, settings.threads, settings.lang) == (8080, 2, "zh")
    assert settings.key_file == file.parent / "secret"
    assert settings.city == Path("/elsewhere/c.toml")
    assert [str(network) for network in settings.proxy_addresses] == ["10.0.0.0/24", "::1/128"]
    assert list(settings.proxy_roles.items()) == [
        ("bosses", "administrator"), ("team=leads", "officer"),
    ]  # fmt: skip
    monkeypatch.setenv("LEADSCORE_PROXY_ROLES", "a=viewer; team=leads=officer;")
    monkeypatch.setenv("LEADSCORE_PROXY_ADDRESSES", "127.0.0.1,10.1.0.0/16 ::1")
    settings = load_settings()
    assert settings.proxy_roles == {"a": "viewer", "team=leads": "officer"}
    assert [str(network) for network in settings.proxy_addresses] == [
        "127.0.0.1/32", "10.1.0.0/16", "::1/128",
    ]  # fmt: skip


def test_another_file_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LEADSCORE_HOME", raising=False)
    other = tmp_path / "other.toml"
    other.write_bytes('\ufeffhome = "~/leads"\nport = 9000\n'.encode())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LEADSCORE_SETTINGS", "~/other.toml")
    settings = load_settings()
    assert (settings.home, settings.port) == (tmp_path / "leads", 9000)
    other.unlink()
    with pytest.raises(SettingsError, match=r"other\.toml can't be opened: there is no such file"):
        load_settings()


@pytest.mark.parametrize(
    ("line", "name", "got"),
    [
        ("port = 70000", "port", "70000"),
        ("port = true", "port", "true"),
        ('settings = "x"', "settings", "…"),
        ('databse = "postgresql://u:geheim@h/d"', "databse", "…"),
        ('database = "mysql://u:geheim@h/d"', "database", "mysql://***@h/d"),
        ('oidc_client_id = "geheim"', "oidc_client_id", "…"),
        ('proxy_roles = {a = "boss"}', "proxy_roles", "{'a': 'boss'}"),
        ('proxy_roles = {"a,b" = "viewer"}', "proxy_roles", "{'a,b': 'viewer'}"),
        ('proxy_addresses = "proxy.example"', "proxy_addresses", "proxy.example"),
        ('proxy_addresses = "10.0.0.1/8"', "proxy_addresses", "10.0.0.1/8"),
        ('proxy_addresses = "0.0.0.0/0"', "proxy_addresses", "0.0.0.0/0"),
        ('proxy_addresses = "127.0.0.1, ::/0"', "proxy_addresses", "127.0.0.1, ::/0"),
        ("proxy_addresses = [1]", "proxy_addresses", "[1]"),
        ("proxy_addresses = 1", "proxy_addresses", "1"),
        ('proxy_user_header = "X_User"', "proxy_user_header", "X_User"),
        ('proxy_user_header = "User-Agent"', "proxy_user_header", "User-Agent"),
        ('proxy_user_header = "x-forwarded-for"', "proxy_user_header", "x-forwarded-for"),
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
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings()


USER, ADDRESSES = {"USER_HEADER": "X-User"}, {"ADDRESSES": "127.0.0.1"}
GROUPS, ROLES = {"GROUPS_HEADER": "X-Groups"}, {"ROLES": "a=viewer"}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (USER, "proxy_addresses"),
        (ADDRESSES | GROUPS | ROLES, "proxy_groups_header"),
        (USER | ADDRESSES | GROUPS, "proxy_groups_header"),
        (USER | ADDRESSES | ROLES, "proxy_roles"),
        (ROLES, "proxy_roles"),
        (USER | ADDRESSES | ROLES | {"GROUPS_HEADER": "x-user"}, "proxy_groups_header"),
    ],
)
def test_half_a_log_in_by_the_proxy_is_refused(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], where: str
) -> None:
    for name, value in said.items():
        monkeypatch.setenv(f"LEADSCORE_PROXY_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [detail.where for detail in caught.value.details] == [where]


def test_a_whole_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (USER | ADDRESSES | GROUPS | ROLES).items():
        monkeypatch.setenv(f"LEADSCORE_PROXY_{name}", value)
    assert load_settings().proxy_user_header == "X-User"


def test_what_openid_connect_was_set_up_by_is_refused_and_its_successor_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LEADSCORE_OIDC_ISSUER", "https://id.example")
    monkeypatch.setenv("LEADSCORE_OIDC_CLIENT_SECRET_FILE", "geheim")
    monkeypatch.setenv("LEADSCORE_OIDC_SCOPES", "")
    monkeypatch.setenv("LEADSCORE_PORT", "many")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert [detail.where for detail in caught.value.details] == [
        "LEADSCORE_OIDC_CLIENT_SECRET_FILE", "LEADSCORE_OIDC_ISSUER", "LEADSCORE_PORT",
    ]  # fmt: skip
    for lang in ("zh", "en"):
        assert "LEADSCORE_PROXY_USER_HEADER" in caught.value.render(lang)
        assert "geheim" not in caught.value.render(lang)


def test_a_variable_that_is_no_setting_is_named_with_the_one_that_may_be_meant() -> None:
    environment = {
        "LEADSCORE_PROXY_ADRESSES": "127.0.0.1", "leadscore_tread": "", "LEADSCORE_XYZ": "1",
        "LEADSCORE_PORT": "8000", "leadscore_host": "::1", "PATH": "/bin",
    }  # fmt: skip
    close, unlike = unknown_variables(environment)
    assert "LEADSCORE_PROXY_ADDRESSES?" in close.en
    assert "LEADSCORE_PROXY_ADRESSES" in close.zh
    assert (unlike.en, "LEADSCORE_XYZ" in unlike.zh) == (
        "there is no setting LEADSCORE_XYZ; it does nothing.", True,
    )  # fmt: skip


def test_every_command_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path))
    monkeypatch.setenv("LEADSCORE_TREADS", "8")
    result = CliRunner().invoke(cli, ["users", "list", "--lang", "en"])
    assert result.exit_code == 0
    assert "Did you mean LEADSCORE_THREADS?" in result.stderr
    assert "TREADS" not in result.stdout
