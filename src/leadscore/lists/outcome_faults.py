"""Why an entry of a sheet of outcomes could not be taken as it stands, in both languages."""

from __future__ import annotations

from leadscore.language import Text
from leadscore.lists.values.vocabularies import STAGES


def _wanted(zh: str, en: str) -> Text:
    return Text(zh=f"{zh}；此条未导入", en=f"{en}; the entry was not imported")


WANTED = {
    "no_firm": _wanted(
        "企业名称，或校验位正确的统一社会信用代码",
        "the name of a firm, or a credit code whose check digit holds",
    ),
    "bad_stage": _wanted(
        "已到达的阶段：" + "、".join(text.zh for text in STAGES.values()),
        "a stage that is reached: " + ", ".join(STAGES),
    ),
    "no_day": _wanted(
        "到达该阶段的日期，如 2024-03-15",
        "the day on which the stage was reached, such as 2024-03-15",
    ),
    "bad_date": _wanted(
        "存在的日期，年在前，如 2024-03-15、2024年3月、20240315",
        "a day that exists, year first, such as 2024-03-15, 2024年3月 or 20240315",
    ),
    "future_date": _wanted("不晚于今天的日期", "a day not later than today"),
    "bad_withdrawal": _wanted("是或否（是否撤销）", "yes or no (whether the entry is withdrawn)"),
    "no_stage": _wanted("至少一个阶段及其日期", "at least one stage with its day"),
}
"""What is wanted of an entry, by the code of the problem."""

OTHER_STAGE = Text(
    zh="与“{header}”相同的阶段；两列不一致，采用“{header}”",
    en="the same stage as in “{header}”; the two differ, and “{header}” is used",
)
NOT_A_STAGE = Text(
    zh="“{header}”按企业的成立日期理解，没有当作阶段；若指项目公司在本地注册，请改名为“落户日期”",
    en="“{header}” is taken for the day on which the firm was founded, not for a stage; if the "
    "project's company here is meant, head the column “registered here on”",
)
