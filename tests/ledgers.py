"""Ledgers of made-up firms, in the layouts of offices and of sales, with their truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl

Event = tuple[str, str, date]
"""Firm, stage and day."""
Rows = list[list[Any]]

FIRMS = [
    f"{a}{b}{kind}有限公司"
    for a, b in zip("澄朗岚沐霁珩岑淞湛翊", "泉微屿川岳禾石汀波羽", strict=True)
    for kind in ("光电", "精密电子", "新材料")
]
ORDER = ("contacted", "visited", "negotiating", "signed", "registered", "building", "producing")


@dataclass
class Case:
    """A layout: the sheets of a file, its encoding, and what is to be read of it."""

    name: str
    sheets: dict[str, Rows]
    events: set[Event]
    suffix: str = "xlsx"
    encoding: str = "utf-8"
    delimiter: str = ","
    merges: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Write the file, and return where it is."""
        path = folder / f"{self.name}.{self.suffix}"
        if self.suffix == "csv":
            (rows,) = self.sheets.values()
            text = io.StringIO(newline="")
            csv.writer(text, delimiter=self.delimiter).writerows(
                [[_written(cell) for cell in row] for row in rows]
            )
            path.write_text(text.getvalue(), encoding=self.encoding, newline="")
            return path
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for title, rows in self.sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
            for merge in self.merges:
                sheet.merge_cells(merge)
        book.save(path)
        return path


def _written(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date) else cell


def history(seed: int, count: int = 12, *, stages: Sequence[str] = ORDER) -> list[list[Event]]:
    """Return the events of firms, a list a firm, each of which is won, lost, or still open."""
    firms = []
    for at in range(count):
        name = FIRMS[(seed * 7 + at) % len(FIRMS)]
        day = date(2021, 1, 4) + timedelta(days=(seed * 37 + at * 53) % 500)
        steps = 1 + (seed + at * 3) % len(stages)
        events: list[Event] = []
        for stage in stages[:steps]:
            events.append((name, stage, day))
            day += timedelta(days=21 + (seed * 5 + at * 11) % 70)
        if at % 3 == 1:
            events.append((name, "lost", day))
        elif at % 7 == 5:
            events.append((name, "paused", day))
        firms.append(events)
    return firms


def _flat(firms: Sequence[Sequence[Event]]) -> list[Event]:
    return [event for events in firms for event in events]


def _long(
    seed: int, header: list[str], words: dict[str, str], row: Callable[[Event, str], list[Any]]
) -> tuple[Rows, set[Event]]:  # fmt: skip
    events = _flat(history(seed))
    return [header, *(row(event, words[event[1]]) for event in events)], set(events)


def _wide(
    seed: int, columns: dict[str, str], shape: Callable[[date], Any] = lambda day: day,
    empty: Any = None, more: Callable[[str], list[Any]] = lambda _: [],
) -> tuple[Rows, set[Event]]:  # fmt: skip
    """Return a row a firm, one column of days a stage; what has no column is no event."""
    rows, truth = [], set[Event]()
    for events in history(seed):
        days = {stage: day for _, stage, day in events if stage in columns}
        truth |= {event for event in events if event[1] in columns}
        name = events[0][0]
        rows.append(
            [name, *more(name), *(shape(days[at]) if at in days else empty for at in columns)]
        )
    return rows, truth


OFFICE = {
    "contacted": "对接", "visited": "考察", "negotiating": "洽谈", "signed": "签约",
    "registered": "注册", "building": "开工", "producing": "投产", "paused": "搁置", "lost": "流失",
}  # fmt: skip
WRITTEN = {
    "contacted": "初步接触", "visited": "实地考察", "negotiating": "商务谈判", "signed": "正式签约",
    "registered": "工商注册", "building": "已开工", "producing": "已投产", "paused": "暂缓",
    "lost": "终止",
}  # fmt: skip
NOTES = {
    "contacted": "已对接", "visited": "已到企业考察", "negotiating": "正在洽谈", "signed": "已签约",
    "registered": "已注册落户", "building": "在建", "producing": "已投产", "paused": "暂时搁置",
    "lost": "已退库",
}  # fmt: skip
SALES = {
    "contacted": "跟进中", "visited": "已拜访", "negotiating": "商务谈判", "signed": "赢单",
    "registered": "已注册", "building": "开工", "producing": "投产", "paused": "暂停",
    "lost": "输单",
}  # fmt: skip
CRM = {
    "contacted": "Contacted", "visited": "Site visit", "negotiating": "Negotiation/Review",
    "signed": "Closed Won", "registered": "Registered", "building": "Construction",
    "producing": "Production", "paused": "On hold", "lost": "Closed Lost",
}  # fmt: skip


def iso(day: date) -> str:
    return day.isoformat()


def dotted(day: date) -> str:
    return f"{day.year}.{day.month:02}.{day.day:02}"


def chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def compact(day: date) -> str:
    return f"{day:%Y%m%d}"


def layouts() -> list[Case]:
    """Return 40 ledgers, each of its own layout."""
    return [*_wides(), *_longs(), *_crms(), *_odd(), *_by_their_surroundings(), *_exports()]


def _case(name: str, rows: Rows, truth: set[Event], **more: Any) -> Case:
    return Case(name, {"Sheet1": rows}, truth, **more)


def _wides() -> list[Case]:
    cases = []
    wide = {stage: f"{word}时间" for stage, word in OFFICE.items()}
    rows, truth = _wide(1, wide)
    cases.append(_case("wide_plain", [["企业名称", *wide.values()], *rows], truth))

    rows, truth = _wide(2, wide, chinese, "")
    head = [["2023年招商引资项目推进情况台账"], ["单位：万元", None, None, "截止2023年12月"]]
    cases.append(
        _case("wide_titles", [*head, ["投资主体", *wide.values()], *rows,
                              ["合计", *[None] * len(wide)], ["备注：按月更新"]], truth)
    )  # fmt: skip

    dates = {
        "contacted": "首次对接日期", "visited": "考察日期", "signed": "签约日期",
        "building": "开工日期", "producing": "投产日期", "lost": "退库日期",
    }  # fmt: skip
    rows, truth = _wide(3, dates, dotted, "/", lambda _: ["VR产业园项目", 3.5])
    header = ["投资方", "项目名称", "总投资（亿元）", *dates.values()]
    cases.append(_case("wide_csv_gbk", [header, *rows], truth, suffix="csv", encoding="gb18030"))

    rows, truth = _wide(4, dates, iso, "-", lambda name: ["本地" + name])
    header = ["投资方", "项目公司", *dates.values()]
    cases.append(_case("wide_two_firms", [header, *rows], truth))

    rows, truth = _wide(5, dates, lambda day: datetime(day.year, day.month, day.day))
    milestones = [[*row, date(2023, 2, 3), None, date(2024, 1, 1)] for row in rows]
    header = ["项目业主", *dates.values(), "拿地时间", "到资时间", "纳统时间"]
    cases.append(_case("wide_milestones", [header, *milestones], truth))

    two = [
        ["序号", "企业名称", "推进节点", None, None, None, "备注"],
        [None, None, "对接", "签约", "开工", "终止", None],
    ]
    some = {"contacted": "", "signed": "", "building": "", "lost": ""}
    rows, truth = _wide(6, some)
    numbered = [[at, row[0], *row[1:], None] for at, row in enumerate(rows, 1)]
    cases.append(
        _case("wide_two_row_header", [*two, *numbered], truth,
              merges=["A1:A2", "B1:B2", "C1:F1", "G1:G2"])
    )  # fmt: skip

    # What stands beside: planned days, amounts, people, next steps.
    rows, truth = _wide(7, dates, iso, None, lambda _: [2.5, "2026-12-01", "李某", "下周拜访"])
    header = ["引进企业", "投资额(亿元)", "预计投产时间", "责任人", "下一步计划", *dates.values()]
    cases.append(_case("wide_beside", [header, *rows], truth))

    rows, truth = [], set[Event]()
    for events in history(8):
        name, stage, day = events[-1]
        reached = {it[1] for it in events}
        rows.append([name, *("√" if it in reached else "" for it in OFFICE), iso(day)])
        truth.add((name, stage, day))
    cases.append(_case("ticks_one_date", [["企业名称", *OFFICE.values(), "日期"], *rows], truth))

    rows, truth = [], set[Event]()
    for events in history(9):
        days = {stage: day for _, stage, day in events}
        name = events[0][0]
        rows.append(
            [name, iso(days["contacted"]), "是" if "signed" in days else "否",
             *(iso(days[it]) if it in days else "" for it in ("signed", "lost"))]
        )  # fmt: skip
        truth |= {it for it in events if it[1] in ("contacted", "signed", "lost")}
    header = ["签约企业", "对接日期", "是否签约", "签约日期", "流失日期"]
    cases.append(_case("wide_yes_no", [header, *rows], truth))

    rows, truth = [], set[Event]()
    for events in history(10):
        days = {stage: day for _, stage, day in events}
        name, stage, day = events[-1]
        shown = {"contacted": "对接时间", "signed": "签约时间", "building": "开工时间"}
        rows.append([name, *(days.get(it) for it in shown), NOTES[stage], day])
        truth |= {it for it in events if it[1] in shown} | {events[-1]}
    header = ["落地企业", "对接时间", "签约时间", "开工时间", "目前状态", "更新时间"]
    cases.append(_case("wide_with_present", [header, *rows], truth))
    return cases


def _longs() -> list[Case]:
    cases = []
    rows, truth = _long(11, ["企业名称", "阶段", "日期"], OFFICE, lambda it, w: [it[0], w, it[2]])
    cases.append(_case("long_plain", rows, truth))

    rows, truth = _long(
        12, ["序号", "投资主体", "最新进展", "进展时间", "责任单位"], WRITTEN,
        lambda it, w: [1, it[0], w, chinese(it[2]), "某某局"],
    )  # fmt: skip
    cases.append(_case("long_progress", [["项目调度表"], [], *rows], truth))

    rows, truth = _long(
        13, ["客商", "项目进展", "时间", "原因"], NOTES,
        lambda it, w: [it[0], w, dotted(it[2]), "地价" if it[1] == "lost" else ""],
    )  # fmt: skip
    cases.append(_case("long_csv_semicolon", rows, truth, suffix="csv", delimiter=";"))

    events = [it for it in history(14, 30) if len(it) > 1]
    rows, merges, truth, at = [["签约主体", "进展情况", "日期"]], [], set[Event](), 2
    for some in events:
        for place, (name, stage, day) in enumerate(some):
            rows.append([name if place == 0 else None, WRITTEN[stage], day])
            truth.add((name, stage, day))
        merges.append(f"A{at}:A{at + len(some) - 1}")
        at += len(some)
    cases.append(_case("long_merged", rows, truth, merges=merges))

    rows, truth = _long(15, ["业主单位", "当前状态", "状态更新时间"], NOTES,
                        lambda it, w: [it[0], w, compact(it[2])])  # fmt: skip
    cases.append(_case("long_updated", rows, truth))

    halves = {"1-6月": set[Event](), "7-12月": set[Event]()}
    sheets: dict[str, Rows] = {}
    for seed, title in zip((16, 17), halves, strict=True):
        rows, halves[title] = _long(seed, ["企业", "阶段", "日期"], OFFICE,
                                    lambda it, w: [it[0], w, it[2]])  # fmt: skip
        sheets[title] = rows
    sheets["说明"] = [["本表由各县区填报"], ["每月5日前报送"]]
    cases.append(Case("long_two_sheets", sheets, halves["1-6月"] | halves["7-12月"]))

    rows, truth = _long(
        18, ["项目名称", "项目阶段", "阶段日期"], OFFICE,
        lambda it, w: [f"{it[0]}智能终端生产项目", w, iso(it[2])],
    )  # fmt: skip
    cases.append(_case("long_project_names", rows, truth, suffix="csv", encoding="utf-8-sig"))

    rows, truth = [], set[Event]()
    for some in history(19):
        rows.append([some[0][0], "\n".join(f"{dotted(day)} {OFFICE[it]}" for _, it, day in some)])
        truth |= set(some)
    cases.append(_case("steps_in_lines", [["投资企业", "最新进展"], *rows], truth))

    rows, truth = [], set[Event]()
    for some in history(20):
        steps = "；".join(f"{chinese(day)}{NOTES[it]}" for _, it, day in some)
        rows.append([some[0][0], 3.2, steps])
        truth |= set(some)
    cases.append(_case("steps_in_a_note", [["合作方", "投资额（亿元）", "推进情况"], *rows], truth))

    rows, truth = _long(
        21, ["企业(投资方)名称", "统一社会信用代码", "跟进结果", "跟进日期", "备注"],
        {**OFFICE, "lost": "流失（地价）", "paused": "搁置（资金）"},
        lambda it, w: [it[0], "", w, it[2], "来过两次"],
    )  # fmt: skip
    cases.append(_case("long_with_reason", rows, truth))
    return cases


def _crms() -> list[Case]:
    cases = []
    rows, truth = _long(22, ["Account Name", "Opportunity Name", "Stage", "Date"], CRM,
                        lambda it, w: [it[0], "New plant", w, iso(it[2])])  # fmt: skip
    cases.append(_case("salesforce_history", rows, truth, suffix="csv"))

    rows, truth = [["Deal Name", "Company Name", "Deal Stage", "Close Date", "Deal owner"]], set()
    for some in history(23, 20, stages=ORDER[:4]):
        name, stage, day = some[-1]
        if stage in ("signed", "lost"):
            rows.append(["Plant", name, "Closed won" if stage == "signed" else "Closed lost",
                         f"{day} 10:30", "L. Q."])  # fmt: skip
            truth.add((name, stage, day))
    cases.append(_case("hubspot", rows, truth, suffix="csv"))

    rows, truth = [["Opportunity", "Customer", "Stage", "Closed Date", "Lost Reason"]], set[Event]()
    for some in history(24, 20, stages=ORDER[:4]):
        name, stage, day = some[-1]
        if stage in ("signed", "lost"):
            rows.append(["Plant", name, "Won" if stage == "signed" else "Lost", iso(day),
                         "price of land" if stage == "lost" else None])  # fmt: skip
            truth.add((name, stage, day))
    cases.append(_case("odoo", rows, truth))

    rows, truth = _long(25, ["客户名称", "商机阶段", "阶段变更时间", "负责人"], SALES,
                        lambda it, w: [it[0], w, f"{it[2]} 09:00:00", "张某"])  # fmt: skip
    cases.append(_case("crm_chinese", rows, truth, suffix="csv", encoding="gb18030"))

    rows, truth = [["客户", "商机名称", "商机状态", "结单日期", "输单原因"]], set[Event]()
    for some in history(26, 24, stages=ORDER[:4]):
        name, stage, day = some[-1]
        if stage in ("signed", "lost"):
            rows.append([name, "厂房", "成交" if stage == "signed" else "战败", day,
                         "选址邻市" if stage == "lost" else ""])  # fmt: skip
            truth.add((name, stage, day))
    cases.append(_case("crm_closed_chinese", rows, truth))

    rows, truth = _long(27, ["Organization", "Status", "Last Stage Change Date"], CRM,
                        lambda it, w: [it[0], w, iso(it[2])])  # fmt: skip
    cases.append(_case("pipedrive", rows, truth, suffix="csv", delimiter="\t"))
    return cases


def _odd() -> list[Case]:
    cases = []
    rows, truth = _long(28, ["投资单位", "阶段", "日期"], OFFICE,
                        lambda it, w: [f"{it[0]}", f" {w} ", chinese(it[2])])  # fmt: skip
    whole: Rows = [["表1 项目进展"], ["填报单位：某某开发区"], *rows, ["合计", len(rows) - 1, None]]
    cases.append(_case("long_total_below", whole, truth, suffix="csv", encoding="gb18030"))

    rows, truth = [], set[Event]()
    for some in history(29):
        days = {stage: day for _, stage, day in some}
        name = some[0][0]
        rows.append([name, days["contacted"], days.get("signed"), days.get("registered"),
                     days.get("producing"), days.get("lost")])  # fmt: skip
        truth |= {it for it in some if it[1] in
                  ("contacted", "signed", "registered", "producing", "lost")}  # fmt: skip
    header = ["业主及投资方", "对接时间", "签约时间", "注册时间", "投产时间", "清退时间"]
    cases.append(_case("wide_registered_here", [header, *rows], truth))

    rows, truth = [], set[Event]()
    for some in history(30):
        for name, stage, day in some:
            rows.append([name, f"{chinese(day)}{OFFICE[stage]}"])
            truth.add((name, stage, day))
    cases.append(_case("day_within_the_stage", [["项目业主", "项目状态"], *rows], truth))

    rows, truth = _wide(31, {"signed": "签约时间", "building": "开工时间", "lost": "解约时间"})
    counted = [[at, "某县", *row] for at, row in enumerate(rows, 1) if any(row[1:])]
    header = ["序号", "县区", "投资商", "签约时间", "开工时间", "解约时间"]
    cases.append(_case("wide_by_county", [header, *counted], truth))
    return cases


def _by_their_surroundings() -> list[Case]:
    """Return ledgers of which sheet, title, legend or the cells beside say what a cell means."""
    cases = []
    firms, sheets = history(42, 20), {}
    words = {"contacted": "对接", "negotiating": "在谈", "signed": "签约", "building": "开工",
             "lost": "流失"}  # fmt: skip
    for stage, title in words.items():
        rows = [[name, day, "县领导带队"] for name, it, day in _flat(firms) if it == stage]
        sheets[title] = [["企业名称", "日期", "备注"], *rows]
    truth = {event for event in _flat(firms) if event[1] in words}
    cases.append(Case("sheet_per_stage", sheets, truth))

    events, sheets = sorted(_flat(history(43, 20)), key=lambda event: event[2]), {}
    for year in sorted({day.year for _, _, day in events}):
        rows = [[at, name, OFFICE[stage], f"{day.month}月{day.day}日"]
                for at, (name, stage, day) in enumerate(events, 1) if day.year == year]  # fmt: skip
        sheets[f"{year}年"] = [["序号", "企业名称", "工作进展", "日期"], *rows]
    cases.append(Case("sheet_per_year", sheets, set(events)))

    parted, rows, truth = ("contacted", "signed", "lost"), [], set[Event]()
    for at, some in enumerate(history(44, 14), 1):
        days = {stage: day for _, stage, day in some if stage in parted}
        parts = [[days[it].year, days[it].month, days[it].day] if it in days else [None] * 3
                 for it in parted]  # fmt: skip
        rows.append([at, some[0][0], *(part for three in parts for part in three)])
        truth |= {event for event in some if event[1] in parted}
    head = [
        "序号",
        "投资方",
        "对接时间",
        None,
        None,
        "签约时间",
        None,
        None,
        "终止时间",
        None,
        None,
    ]
    cases.append(
        _case("year_month_day_apart", [head, [None, None, *["年", "月", "日"] * 3], *rows], truth,
              merges=["A1:A2", "B1:B2", "C1:E1", "F1:H1", "I1:K1"])
    )  # fmt: skip

    said = {
        "contacted": "与企业初步对接", "visited": "赴企业实地考察", "negotiating": "企业来访洽谈",
        "signed": "正式签约", "registered": "完成工商注册", "building": "项目开工",
        "producing": "项目投产", "paused": "项目暂缓", "lost": "企业放弃投资，项目终止",
    }  # fmt: skip
    rows, truth = [], set[Event]()
    for some in history(45, 14):
        year, steps = 0, []
        for _, stage, day in some:
            written = "" if day.year == year else f"{day.year}年"
            steps.append(f"{written}{day.month}月{day.day}日，{said[stage]}")
            year = day.year
        rows.append([some[0][0], "电子信息", "；".join(steps) + "。"])
        truth |= set(some)
    cases.append(_case("notes_without_year", [["企业名称", "行业", "项目进展情况"], *rows], truth))

    order = {stage: at for at, stage in enumerate(OFFICE, 1)}
    rows, truth = _long(50, ["企业名称", "阶段", "日期"], OFFICE,
                        lambda it, _: [it[0], order[it[1]], it[2]])  # fmt: skip
    legend = "，".join(f"{order[stage]}-{word}" for stage, word in OFFICE.items())
    cases.append(_case("numbers_with_legend", [*rows, [f"注：阶段 {legend}"]], truth))

    rows, truth = [], set[Event]()
    for some in history(68, 14):
        name, stage, day = some[-1]
        rows.append([len(rows) + 1, name, 5000, f"{NOTES[stage]}（{dotted(day)}）"])
        truth.add(some[-1])
    head = [
        ["某某开发区2022—2023年招商项目情况"],
        ["序号", "企业名称", "投资额（万元）", "项目情况"],
    ]
    cases.append(_case("state_with_its_day", [*head, ["一、电子信息"], *rows], truth))
    return cases


def _exports() -> list[Case]:
    cases = []
    rows, truth = [], set[Event]()
    held = {"contacted": "New", "visited": "Qualified", "negotiating": "Proposition"}
    for some in history(54, 20, stages=ORDER[:3]):
        name, stage, day = some[-1]
        if stage == "lost":  # stands in its last stage, with a reason
            _, stage, before = some[-2]
            rows.append([name, held[stage], before, day, "Too expensive"])
            truth.add(some[-1])
            day = before
        elif stage in held:
            rows.append([name, held[stage], day, None, None])
        else:
            continue
        meant = {"contacted": "lead", "visited": "screened"}.get(stage, stage)
        truth.add((name, meant, day))
    head = ["Customer", "Stage", "Last Stage Update", "Closed Date", "Lost Reason"]
    cases.append(_case("odoo_lost_by_reason", [head, *rows], truth))

    entered = {
        "contacted": "Appointment Scheduled", "visited": "Site Visit", "signed": "Closed Won",
        "negotiating": "Contract Sent", "lost": "Closed Lost",
    }  # fmt: skip
    names = {stage: f'Date entered "{word} (Sales Pipeline)"' for stage, word in entered.items()}
    rows, truth = _wide(55, names, lambda day: f"{day} 09:15", "")
    cases.append(
        _case("hubspot_entered", [["Associated Company", *names.values()], *rows], truth,
              suffix="csv")
    )  # fmt: skip

    words = {
        "contacted": "初步接洽(10%)", "visited": "客户拜访(20%)", "negotiating": "商务谈判(60%)",
        "signed": "赢单(100%)", "registered": "已注册", "building": "已开工", "producing": "已投产",
        "paused": "暂停(0%)", "lost": "输单(0%)",
    }  # fmt: skip
    head = ["客户名称", "商机阶段", "进入阶段时间", "预计成交日期", "输单原因"]
    rows, truth = _long(
        53, head, words,
        lambda it, w: [it[0], w, f"{it[2]} 08:30", "2026-12-31", "价格" if it[1] == "lost" else ""],
    )  # fmt: skip
    cases.append(_case("crm_with_chances", rows, truth, suffix="csv"))

    rows, truth = _long(
        62, ["标题", "审批状态", "投资企业全称", "跟进日期", "本次跟进结果", "跟进记录"], WRITTEN,
        lambda it, w: ["项目跟进", "审批通过", it[0], iso(it[2]), w, "详见附件"],
    )  # fmt: skip
    cases.append(_case("approvals", rows, truth))
    return cases
