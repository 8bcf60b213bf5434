"""Firms are kept as they were known, once, and nobody changes them afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from leadscore.lists.cleaning import clean
from leadscore.lists.columns import BY_HAND, CANONICAL, blank_firms
from leadscore.lists.reading import from_records
from leadscore.store.database import Database
from leadscore.store.firms import field_records
from leadscore.store.snapshots import (
    SqlSnapshots,
    keep_records,
    read_snapshots,
    snapshot_fields,
    snapshots,
)

NOW = datetime(2025, 1, 1, 8, 30, tzinfo=UTC)
DAY = date(2024, 6, 1)
COLUMNS = [each.name for each in CANONICAL]


def firms(*names: str, **columns: object) -> pd.DataFrame:
    return clean(from_records([{"name": name, **columns} for name in names]), today=DAY).firms


def keep(database: Database, listed: pd.DataFrame, *, day: date = DAY, model: str = "m1") -> None:
    SqlSnapshots(database).keep(listed, as_of=day, model=model, source="名单.csv", now=NOW)


def kept(database: Database) -> pd.DataFrame:
    with database.read() as connection:
        return read_snapshots(connection)


def test_firms_come_back_with_every_field_and_when_they_were_known(database: Database) -> None:
    listed = firms("甲公司", "乙公司", 注册资本="500万元", 成立日期="2016年11月", 省份="江西")
    keep(database, listed)
    found = kept(database)
    assert found.columns.tolist() == [*COLUMNS, *BY_HAND, "as_of", "kept", "model", "source"]
    pd.testing.assert_frame_equal(found[COLUMNS], listed[COLUMNS])
    assert found["as_of"].eq(pd.Timestamp(DAY)).all()
    assert found["kept"].eq(pd.Timestamp(NOW)).all()
    assert found[["model", "source"]].drop_duplicates().to_numpy().tolist() == [["m1", "名单.csv"]]


def test_the_same_content_again_keeps_nothing_new(database: Database) -> None:
    listed = firms("甲公司", "乙公司")
    keep(database, listed)
    keep(database, listed)
    assert len(kept(database)) == 2
    keep(database, listed, day=date(2024, 7, 1))
    keep(database, listed, model="m2")
    assert len(kept(database)) == 6
    keep(database, firms("甲公司", "丙公司"))
    assert kept(database)["name"].tolist()[6:] == ["丙公司"]
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(snapshot_fields)) == 3


def test_each_firm_gets_the_number_of_its_snapshot_new_or_not(database: Database) -> None:
    first, second = (
        field_records(firms("甲公司", "乙公司")),
        field_records(firms("丙公司", "甲公司")),
    )
    ids = []
    for records in (first, second, [*second, *second]):
        with database.write() as connection:
            ids.append(
                keep_records(
                    connection, records, as_of=DAY, model="m1", source="x", now=NOW,
                    firm_ids=range(len(records)),
                )
            )  # fmt: skip
    assert ids[1][1] == ids[0][0]
    assert ids[2] == ids[1] * 2
    with database.read() as connection:
        found = connection.execute(select(snapshots.c.id, snapshots.c.firm_id)).all()
    assert {tuple(row) for row in found} == {(ids[0][0], 0), (ids[0][1], 1), (ids[1][0], 0)}


def test_nothing_kept_is_an_empty_table_of_the_same_types(database: Database) -> None:
    store = SqlSnapshots(database)
    assert store.is_empty()
    none = kept(database)
    keep(database, firms("甲公司"))
    assert none.dtypes.to_dict() == kept(database).dtypes.to_dict()
    assert not store.is_empty()
    keep(database, firms("甲公司").iloc[:0])
    assert len(kept(database)) == 1


def test_fields_that_only_another_version_knew_do_no_harm(database: Database) -> None:
    keep(database, firms("甲公司"))
    with database.write() as connection:
        records = [("d" * 64, {"name": "乙公司", "shoe_size": 43, "tags": ["a"]})]
        keep_records(connection, records, as_of=DAY, model="m1", source="x", now=NOW)
    found = kept(database)
    assert found["name"].tolist() == ["甲公司", "乙公司"]
    assert found[COLUMNS].dtypes.to_dict() == blank_firms(0).dtypes.to_dict()


def test_people_are_not_kept(database: Database) -> None:
    keep(database, firms("甲公司", 联系人="张三", 电话="13812345678", 备注="找张三13812345678"))
    assert "138" not in kept(database).to_string()


@pytest.mark.parametrize("table", ["snapshots", "snapshot_fields"])
def test_the_database_refuses_to_change_them(database: Database, table: str) -> None:
    keep(database, firms("甲公司"))
    for deed in (f"DELETE FROM {table}", f"UPDATE {table} SET digest = digest"):  # noqa: S608
        with pytest.raises(IntegrityError, match="only ever added"), database.write() as connection:
            connection.execute(text(deed))


_VALUES = {
    "str": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    "float64": st.floats(allow_nan=False, allow_infinity=False),
    "datetime64[us]": st.dates(date(1, 1, 1), date(9999, 12, 31)),
}


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_comes_back_as_it_was(database: Database, data: st.DataObject) -> None:
    """Each example is told apart by its model; names are needed to see text at all."""
    listed, model = blank_firms(3), str(np.random.default_rng().integers(1 << 60))
    for each in data.draw(st.lists(st.sampled_from(CANONICAL), min_size=1, unique=True)):
        values = data.draw(st.lists(st.none() | _VALUES[each.dtype], min_size=3, max_size=3))
        listed[each.name] = pd.Series(values, dtype=each.dtype)
    listed["name"] = ["甲", "乙", "丙"]
    listed = listed.astype(blank_firms(0).dtypes.to_dict())
    keep(database, listed, model=model)
    found = kept(database)
    found = found[found["model"] == model][COLUMNS].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, listed, check_exact=True)
