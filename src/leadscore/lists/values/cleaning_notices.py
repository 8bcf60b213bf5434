"""What the owner of a list is told about the list as a whole, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadscore.language import Text
from leadscore.lists.headers.layout import Layout, Source
from leadscore.lists.problems import shown
from leadscore.lists.values.amounts import Rates

LONGEST_DIVISION = 12
_LONGEST_HEADER = 30
_MOST_HEADERS = 30

CONFLICT = Text(
    zh="与“{header}”相同；两列不一致，采用“{header}”",
    en="the same as in “{header}”; the two differ, and “{header}” is used",
)
PLACE_NAME = Text(
    zh="企业名称，而不只是地名；按原样保留",
    en="the name of a firm, not of a place alone; it is kept as it is",
)
ODD_CITY = Text(
    zh="属于省份列所写省份的城市；以城市为准",
    en="a city in the province that the province column names; the city counts",
)
ODD_ADDRESS = Text(
    zh="与省份、城市列同省的地址；以省份、城市列为准",
    en="an address in the province of the province and city columns; these count",
)
BAD_PLACE = Text(
    zh="省或地级市的名称，如江西、南昌市；此格不用于判断所在地",
    en="the name of a province or city, such as 江西 or 南昌市; the cell does not place the firm",
)

_PERSONAL = Text(
    zh="含个人信息的列未读取：{headers}",
    en="columns with personal data were not read: {headers}",
)
_UNUSED = Text(
    zh="不认识的列未使用：{headers}",
    en="columns that are not known were not used: {headers}",
)
_PERCENT = Text(
    zh="“{header}”的数字没有百分号，多数大于 1，按百分数计",
    en="most numbers in “{header}” exceed 1 and carry no percent sign: they are read as percent",
)
_FRACTION = Text(
    zh="“{header}”的数字没有百分号，多数不大于 1，按小数计",
    en="most numbers in “{header}” are at most 1 and carry no percent sign: they are read as"
    " fractions",
)
_NEWEST = Text(
    zh="有几个年度的同一项数据，先取最近年度：{headers}",
    en="one figure is given for several years, the newest comes first: {headers}",
)
_RATES = Text(
    zh="外币金额按 {day} 的{source}折成人民币：{headers}",
    en="foreign money was converted at the {source} of {day}: {headers}",
)
_STARRED = Text(
    zh="“{header}”中 {count:,} 格的电话或邮箱已隐去",
    en="phone numbers or e-mail addresses in {count:,} cells of “{header}” were starred out",
)
_INVISIBLE = Text(
    zh="“{header}”中 {count:,} 格的不可见字符已去掉",
    en="invisible characters in {count:,} cells of “{header}” were taken out",
)
_STAGES = Text(
    zh="“{header}”多为招商阶段，按阶段计，而不是登记状态",
    en="“{header}” mostly holds stages of a pursuit and is read as such, not as the registration"
    " status",
)
_PERHAPS_WAN = Text(
    zh="“{header}”未写单位，按元计；中位数只有 {median:,} 元，疑为万元：若是，请把列名改为"
    "“{header}（万元）”，或在列名上方写“单位：万元”",
    en="“{header}” names no unit and is read in yuan; its median of {median:,} suggests 万元 (ten"
    " thousand yuan): if so, head the column “{header}（万元）” or write 单位：万元 above the"
    " headers",
)
_NO_CAPITAL = Text(
    zh="“{header}”中 {count:,} 格为 0，按缺失处理：分支机构没有自己的注册资本",
    en="0 in “{header}” ({count:,} cells) counts as missing: a branch has no capital of its own",
)


def read_as_stages(header: str) -> Text:
    """Return that a column of statuses was taken for one of stages."""
    return _STAGES.format(header=shown(header, _LONGEST_HEADER))


def perhaps_wan(header: str, median: float) -> Text:
    """Return that amounts without a unit look too small for yuan."""
    return _PERHAPS_WAN.format(header=shown(header, _LONGEST_HEADER), median=round(median, 2))


def no_capital(header: str, count: int) -> Text:
    """Return how many registered capitals of zero were taken as none."""
    return _NO_CAPITAL.format(header=shown(header, _LONGEST_HEADER), count=count)


def listed(headers: Sequence[str]) -> Text:
    """Return headers as one line, shortened where there are very many.

    >>> listed(["电话", "邮箱"]).zh
    '电话、邮箱'
    """
    names = [shown(header, _LONGEST_HEADER) for header in dict.fromkeys(headers)]
    rest = len(names) - _MOST_HEADERS
    more = (f"等 {len(names):,} 列", f" and {rest:,} more") if rest > 0 else ("", "")
    names = names[:_MOST_HEADERS]
    return Text(zh="、".join(names) + more[0], en=", ".join(names) + more[1])


def dropped(layout: Layout) -> Iterable[Text]:
    """Yield which columns were not read or not used."""
    if layout.personal:
        yield _PERSONAL.format(headers=listed(layout.personal))
    if layout.unused:
        yield _UNUSED.format(headers=listed(layout.unused))


def assumed_share(header: str, *, percent: bool) -> Text:
    """Return how plain numbers in a column of shares were taken."""
    return (_PERCENT if percent else _FRACTION).format(header=shown(header, _LONGEST_HEADER))


def newest_year(sources: Sequence[Source]) -> Iterable[Text]:
    """Yield which years a figure is given for, if there are several."""
    if len({source.heading.year for source in sources}) > 1:
        yield _NEWEST.format(headers=listed([source.header for source in sources]))


def rates_used(headers: Sequence[str], rates: Rates) -> Iterable[Text]:
    """Yield the rates by which foreign money was converted, if any was."""
    if headers:
        day = rates.as_of.isoformat()
        yield _RATES.format(day=day, headers=listed(headers), source=rates.source)


def taken_out(
    starred: Iterable[tuple[str, int]], invisible: Iterable[tuple[str, int]]
) -> Iterable[Text]:
    """Yield how many cells lost personal data or invisible characters."""
    for template, found in ((_STARRED, starred), (_INVISIBLE, invisible)):
        for header, count in found:
            yield template.format(header=shown(header, _LONGEST_HEADER), count=count)
