"""An office that kept a ledger and no lists: 40 made-up pursuits, known by a list of today only."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import openpyxl

PURSUITS, WON = 40, 12
ODD_WORD = "归零"
_MARKS = "安柏辰川达恩丰谷海嘉凯澜铭宁沛启融盛拓维"
_TRADES = ("光电", "电子", "精密", "新材")
_INDUSTRIES = (
    "计算机、通信和其他电子设备制造业", "专用设备制造业", "软件和信息技术服务业", "批发业"
)  # fmt: skip
_HOMES = (
    ("广东省", "深圳市"), ("江苏省", "苏州市"), ("浙江省", "杭州市"), ("湖北省", "武汉市")
)  # fmt: skip
_LOST_FOR = ("选择其他城市", "暂缓扩产", "土地价格", "联系中断")


def names() -> list[str]:
    """Return the names of the firms, each another."""
    pairs = [one + other for one in _MARKS for other in _MARKS if one != other]
    return [f"虚构{pairs[7 * at]}{_TRADES[at % 4]}有限公司" for at in range(PURSUITS)]


def write_ledger(path: Path, *, odd_word: bool = False) -> Path:
    """Write the ledger as offices lay it out: a title, one row a firm, a column for each stage.

    Every contact was in 2022 or 2023, every pursuit ended within a year. With an ``odd_word`` two
    losses stand in a second sheet instead, under a word that nobody knows.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "招商台账"
    sheet.append(["重点企业跟进台账（虚构企业，仅供测试）"])
    sheet.append(
        ["序号", "企业名称", "联系人", "对接日期", "考察日期", "签约日期", "流失日期", "流失原因"]
    )
    elsewhere = list[list[object]]()
    chance = random.Random(14)  # noqa: S311 (nothing secret)
    for at, name in enumerate(names()):
        met = date(2022, 1, 10) + timedelta(days=17 * at)
        visited, ended = met + timedelta(days=30), met + timedelta(days=chance.randint(90, 300))
        won = at % 10 in (2, 5, 8)
        row = [at + 1, name, "某某", met, visited, ended if won else None]
        row += [None, None] if won or (odd_word and at > 35) else [ended, _LOST_FOR[at % 4]]
        sheet.append(row)
        if odd_word and at > 35 and not won:
            elsewhere.append([name, ODD_WORD, ended, _LOST_FOR[at % 4]])
    if elsewhere:
        more = book.create_sheet("补充")
        for row in (["企业名称", "阶段", "日期", "原因"], *elsewhere):
            more.append(row)
    book.save(path)
    return path


def write_list(path: Path) -> Path:
    """Write the list in which the firms stand as they are known today."""
    lines = ["企业名称,成立日期,国标行业大类,省份,城市,注册资本（万元）,员工人数,主营业务"]
    for at, name in enumerate(names()):
        province, city = _HOMES[at % 4]
        founded = date(2001 + at % 18, 1 + at % 12, 3)
        lines.append(
            f"{name},{founded},{_INDUSTRIES[at % 4]},{province},{city},{500 + 100 * at},"
            f"{20 + 13 * at},印制电路板的研发、生产和销售"
        )
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path
