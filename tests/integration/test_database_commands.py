"""The database is made, copied and put back by the command line, wherever it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from tests.commands import Done, called, typed


def english(*arguments: object, home: Path, **environment: str) -> Done:
    return called(*arguments, home=home, LEADSCORE_LANG="en", **environment)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "progress.csv"
    path.write_text("企业名称,阶段,日期\n甲光电有限公司,对接,2023-02-01\n", encoding="utf-8")
    return path


def test_upgrade_backup_and_restore(tmp_path: Path, listed: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "backup"
    assert "was upgraded" in typed("db", "upgrade", home=home, LEADSCORE_LANG="en").stdout
    assert "up to date" in english("db", "upgrade", home=home).stdout
    assert "1 new" in english("outcomes", "import", listed, home=home).stdout
    assert "backed up" in english("db", "backup", file, home=home).stdout
    again = typed("db", "backup", file, home=home, LEADSCORE_LANG="en")
    assert (again.returncode, again.stdout) == (2, "")
    assert "was not overwritten" in again.stderr
    refused = english("db", "restore", file, home=home)
    assert refused.returncode == 2
    assert "--replace" in refused.stderr
    assert typed("db", "restore", file, "--replace", home=home).returncode == 0
    other = tmp_path / "other"
    shutil.copytree(home / "keys", other / "keys")
    assert "restored" in english("db", "restore", file, home=other).stdout
    assert "1 already known" in english("outcomes", "import", listed, home=other).stdout


def test_outcomes_go_into_postgresql_by_its_address(
    tmp_path: Path, listed: Path, postgresql_url: URL
) -> None:
    engine = create_engine(postgresql_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE by_command"))
    url = postgresql_url.set(drivername="postgresql", database="by_command")
    address = url.render_as_string(hide_password=False)
    done = english("outcomes", "import", listed, home=tmp_path, LEADSCORE_DATABASE=address)
    assert "1 new" in done.stdout, done.stderr
    assert not (tmp_path / "leadscore.sqlite3").exists()
    told = english("db", "upgrade", home=tmp_path, LEADSCORE_DATABASE=address).stdout
    assert "by_command is up to date" in told
    assert str(url.password) not in told
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE by_command WITH (FORCE)"))
    engine.dispose()


@pytest.mark.parametrize(
    "address", ["mysql://u:geheim@host/db", "sqlite:///file:x?uri=true", "sqlite://", "://a@b@c"]
)
def test_an_address_that_is_none_is_told_without_its_password(tmp_path: Path, address: str) -> None:
    done = english("db", "upgrade", home=tmp_path, LEADSCORE_DATABASE=address)
    assert done.returncode == 2
    assert "LEADSCORE_DATABASE" in done.stderr
    assert "geheim" not in done.stderr
