"""Why a cell could not be taken as it stands, and what is wanted of it, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leadscore.language import Text
from leadscore.lists.values import vocabularies

Mask = NDArray[np.bool_]

_MISSING = Text(zh="；按缺失处理", en="; it counts as missing")


def _wanted(zh: str, en: str) -> Text:
    return Text(zh=zh + _MISSING.zh, en=en + _MISSING.en)


WANTED: dict[str, Text] = {
    "cell_error": _wanted(
        "值，而不是电子表格的出错标记", "a value, not an error of the spreadsheet"
    ),
    "bad_amount": _wanted(
        "不小于零的金额，如 1,234.5、500万元、1.2亿、100万美元",
        "an amount of money, not below zero, such as 1,234.5, 500万元, 1.2亿 or 100万美元",
    ),
    "bad_date": _wanted(
        "存在的日期，年在前，如 2016-11-30、2016年11月、20161130",
        "a day that exists, year first, such as 2016-11-30, 2016年11月 or 20161130",
    ),
    "future_date": _wanted("不晚于今天的日期", "a day not later than today"),
    "bad_count": _wanted(
        "不小于零的数，或区间如 100-499人、小于50人",
        "a number not below zero, or a band such as 100-499人 or 小于50人",
    ),
    "bad_share": _wanted("比例，如 12% 或 0.12", "a share such as 12% or 0.12"),
    "bad_year": _wanted(
        "不晚于今年的年份，如 2023", "a year not later than this one, such as 2023"
    ),
    "bad_status": _wanted(
        "登记状态：" + "、".join(text.zh for text in vocabularies.STATUSES.values()),
        "a registration status: " + ", ".join(vocabularies.STATUSES),
    ),
    "bad_stage": _wanted(
        "已到达的阶段：" + "、".join(text.zh for text in vocabularies.STAGES.values()),
        "a stage that is reached: " + ", ".join(vocabularies.STAGES),
    ),
    "bad_currency": Text(
        zh="币种，如人民币、美元、港元；按人民币计",
        en="a currency such as 人民币, USD or HKD; the amount is taken as yuan",
    ),
    "bad_credit_code": _wanted(
        "校验位正确的 18 位统一社会信用代码",
        "an 18-character unified social credit code whose check digit holds",
    ),
    "old_registration_number": Text(
        zh="18 位统一社会信用代码；15 位的是旧注册号，已移入注册号",
        en="an 18-character credit code; 15 digits are an old registration number, moved there",
    ),
    "damaged_number": _wanted(
        "完整的号码；电子表格把它存成数字而丢失了末几位，请按文本格式重新导出",
        "the whole number; a spreadsheet stored it as a number and lost its last digits: export it"
        " again as text",
    ),
    "bad_division": _wanted(
        "GB/T 2260 的省级或市级代码", "the code of a province or city (GB/T 2260)"
    ),
}  # fmt: skip
"""What is wanted of a cell, by the code of the problem."""

SIGNED_AMOUNT = _wanted(
    "金额，如 -1,234.5、500万元、1.2亿、100万美元",
    "an amount of money such as -1,234.5, 500万元, 1.2亿 or 100万美元",
)


@dataclass(frozen=True, eq=False)
class Fault:
    """Cells of one column that share one thing that is wrong with them.

    Attributes
    ----------
    where
        Mask over the rows.
    code
        Code of the problem.
    wanted
        What is allowed in the cells.
    """

    where: Mask
    code: str
    wanted: Text
