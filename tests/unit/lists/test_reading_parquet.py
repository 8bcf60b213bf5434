from __future__ import annotations

import datetime as dt
import io
import json

import pyarrow as pa
import pytest
from tests import bad_files as bad

from leadscore.lists.reading import parquet_child as child

pytestmark = pytest.mark.measured

LIMITS = (10_000, 100_000, 1_000_000)


def printed(path, capsysbinary, limits=LIMITS) -> tuple[dict, list[list[str | None]]]:
    child.print_table(str(path), limits, 10_000, 1_000_000)
    out = io.BytesIO(capsysbinary.readouterr().out)
    said = json.loads(out.readline())
    if "error" in said:
        assert out.read() == b""
        return said, []
    with pa.ipc.open_stream(out) as stream:
        table = stream.read_all()
    said |= json.loads(out.readline())
    assert out.read() == b""
    return said, [column.to_pylist() for column in table.columns]


def text_of(values, capsysbinary, tmp_path) -> tuple[list, list]:
    path = bad.parquet(tmp_path, pa.table({"name": values}))
    said, columns = printed(path, capsysbinary)
    return columns[0], said["issues"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array(["甲", "", None, "NA"]), ["甲", "", None, "NA"]),
        (pa.array(["甲", None]).dictionary_encode(), ["甲", None]),
        (pa.array([2**63 - 1, -1], pa.int64()), ["9223372036854775807", "-1"]),
        (pa.array([3.0, 0.1, 1e15, float("inf")]), ["3", "0.1", "1000000000000000", "inf"]),
        (pa.array([0.1, 3.0], pa.float32()), ["0.1", "3"]),
        (pa.array([0.5, 2.0], pa.float16()), ["0.5", "2"]),
        (pa.array([True, False, None]), ["是", "否", None]),
        (pa.array([0, 86_400_000], pa.date64()), ["1970-01-01", "1970-01-02"]),
        (
            pa.array([dt.datetime(2016, 11, 30), dt.datetime(2016, 11, 30, 8, 30, 1, 999_999)]),
            ["2016-11-30", "2016-11-30 08:30:01"],
        ),
        (pa.array([30_600], pa.time32("s")), ["08:30:00"]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array(["甲".encode(), None], pa.binary()), ["甲", None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_each_type_has_its_text(values, texts, capsysbinary, tmp_path):
    assert text_of(values, capsysbinary, tmp_path) == (texts, [])


@pytest.mark.parametrize(
    "values",
    [
        pa.array([["甲"], []]),
        pa.array([{"a": 1}, None]),
        pa.array([b"\xff\xfe", None], pa.binary()),
        pa.array([dt.timedelta(1), None]),
    ],
    ids=lambda value: str(value.type),
)
def test_a_type_without_text_is_missing_and_told_once(values, capsysbinary, tmp_path):
    texts, issues = text_of(values, capsysbinary, tmp_path)

    assert texts == [None, None]
    ((row, at, code, found),) = issues
    assert (row, at, code) == (0, 0, "unread_type")
    assert found[:4] == str(values.type)[:4]


def test_a_whole_float_beyond_its_precision_is_missing_and_told(capsysbinary, tmp_path):
    values = pa.array([1.0] * 600 + [2.0**53, 2.0**53 - 1])
    texts, issues = text_of(values, capsysbinary, tmp_path)

    assert texts[-2:] == [None, "9007199254740991"]
    assert issues == [[601, 0, "damaged_number", "9007199254740992"]]


@pytest.mark.parametrize(
    ("limits", "found"),
    [((1, 100, 10_000), "2 x 2"), ((10, 3, 10_000), "2 x 2"), ((10, 100, 10), " B")],
)
def test_what_the_footer_declares_too_large_is_not_read(limits, found, capsysbinary, tmp_path):
    said, _ = printed(bad.parquet(tmp_path, bad.sound_table()), capsysbinary, limits)

    assert said["error"] == "too_large"
    assert found in said["found"]


def test_text_that_outgrows_its_footer_is_not_printed(capsysbinary, tmp_path):
    path = bad.parquet(
        tmp_path, pa.table({"name": pa.array(["x" * 10_000] * 200).dictionary_encode()})
    )
    said, _ = printed(path, capsysbinary)

    assert said == {"error": "too_large", "found": "> 1,000,000 B"}


def test_a_damaged_file_is_told(capsysbinary, tmp_path):
    said, _ = printed(bad.cut_footer(tmp_path), capsysbinary)

    assert said["error"] == "damaged"
