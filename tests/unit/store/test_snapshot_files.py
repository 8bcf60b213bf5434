"""Firms are kept as they were known, once, and what is damaged is not learnt from."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from leadscore.language import Text
from leadscore.lists import CANONICAL, clean, from_records
from leadscore.store.faults import StoreError
from leadscore.store.snapshot_files import FileSnapshots

NOW = datetime(2025, 1, 1, 8, 30, tzinfo=UTC)
DAY = date(2024, 6, 1)


def firms(*names: str, **columns: object) -> pd.DataFrame:
    return clean(from_records([{"name": name, **columns} for name in names]), today=DAY).firms


class Kept:
    """A store with what it told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[Text] = []
        self.folder = folder
        self.store = FileSnapshots(folder, notify=self.told.append)

    def keep(self, listed: pd.DataFrame, *, day: date = DAY, model: str = "m1") -> str:
        return self.store.keep(listed, as_of=day, model=model, source="名单.csv", now=NOW)

    def files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "snapshots")


def test_firms_come_back_with_every_field_and_when_they_were_known(kept: Kept) -> None:
    listed = firms("甲公司", "乙公司", 注册资本="500万元", 成立日期="2016年11月", 省份="江西")
    kept.keep(listed)
    found = kept.store.snapshots()
    canonical = [each.name for each in CANONICAL]
    assert found.columns.tolist() == [*canonical, "as_of", "kept", "model", "source"]
    pd.testing.assert_frame_equal(found[canonical], listed[canonical])
    assert found["as_of"].eq(pd.Timestamp(DAY)).all()
    assert found["kept"].eq(pd.Timestamp(NOW)).all()
    assert found[["model", "source"]].drop_duplicates().to_numpy().tolist() == [["m1", "名单.csv"]]
    assert kept.told == []


def test_the_same_content_again_keeps_nothing_new(kept: Kept) -> None:
    listed = firms("甲公司")
    first = kept.keep(listed)
    assert kept.keep(listed) == first
    assert len(kept.store.snapshots()) == 1
    kept.keep(listed, day=date(2024, 7, 1))
    kept.keep(listed, model="m2")
    assert len(kept.store.snapshots()) == 3
    assert len(kept.files()) == 1
    kept.keep(firms("甲公司", "乙公司"))
    assert len(kept.files()) == 2


def test_a_file_bears_the_digest_of_its_content(kept: Kept) -> None:
    digest = kept.keep(firms("甲公司"))
    (path,) = kept.files()
    assert path.stem == digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("gone", [False, True])
def test_a_damaged_file_is_told_and_left_out(kept: Kept, *, gone: bool) -> None:
    digest = kept.keep(firms("甲公司"))
    kept.keep(firms("乙公司"))
    path = kept.folder / f"{digest}.parquet"
    if gone:
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert kept.store.snapshots()["name"].tolist() == ["乙公司"]
    assert digest in kept.told[0].zh


def test_nothing_kept_is_an_empty_table_of_the_same_types(kept: Kept) -> None:
    none = kept.store.snapshots()
    assert not kept.folder.exists()
    kept.keep(firms("甲公司"))
    assert none.dtypes.to_dict() == kept.store.snapshots().dtypes.to_dict()


def test_people_are_not_kept(kept: Kept) -> None:
    kept.keep(firms("甲公司", 联系人="张三", 电话="13812345678", 备注="找张三13812345678"))
    content = kept.store.snapshots().to_string()
    assert "138" not in content


def test_a_folder_that_can_t_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="LEADSCORE_HOME"):
        Kept(tmp_path / "snapshots").keep(firms("甲公司"))
