"""The commands for users, keys and the audit as they are typed, over one database."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import leadscore.cli.administration
import leadscore.cli.ranking  # noqa: F401 (both add their commands)
from leadscore.cli.group import cli

Command = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def leadscore_(home: Path) -> Command:
    def run(*arguments: str, lang: str = "en") -> Result:
        environment = {
            "LEADSCORE_HOME": str(home), "LEADSCORE_LANG": lang, "LEADSCORE_DATABASE": None,
        }  # fmt: skip
        return CliRunner().invoke(cli, arguments, env=environment)

    return run


def test_a_user_is_invited_listed_disabled_and_let_in_again(leadscore_: Command) -> None:
    assert "no users yet" in leadscore_("users", "list").stdout
    added = leadscore_("users", "add", "Li.Na", "--role", "officer")
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("/password#")
    assert "li.na" in added.stderr
    leadscore_("users", "add", "boss", "--role", "administrator", lang="zh")
    listed = leadscore_("users", "list").stdout.splitlines()
    assert [line.split()[:3] for line in listed] == [
        ["name", "role", "state"],
        ["boss", "administrator", "invited"],
        ["li.na", "officer", "invited"],
    ]
    assert "disabled" in leadscore_("users", "disable", "li.na").stdout
    assert "已停用" in leadscore_("users", "list", lang="zh").stdout
    again = leadscore_("users", "reset", "li.na")
    assert again.stdout.startswith("/password#")
    assert again.stdout != added.stdout
    assert "disabled" not in leadscore_("users", "list").stdout


def test_what_can_not_be_done_is_told_with_a_way_out(leadscore_: Command) -> None:
    leadscore_("users", "add", "li.na", "--role", "officer")
    for arguments in (
        ("users", "add", "li.na", "--role", "viewer"),
        ("users", "add", "a b", "--role", "viewer"),
        ("users", "add", "wang", "--role", "king"),
        ("users", "disable", "nobody"),
        ("users", "reset", "nobody"),
        ("keys", "revoke", "nothing"),
        ("audit", "prune", "--before", "2020-13-01"),
    ):
        done = leadscore_(*arguments)
        assert done.exit_code == 2, arguments
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_a_key_is_made_listed_and_revoked(leadscore_: Command) -> None:
    assert "no keys yet" in leadscore_("keys", "list").stdout
    made = leadscore_("keys", "add", "crm", "--role", "viewer", "--days", "30")
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    assert token.startswith("ls_")
    listed = leadscore_("keys", "list").stdout
    assert token not in listed
    assert token[:8] + "…" in listed
    assert "active" in listed
    assert "revoked" in leadscore_("keys", "revoke", "crm").stdout
    assert "revoked" in leadscore_("keys", "list").stdout
    assert leadscore_("keys", "add", "crm", "--role", "viewer").exit_code == 2


def test_every_command_that_changes_something_is_in_the_audit(
    leadscore_: Command, home: Path
) -> None:
    assert leadscore_("audit", "verify").stdout == "OK: the audit is empty.\n"
    leadscore_("users", "add", "li.na", "--role", "officer")
    leadscore_("users", "reset", "li.na")
    leadscore_("users", "disable", "li.na")
    leadscore_("keys", "add", "crm", "--role", "viewer")
    leadscore_("keys", "revoke", "crm")
    leadscore_("audit", "prune", "--before", "2020-01-01")
    done = leadscore_("audit", "verify")
    assert done.exit_code == 0
    assert done.stdout.startswith("OK: 6 records, from 20")
    with sqlite3.connect(home / "leadscore.sqlite3") as connection:
        query = "SELECT actor, action, object_id FROM audit ORDER BY sequence"
        rows = connection.execute(query).fetchall()
    connection.close()
    assert rows == [
        ("cli", "user.add", "li.na"), ("cli", "user.link", "li.na"),
        ("cli", "user.change", "li.na"), ("cli", "key.add", "crm"),
        ("cli", "key.revoke", "crm"), ("cli", "audit.prune", None),
    ]  # fmt: skip
    assert (home / "keys" / "audit.key").stat().st_mode & 0o777 == 0o600


def test_a_changed_audit_is_told_with_the_place(leadscore_: Command, home: Path) -> None:
    for name in ("a1", "a2", "a3"):
        leadscore_("users", "add", name, "--role", "officer")
    with sqlite3.connect(home / "leadscore.sqlite3") as connection:
        connection.execute("DROP TRIGGER audit_refuses_update")
        connection.execute("UPDATE audit SET actor = 'wang' WHERE sequence = 2")
    connection.close()
    done = leadscore_("audit", "verify")
    assert done.exit_code == 2
    assert "record 2 was edited" in done.stderr
    assert "1 records before" in done.stderr
    assert leadscore_("audit", "verify", lang="zh").stderr.startswith("审计记录不完整：第 2 条")


def test_young_records_are_not_pruned(leadscore_: Command) -> None:
    from datetime import date

    leadscore_("users", "add", "a1", "--role", "officer")
    done = leadscore_("audit", "prune", "--before", date.today().isoformat())
    assert done.exit_code == 2
    assert "200 days" in done.stderr


def test_the_firms_that_a_ranking_keeps_are_in_the_audit(
    leadscore_: Command, home: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "名单.csv"
    listed.write_text("企业名称,主营业务\n甲有限公司,叶片\n乙有限公司,面包\n", encoding="utf-8")
    assert leadscore_("rank", str(listed), "--no-keep").exit_code == 0
    assert not (home / "leadscore.sqlite3").exists()
    assert leadscore_("rank", str(listed)).exit_code == 0
    with contextlib.closing(sqlite3.connect(home / "leadscore.sqlite3")) as connection:
        rows = connection.execute("SELECT actor, action, object_id, details FROM audit").fetchall()
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (2,)
    ((actor, action, file, details),) = rows
    assert (actor, action, file) == ("cli", "ranking.keep", "名单.csv")
    assert json.loads(details)["firms"] == 2
    assert leadscore_("audit", "verify").exit_code == 0


def test_what_the_audit_can_not_take_is_not_kept(
    leadscore_: Command, home: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "a.csv"
    listed.write_text("企业名称,主营业务\n甲有限公司,叶片\n", encoding="utf-8")
    leadscore_("users", "list")
    leadscore_("rank", str(listed))
    (home / "keys" / "audit.key").unlink()
    listed.write_text("企业名称,主营业务\n乙有限公司,面包\n", encoding="utf-8")
    done = leadscore_("rank", str(listed))
    assert done.exit_code == 0
    assert "audit.key" in done.stderr
    with contextlib.closing(sqlite3.connect(home / "leadscore.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (1,)
