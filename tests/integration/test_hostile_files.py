"""Files that mean no good, handed to a real service through the page: its memory stays bounded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import bad_files as bad
from tests.process_tree import Office, Watch, office

pytestmark = [
    pytest.mark.measured,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]

MOST = 1_100_000_000
"""Bytes that server, worker and all their children may hold together."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with office(tmp_path_factory.mktemp("home")) as running:
        yield running


def million_rows(folder: Path) -> Path:
    return bad.gzip_of_many_rows(folder, 1_000_000)


def million_rows_of_parquet(folder: Path) -> Path:
    return bad.parquet_of_many_rows(folder, 1_000_000)


@pytest.mark.parametrize(
    ("make", "sentence", "limit"),
    [
        (million_rows, "too large to be read at once; split it", "at most 200,000 rows"),
        (million_rows_of_parquet, "too large to be read at once; split it", "200,000 rows"),
        (bad.gzip_of_many_columns, "too large to be read at once; split it", "20,000,000 cells"),
        (bad.cell_in_a_column_that_no_sheet_has, "has a cell far away; delete", "beyond XFD"),
        (bad.dictionary_bomb, "", "at most"),
    ],
)
def test_a_preview_refuses_in_a_sentence_that_names_the_limit(
    make: Callable[[Path], Path], sentence: str, limit: str, service: Office, tmp_path: Path
) -> None:
    with Watch(service.process.pid) as watch:
        page = service.ask("GET", service.upload(make(tmp_path)).location)

    assert page.status == 200
    assert "This file can&#39;t be read as a list" in page.text
    assert sentence in page.text
    assert limit in page.text
    assert 0 < watch.peak < MOST


def test_a_list_that_is_handed_in_unseen_is_refused_by_its_job(
    service: Office, tmp_path: Path
) -> None:
    with Watch(service.process.pid) as watch:
        number = service.hand_in(million_rows(tmp_path))
        end = service.ended(number, 120)

    assert end["state"] == "failed"
    assert "too large to be read at once" in end["error"]["message"]
    assert watch.peak < MOST


def test_much_text_is_taken_in_within_the_memory(service: Office, tmp_path: Path) -> None:
    with Watch(service.process.pid) as watch:
        path = service.upload(bad.gzip_of_long_scopes(tmp_path)).location
        page = service.ask("GET", path)
        end = service.ended(service.confirm(path, page.text), 120)

    assert "Import all" in page.text
    assert end["state"] == "done"
    assert watch.peak < MOST


@pytest.mark.parametrize("path", ["/import", "/api/v1/lists"])
@pytest.mark.parametrize(("megabytes", "sends"), [(68, True), (140, False)])
def test_a_file_that_is_too_large_is_told_the_limit_and_the_way_out(
    path: str, megabytes: int, sends: bool, service: Office
) -> None:
    status, text = service.refused(path, megabytes * 1_000_000, sends=sends)

    assert status == 413
    assert "64 MB" in text
    assert ".csv.gz" in text
    assert "Parquet" in text
