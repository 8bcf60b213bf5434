"""How much is read of a file, and what reading it may take."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from tests import bad_files as bad

from leadscore.errors import ListError
from leadscore.lists.cleaning import clean
from leadscore.lists.reading import read_list
from leadscore.lists.reading.table import OWN_FILE, Sandbox

NAMES = [f"第{number}号科技有限公司" for number in range(2_000)]
HEAD = replace(OWN_FILE, head=500)


def csv_file(folder: Path) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(["name,note", *(f"{name},1" for name in NAMES), "", ","]))
    return path


def workbook(folder: Path) -> Path:
    return bad.workbook(folder, rows=[("名单",), ("name", "note"), *((name, 1) for name in NAMES)])


def parquet(folder: Path) -> Path:
    return bad.parquet(folder, pa.table({"name": NAMES}))


FILES = pytest.mark.parametrize("make", [csv_file, workbook, parquet])


@FILES
def test_of_a_long_list_the_first_rows_are_read_and_the_others_counted(make, tmp_path):
    path = make(tmp_path)
    whole, head = read_list(path), read_list(path, limits=HEAD)

    (table,), (first,) = whole.tables, head.tables
    assert whole.unread_rows == 0
    assert len(table.rows) == len(NAMES)
    assert len(first.rows) + head.unread_rows == len(NAMES)
    assert 490 < len(first.rows) < 1_100
    assert first.rows.tolist() == table.rows[: len(first.rows)].tolist()
    assert first.column(0) == NAMES[: len(first.rows)]


@FILES
def test_little_is_read_of_rows_with_much_text(make, tmp_path):
    head = read_list(make(tmp_path), limits=replace(OWN_FILE, head=1_999, head_bytes=1_000))

    assert 0 < len(head.tables[0].rows) <= 1_999
    assert len(head.tables[0].rows) + head.unread_rows == len(NAMES)


@FILES
@pytest.mark.parametrize("head", [None, 500])
def test_a_list_of_too_many_rows_is_refused_though_few_are_looked_at(make, head, tmp_path):
    path = make(tmp_path)

    assert read_list(path, limits=replace(OWN_FILE, rows=2_000, head=head)).tables
    with pytest.raises(ListError, match="too large to be read at once") as caught:
        read_list(path, limits=replace(OWN_FILE, rows=1_999, head=head))
    assert "1,999 rows" in caught.value.details[0].wanted.en


def test_the_sandbox_returns_what_a_function_returns_or_refuses(tmp_path):
    sandbox, path = Sandbox(OWN_FILE), csv_file(tmp_path)

    assert sandbox.call(sorted, [2, 1], source="list.csv") == [1, 2]
    assert sandbox.call(read_list, path, source="list.csv").tables[0].column(0) == NAMES
    path.write_text("")
    with pytest.raises(ListError, match="empty") as caught:
        sandbox.call(read_list, path, source="list.csv")
    assert caught.value.details[0].where == "list.csv"
    with pytest.raises(RuntimeError, match="TypeError"):
        sandbox.call(clean, source="list.csv")


def test_what_takes_too_much_memory_ends_in_the_sandbox():
    sandbox = Sandbox(replace(OWN_FILE, memory_bytes=256 << 20))

    assert len(sandbox.call(bytearray, 1 << 20, source="list.csv")) == 1 << 20
    with pytest.raises(ListError, match="takes too much memory") as caught:
        sandbox.call(bytearray, 512 << 20, source="list.csv")
    assert caught.value.details[0].got == "> 256 MB"


@pytest.mark.parametrize(("function", "argument"), [(time.sleep, 60), (sum, range(10**12))])
def test_what_takes_too_long_ends_in_the_sandbox(function, argument):
    sandbox = Sandbox(replace(OWN_FILE, seconds=0.5))

    with pytest.raises(ListError, match="takes too much time"):
        sandbox.call(function, argument, source="list.csv")


def test_what_was_started_in_the_sandbox_ends_with_it(tmp_path):
    note = tmp_path / "pid"
    code = f"import os, threading; open({str(note)!r}, 'w').write(str(os.getpid()))\n"
    code += "os.kill(os.getppid(), 9)\nthreading.Event().wait()"

    with pytest.raises(ListError, match="takes too much memory"):
        Sandbox(OWN_FILE).call(subprocess.run, [sys.executable, "-c", code], source="list.csv")
    status = Path(f"/proc/{note.read_text()}/stat")
    until = time.monotonic() + 10
    while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until
        threading.Event().wait(0.01)


def test_only_so_many_are_in_the_sandbox_at_once(tmp_path):
    sandbox, inside = Sandbox(OWN_FILE, at_once=1), str(tmp_path / "inside")
    code = f"import os; os.mkdir({inside!r}); os.rmdir({inside!r})"
    codes = list[int]()

    def call() -> None:
        done = sandbox.call(subprocess.run, [sys.executable, "-c", code], source="list.csv")
        codes.append(done.returncode)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0, 0]
