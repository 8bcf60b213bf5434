"""A home is its owner's alone, and what killed runs leave there goes at a later start."""

from __future__ import annotations

import logging
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leadscore.settings import Settings
from leadscore.startup import enter_home, open_database, open_scorer, tell_open_folders
from leadscore.store.audit import AuditTrail, Record
from leadscore.store.backups import back_up

LAKEPORT = Path(__file__).parents[1] / "cities" / "lakeport.toml"
DAY_SECONDS = 24 * 60 * 60


def settings(home: Path) -> Settings:
    return Settings(home=home, city=LAKEPORT)


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_the_folders_of_a_home_are_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "above" / "home"
    open_scorer(settings(home))
    database = open_database(settings(home))
    trail = AuditTrail(home / "keys" / "audit.key")
    with database.write() as connection:
        trail.append(
            connection,
            Record("cli", "administrator", "user.add"),
            datetime(2026, 11, 24, tzinfo=UTC),
        )
    database.close()
    assert {path.name for path in home.iterdir() if path.is_dir()} == {"keys", "models"}
    folders = [home.parent, home, *(path for path in home.iterdir() if path.is_dir())]
    assert {path: mode(path) for path in folders} == dict.fromkeys(folders, "0o700")


def test_a_home_for_a_database_elsewhere_is_its_owners_alone(tmp_path: Path) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'other' / 'kept.sqlite3'}"
    home = tmp_path / "home"
    own = Settings(home=home, city=LAKEPORT, database=elsewhere)
    open_database(own).close()
    assert not home.exists()
    open_scorer(own)
    assert [mode(path) for path in (home, home / "keys", tmp_path / "other")] == ["0o700"] * 3


def test_folders_that_are_open_to_others_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    for path in (home, home / "models", home / "keys", home / "workers"):
        path.mkdir()
    (home / "keys").chmod(0o700)
    tell_open_folders(home)
    assert [record.message for record in caplog.records] == [
        "folders of the home that others may enter: ., models, workers; chmod 700 them"
    ]
    assert mode(home) == "0o755", "whoever opened it may have a reason"
    caplog.clear()
    home.chmod(0o700)
    tell_open_folders(home)
    tell_open_folders(tmp_path / "none")
    assert not caplog.records


KILLED = """
import os, signal, sys
from pathlib import Path
from leadscore import files
from leadscore.lists.writing import replacing

def die(*_arguments):
    os.kill(os.getpid(), signal.SIGKILL)

home = Path(sys.argv[1])
os.fsync = die
if sys.argv[2] == "model":
    files.place_folder(home / "models" / "lakeport-1", {"artefact": b"x", "manifest": b"y"})
elif sys.argv[2] == "key":
    files.place_secret(home / "keys" / "models.key", b"x")
elif sys.argv[2] == "backup":
    from leadscore.store.backups import back_up
    from leadscore.store.database import Database
    database = Database(home / "leadscore.sqlite3")
    back_up(database, home / "models", home / "backups" / "mine.backup")
else:
    with replacing(home / "exports" / "ranking.xlsx") as file:
        file.write(b"x")
"""


def test_what_killed_runs_have_left_goes_once_it_is_nobodys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    open_database(settings(home)).close()
    for name in ("exports", "backups"):
        (home / name).mkdir()
    before = set(home.rglob("*"))
    for what in ("model", "key", "backup", "export"):
        died = subprocess.run([sys.executable, "-c", KILLED, str(home), what], check=False)
        assert died.returncode == -signal.SIGKILL, what
    left = [path for path in home.glob("*/*") if path not in before]
    assert {path.parent.name for path in left} == {"models", "keys", "backups", "exports"}
    mine = home / "my notes.part"
    mine.write_text("kept by a user")
    (home / "models" / "real").mkdir()
    for path in (mine, home / "models" / "real", home / "leadscore.sqlite3"):
        age(path, 9 * DAY_SECONDS)

    enter_home(home)
    assert all(path.exists() for path in left), "somebody may still be writing them"

    slow, *dead = left
    for path in dead:
        age(path, DAY_SECONDS + 60)
    caplog.set_level(logging.INFO, "leadscore")
    open_database(settings(home)).close()
    assert not any(path.exists() for path in dead)
    assert slow.exists()
    assert f"{len(dead)} leftovers of killed runs removed" in caplog.messages
    age(slow, DAY_SECONDS + 60)
    elsewhere = f"sqlite:///{tmp_path / 'kept.sqlite3'}"
    open_database(Settings(home=home, city=LAKEPORT, database=elsewhere)).close()
    assert not slow.exists()
    assert mine.exists()
    assert (home / "models" / "real").exists()


def test_a_link_among_the_leftovers_leads_nowhere(tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (home / "models").mkdir(parents=True)
    link = home / "models" / ".v.0123456789ab.part"
    link.symlink_to(outside)
    past = time.time() - 2 * DAY_SECONDS
    os.utime(link, (past, past), follow_symlinks=False)
    enter_home(home)
    assert not os.path.lexists(link)
    assert (outside / "precious").exists()


def age(path: Path, seconds: float) -> None:
    past = time.time() - seconds
    for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
        os.utime(each, (past, past))


def test_a_backup_leaves_no_part(tmp_path: Path) -> None:
    database = open_database(settings(tmp_path / "home"))
    back_up(database, tmp_path / "home" / "models", tmp_path / "mine.backup")
    database.close()
    assert {path.name for path in tmp_path.iterdir()} == {"home", "mine.backup"}
