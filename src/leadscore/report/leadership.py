"""The report for the leadership as a paper, of the values of `leadscore.store.leadership`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from leadscore import numbers
from leadscore.features.extract import SIZEABLE_GAP
from leadscore.learning.history import OUTCOMES
from leadscore.lists.values.words import STAGES
from leadscore.report.paper import (
    Block,
    Cell,
    Chart,
    Figure,
    Figures,
    Lines,
    Paper,
    Section,
    Table,
)
from leadscore.report.word import write_word
from leadscore.report.workbook import write_workbook
from leadscore.text import Lang, read_words

WORDS = read_words(Path(__file__).with_name("leadership.toml"))
WRITERS = {".docx": write_word, ".xlsx": write_workbook}

Report = Mapping[str, Any]

_SQUARES = 10
_MOST_NAMES = 4


def write_leadership(report: Report, path: Path, *, lang: Lang, now: datetime) -> None:
    """Write the report as .docx or .xlsx, by the ending of the path; KeyError for another."""
    WRITERS[path.suffix.lower()](leadership_paper(report, lang), path, now=now)


def leadership_paper(report: Report, lang: Lang) -> Paper:
    """Return the report as a paper: page, Word and workbook show it."""
    return _Writer(report, lang).paper()


class _Writer:
    # Words the values of a report in one language.
    def __init__(self, report: Report, lang: Lang) -> None:
        self._report, self._lang = report, lang
        self._source = report["source"]
        statement = self._source["statement"]
        profile = self._source["profile"] or self.say("chains.unnumbered")
        self._profile = {**statement, "profile": profile}

    def say(self, key: str, **places: object) -> str:
        return (WORDS[key].format(**places) if places else WORDS[key]).pick(self._lang)

    def _day(self, day: str | None) -> str:
        return numbers.day(day, self._lang) if day else self.say("nothing")

    def _stage(self, stage: str | None) -> str:
        return STAGES[stage].pick(self._lang) if stage in STAGES else self.say("nothing")

    def _joined(self, names: Sequence[str], most: int = 1_000) -> str:
        more = "…" if len(names) > most else ""
        return self.say("joint").join(names[:most]) + more or self.say("nothing")

    def paper(self) -> Paper:
        report, period = self._report, self._report["period"]
        chains = [chain["name"] for chain in report["chains"]]
        named = self._joined(chains) if report["some_chains"] else self.say("all_chains")
        makers: tuple[tuple[str, Callable[[], tuple[list[Block], str]]], ...] = (
            ("sum", self._sum), ("chains", self._chains), ("gaps", self._gaps),
            ("targets", self._targets), ("stages", self._stages), ("forecast", self._forecast),
            ("changes", self._changes), ("sources", self._sources),
        )  # fmt: skip
        sections = []
        for key, make in makers:
            blocks, source = make()
            sections.append(Section(key, self.say(f"{key}.heading"), blocks, source))
        return Paper(
            lang=self._lang,
            title=self.say("title", city=report["name"]),
            lead=self.say(
                "lead", starts=self._day(period["starts"]), ends=self._day(period["ends"]),
                chains=named, today=self._day(report["today"]),
            ),
            sections=sections,
            footer=self.say("footer"), across=True,
        )  # fmt: skip

    def _by_profile(self) -> str:
        return self.say("chains.source", model=self._source["model"], **self._profile)

    def _sum(self) -> tuple[list[Block], str]:
        gaps = self._report["gaps"]
        sizeable = [gap for gap in gaps if gap["sizeable"]]
        by = {row["stage"]: row["firms"] for row in self._report["pursuits"]}
        talks = sum(by[stage] for stage in ("contacted", "visited", "negotiating", "framework"))
        figures = (
            ("firms", self._source["firms"], ""),
            ("gaps", len(sizeable), self.say("sum.of_segments", number=len(gaps))),
            ("candidates", sum(gap["candidates"] for gap in sizeable), ""),
            ("talks", talks, ""),
            ("signed", sum(by[stage] for stage in OUTCOMES), ""),
            ("new", self._report["changes"]["new_firms"], ""),
        )
        entries = [
            (self.say(f"sum.{key}"), numbers.count(value), small) for key, value, small in figures
        ]
        return [Figures(entries)], self._by_profile()

    def _chains(self) -> tuple[list[Block], str]:
        discount = numbers.share(self._source["neighbour_discount"])
        blocks: list[Block] = [Lines([self.say("chains.key", discount=discount)])]
        headers = ("segment", "position", "drawn", "supply", "neighbours", "made_up", "gap",
                   "anchors", "candidates")  # fmt: skip
        for chain in self._report["chains"]:
            rows = [self._segment(segment) for segment in chain["segments"]]
            blocks.append(Table(
                [self.say(f"chains.{header}") for header in headers], rows,
                (3.4, 1.3, 3.2, 1.5, 1.5, 1.5, 1.4, 4, 1.5),
                caption=self.say("chains.caption", chain=chain["name"]),
                chart=Chart((3, 5, 6), "stacked"),
            ))  # fmt: skip
        return blocks, self._by_profile()

    def _segment(self, segment: Mapping[str, Any]) -> tuple[Cell, ...]:
        supply, gap = segment["supply"], segment["gap"]
        return (
            segment["name"], self.say(f"chains.{segment['position']}"), squares(supply, gap),
            Figure(supply, "share"), Figure(segment["neighbour_supply"], "share"),
            Figure(max(1.0 - gap - supply, 0.0), "share"), Figure(gap, "share"),
            self._joined(segment["anchors"], _MOST_NAMES), Figure(segment["candidates"], "count"),
        )  # fmt: skip

    def _gaps(self) -> tuple[list[Block], str]:
        gaps, least = self._report["gaps"], numbers.share(SIZEABLE_GAP)
        large = [gap for gap in gaps if gap["sizeable"]]
        if not large:
            return [Lines([self.say("gaps.none", least=least)])], self._by_profile()
        rows = [
            (
                gap["name"], gap["chain"], Figure(gap["gap"], "share"),
                Figure(gap["supply"], "share"), Figure(gap["neighbour_supply"], "share"),
                self._joined(gap["neighbours"]),
                self.say("gaps.yes" if gap["sought"] else "gaps.no"),
                Figure(gap["candidates"], "count"),
            )
            for gap in large
        ]  # fmt: skip
        headers = ("chains.segment", "gaps.chain", "chains.gap", "chains.supply",
                   "chains.neighbours", "gaps.near", "gaps.sought",
                   "chains.candidates")  # fmt: skip
        others = len(gaps) - len(large)
        text = self.say("gaps.says", least=least, number=len(large), others=others)
        table = Table(
            [self.say(header) for header in headers], rows, (4, 3.4, 1.5, 2, 2.2, 2.4, 1.9, 2),
            chart=Chart((2,), "columns"),
        )  # fmt: skip
        return [Lines([text]), table], self._by_profile()

    def _targets(self) -> tuple[list[Block], str]:
        large = [gap for gap in self._report["gaps"] if gap["sizeable"]]
        rows = [self._target(gap, firm) for gap in large for firm in gap["targets"]]
        source = self.say(
            "targets.source", model=self._source["model"], day=self._day(self._source["as_of"])
        )
        missing = [gap["name"] for gap in large if not gap["targets"]]
        if not rows:
            return [Lines([self.say("targets.none")])], source
        headers = ("gap", "rank", "firm", "grade", "likelihood", "interval", "reason", "stage",
                   "from")  # fmt: skip
        most = max(len(gap["targets"]) for gap in large)
        blocks: list[Block] = [
            Lines([self.say("targets.says", most=most)]),
            Table([self.say(f"targets.{header}") for header in headers], rows,
                  (2.6, 1.2, 4.2, 1.4, 2.1, 1.8, 6.2, 1.7, 2), merged=True),
        ]  # fmt: skip
        if missing:
            blocks.append(Lines([self.say("targets.missing", names=self._joined(missing))]))
        return blocks, source

    def _target(self, gap: Mapping[str, Any], firm: Mapping[str, Any]) -> tuple[Cell, ...]:
        interval, place = firm["interval"], self.say("targets.no_list")
        if firm["list_id"] is not None:
            place = self.say("targets.source_cell", list=firm["list_id"], row=firm["row"])
        return (
            self.say("targets.named", segment=gap["name"], gap=numbers.share(gap["gap"])),
            Figure(firm["rank"], "count"), firm["name"], firm["grade"],
            Figure(firm["likelihood"], "likelihood"),
            numbers.interval(*interval) if interval else self.say("targets.unsure"),
            firm["reason"] or self.say("nothing"), self._stage(firm["stage"]), place,
        )  # fmt: skip

    def _stages(self) -> tuple[list[Block], str]:
        source = self.say(
            "stages.source", day=self._day(self._report["today"]), model=self._source["model"]
        )
        pursuits = self._report["pursuits"]
        if not any(row["firms"] for row in pursuits):
            return [Lines([self.say("stages.none")])], source
        ended = {*OUTCOMES, "lost"}
        rows = [
            (
                self._stage(row["stage"]), Figure(row["firms"], "count"),
                Figure(None if row["stage"] in ended else row["likelihood"], "tenths"),
            )
            for row in pursuits
        ]  # fmt: skip
        headers = [self.say(f"stages.{header}") for header in ("stage", "firms", "expected")]
        return [Table(headers, rows, (4, 2, 3), chart=Chart((1,), "columns"))], source

    def _forecast(self) -> tuple[list[Block], str]:
        told = self._report["forecast"]
        target, days = STAGES[told["target"]].pick(self._lang), told["horizon_days"]
        source = self.say(
            "forecast.source", day=self._day(self._report["today"]), days=days, target=target
        )
        says = self._judgement(told)
        if not told["courted"]:
            return [Lines([says])], source
        places = {"target": target, "days": days}
        entries: tuple[tuple[str, Cell], ...] = (
            ("courted", Figure(told["courted"], "count")),
            ("without", Figure(told["without_forecast"], "count")),
            ("with", Figure(told["forecast"], "count")),
            ("expected", Figure(told["expected"], "tenths")),
            ("landed", Figure(told["landed"], "count")),
            ("ended", Figure(told["ended"], "count")),
            ("open", Figure(told["open"], "count")),
            ("passed", Figure(told["passed"], "count")),
            ("passed_expected", Figure(told["passed_expected"], "tenths")),
            ("passed_landed", Figure(told["passed_landed"], "count")),
        )
        if told["range"]:
            low, high = told["range"]
            entries += (("range", self.say("forecast.between", low=low, high=high)),)
        rows = [(self.say(f"forecast.{key}", **places), value) for key, value in entries]
        headers = [self.say("forecast.item"), self.say("forecast.value")]
        return [Lines([says]), Table(headers, rows, (7, 3))], source

    def _judgement(self, told: Mapping[str, Any]) -> str:
        if not told["courted"]:
            return self.say("forecast.says_none")
        if not told["forecast"]:
            return self.say("forecast.says_without")
        if not told["passed"]:
            return self.say("forecast.says_early", days=told["horizon_days"])
        low, high = told["range"]
        landed = told["passed_landed"]
        places = {
            "number": told["passed"], "landed": landed,
            "expected": Figure(told["passed_expected"], "tenths").text(self._lang),
        }  # fmt: skip
        if not told["enough"]:
            return self.say("forecast.says_few", enough=told["enough_from"], **places)
        way = "less" if landed < low else "more" if landed > high else "inside"
        return self.say(f"forecast.says_{way}", **places)

    def _changes(self) -> tuple[list[Block], str]:
        period = self._report["period"]
        source = self.say(
            "changes.source", starts=self._day(period["starts"]), ends=self._day(period["ends"])
        )
        texts = list(self._changed())
        return [Lines(texts, "listed") if texts else Lines([self.say("changes.none")])], source

    def _changed(self) -> Iterator[str]:
        changes = self._report["changes"]
        for each in changes["lists"]:
            ranked = self.say("nothing") if each["ranked"] is None else each["ranked"]
            yield self.say(
                "changes.lists", file=each["file_name"], day=self._day(each["day"]), ranked=ranked
            )
        if changes["lists_undone"]:
            yield self.say("changes.undone", number=changes["lists_undone"])
        if changes["new_firms"]:
            yield self.say("changes.new", number=numbers.count(changes["new_firms"]))
        for each in changes["stages"]:
            yield self.say("changes.stages", stage=self._stage(each["stage"]), firms=each["firms"])
        for each in changes["supplies"]:
            yield self.say(
                "changes.supplies", name=each["name"], before=numbers.share(each["before"]),
                after=numbers.share(each["after"]), day=self._day(each["day"]),
                reason=each["reason"],
            )  # fmt: skip
        for each in changes["models"]:
            because = self.say("changes.because", reason=each["reason"]) if each["reason"] else ""
            yield self.say(
                "changes.models", version=each["version"], day=self._day(each["day"]),
                reason=because,
            )  # fmt: skip
        grades = changes["grades"]
        if grades["up"] or grades["down"]:
            yield self.say("changes.grades", up=grades["up"], down=grades["down"])
        for each in grades["firms"]:
            yield self.say(
                "changes.moved", name=each["name"], before=each["before"], after=each["after"],
                low=numbers.likelihood(each["likelihood_before"]),
                high=numbers.likelihood(each["likelihood"]),
            )  # fmt: skip

    def _sources(self) -> tuple[list[Block], str]:
        source = self._source
        learned = source["learned_from"]
        taught = "untold" if learned is None else "learned" if learned else "expert"
        texts = [
            self.say(
                "sources.model", model=source["model"], day=self._day(source["model_day"]),
                learned=self.say(f"sources.{taught}", number=numbers.count(learned or 0)),
            ),
            self.say("sources.profile", **self._profile),
        ]  # fmt: skip
        rows = [
            (
                str(each["id"]), each["file_name"],
                Figure(date.fromisoformat(each["as_of"]), "day"), Figure(each["rows"], "count"),
            )
            for each in source["lists"]
        ]  # fmt: skip
        if not rows:
            return [Lines([*texts, self.say("sources.no_list")])], ""
        headers = [self.say(f"sources.{header}") for header in ("list", "file", "as_of", "rows")]
        return [Lines(texts), Table(headers, rows, (1, 6, 3, 2))], ""


def squares(supply: float, gap: float) -> str:
    """Draw a segment in ten squares: its own supply, what neighbours make up for, and the gap.

    >>> squares(0.25, 0.7), squares(0.0, 1.0)
    ('■■▨□□□□□□□', '□□□□□□□□□□')
    """
    own = round(_SQUARES * supply)
    filled = max(round(_SQUARES * (1.0 - gap)), own)
    return "■" * own + "▨" * (filled - own) + "□" * (_SQUARES - filled)
