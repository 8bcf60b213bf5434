"""Firms that are not to be ranked are known by name, former name or credit code alone."""

from datetime import date
from pathlib import Path

import pytest

from leadscore.errors import ListError
from leadscore.ranking.vetoes import ExclusionList, load_exclusions

TODAY = date(2026, 11, 24)
ONE, OTHER = "91360727MA35LGHK7K", "91441900MA51XAPG4N"


def excluded(path: Path, text: str) -> ExclusionList:
    path.write_text(text, encoding="utf-8")
    return load_exclusions(path, today=TODAY)


def test_a_row_with_a_code_alone_is_kept(tmp_path) -> None:
    found = excluded(
        tmp_path / "out.csv",
        f"企业名称,统一社会信用代码,曾用名\n甲（深圳）有限责任公司,,乙公司；丙公司\n,{ONE},\n"
        f"丁公司,{OTHER.lower()},\n,123,\n",
    )
    assert found.credit_codes == {ONE, OTHER}
    assert found.names == {"甲深圳有限公司", "乙公司", "丙公司", "丁公司"}
    assert found.rows_in == 4
    assert [(each.row, each.code) for each in found.problems if each.set_aside] == [(5, "no_name")]
    assert "信用代码" in found.problems[-1].wanted.zh


def test_a_taxpayer_number_that_checks_serves_as_code(tmp_path) -> None:
    found = excluded(tmp_path / "out.csv", f"企业名称,纳税人识别号\n,{ONE}\n,{ONE}\n")
    assert found.credit_codes == {ONE}
    assert found.names == frozenset()
    assert found.problems == ()


def test_a_file_without_names_of_firms_is_refused(tmp_path) -> None:
    with pytest.raises(ListError):
        excluded(tmp_path / "out.csv", "天气,温度\n晴,20\n")
