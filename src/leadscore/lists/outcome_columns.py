"""What columns and cells of a ledger mean: who was courted, how far it came, on which day."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from typing import NamedTuple

from leadscore.errors import Detail, ListError
from leadscore.lists.cleaning import NAME_COLUMNS
from leadscore.lists.columns import normal_header, read_heading, readings, recognise
from leadscore.lists.problems import Layout, lay_out
from leadscore.lists.reading.header import Aliases
from leadscore.lists.reading.table import TextTable
from leadscore.lists.values.dates import day_of
from leadscore.lists.values.elsewhere import Here
from leadscore.lists.values.stages import names_stages, stage_of, stage_said, status_of
from leadscore.lists.values.words import (
    STAGES,
    VOCABULARY,
    says_nothing,
    tidy_word,
    without_personal,
)
from leadscore.text import room_words, shown

WORDS = room_words("lists")

_VOCABULARY = VOCABULARY["outcomes"]
MAY_END = re.compile(_VOCABULARY["may_end"])
"""What may tell that a pursuit ended, in a word, a header or a note."""
_AGREED = re.compile(_VOCABULARY["agreed"])
_LISTED = (
    "project", "stage", "day", "closed", "created", "updated", "reason", "withdrawn",
)  # fmt: skip
_RANKS = {
    normal_header("".join(parts) + ending): rank
    for rank, word in reversed([*enumerate(_VOCABULARY["name"])])
    for parts in product(*(choice.split("|") for choice in word.split("+")))
    for ending in ("", "名称", "全称", " name")
}
_BY_KEY = dict.fromkeys(_RANKS, "name") | {
    normal_header(word): field for field in _LISTED for word in _VOCABULARY[field]
}

MILESTONES = {milestone: WORDS[f"milestones.{milestone}"] for milestone in VOCABULARY["milestones"]}
"""What is kept beside the stages, by id."""

_MILESTONES = {word: at for at, words in VOCABULARY["milestones"].items() for word in words}
_DONE = re.compile(r"(?:已经?|实际|正式)?(.+?)(?:已?完成|情况|手续)?")

FIELDS = ("name", "credit_code", "former_names", "stage", "day", "reason", "note", "withdrawn")
"""What a column may be said to hold, beside ``day:`` with a stage or milestone, and "-"."""
UNREAD = "-"

_DAY_WORD = re.compile(
    r"(?P<stage>.+?)(?:的)?(?:日期|时间|时点|年月|月份|日)|(?:dateof|dayof)(?P<of>.+)"
    r"|(?:date|day)(?P<first>.+)|(?P<english>.+?)(?:on|date|day|at|time)"
)
DATED = re.compile(r"日期|时间|年月|月份|date|time|day$")
_NOT_THE_FIRST = re.compile(VOCABULARY["not_the_first"])
_STAGE_CHANGED = re.compile(_VOCABULARY["stage_changed"])
_UPDATED_BY = re.compile(_VOCABULARY["updated_by"])
OF_STAGES = re.compile(_VOCABULARY["of_stages"], re.IGNORECASE)
"""Headers that may be of stages."""
_ENTERED = re.compile(
    r"date (?:entered|of entry into|moved to)(?: stage)? [\"'“”‘’]?(.+?)"
    r"(?: ?\([^()]*\))?[\"'“”‘’]?(?: ?\([^()]*\))?",
    re.IGNORECASE,
)
_AROUND_STAGE = re.compile(
    r"\b(?:date|day|time|on|of|at|the|first|actual|start(?:ed)?|end(?:ed)?|contract)\b|_"
)
_MARK_WORD = re.compile(
    r"(?P<whether>是否|有无)?(?:已经?|完成)?(?P<stage>.+?)(?:\((?:是/否|√|打√|y/n|yes/no)\))?"
)
_MARKS = frozenset((*VOCABULARY["answers"]["yes"], *VOCABULARY["answers"]["no"]))
_OF_ANOTHER = re.compile(_VOCABULARY["of_another"])
_REASON = re.compile(r"原因|理由|说明|\b(?:reasons?|cause|for|of|the|deal)\b|[-_]")
_FOUNDED_HERE = re.compile("注册|登记|工商")

Field = tuple[int, str]
"""A column: its position and its header."""


class StageDays(NamedTuple):
    """A column that holds the days on which firms reached one stage, or milestone."""

    position: int
    header: str
    stage: str


@dataclass(frozen=True)
class OutcomeLayout:
    """Which columns say what: canonical ones, as in lists of candidates, and those of ledgers.

    ``fields`` are by canonical name and by the fields of ``[outcomes]`` in ``cells.toml``, the
    first choice first; ``stage`` are all that tell one. ``stage_days`` hold days of one stage,
    ``stage_marks`` yes or no. ``projects`` are read for the name of a firm only where no other
    column names one. ``registered`` are headers that were taken for registering here, although
    they may mean the day of foundation; ``unsure`` headers of days that may be those of losses.
    ``sheet_stage`` is the stage that the name of the sheet tells, where no column tells any;
    ``by_content`` are headers of columns that only their cells show to hold stages or days.
    """

    canonical: Layout
    fields: Mapping[str, Sequence[Field]]
    stage_days: Sequence[StageDays]
    stage_marks: Sequence[StageDays]
    projects: Sequence[Field]
    registered: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    sheet_stage: str | None = None
    by_content: tuple[str, ...] = ()

    @property
    def names(self) -> list[Field]:
        """Columns that name firms, the best first."""
        return [field for name in NAME_COLUMNS for field in self.fields[name]] or [*self.projects]

    def tells(self, texts: Sequence[Sequence[str | None]]) -> bool:
        """Tell whether stages stand there with their days."""
        if any(days.stage in STAGES for days in self.stage_days):
            return True
        dated = any(self.fields[name] for name in ("day", "closed", "created", "updated"))
        stages = self.fields["stage"]
        if (stages or self.stage_marks or self.sheet_stage) and dated:
            return True
        return any(
            2 * sum(bool(WRITTEN_DAY.search(text)) and not day_of(text) for text in known)
            > len(known)
            > 0
            for position, _ in stages
            for known in [known_of(texts[position])]
        )


class LedgerColumn(NamedTuple):
    """What a column of a ledger is read as, and what stands in its first rows.

    The field is as in a mapping (``day:`` with a stage), ``mark:`` with a stage where cells say yes
    or no, ``founded_on`` and the like for what is read beside; None if it is not read. A column
    about people is never shown; one that isn't ``given`` in the file can't be named in a mapping.
    """

    header: str
    field: str | None
    values: tuple[str, ...]
    personal: bool
    given: bool


_SHOWN_ROWS, _SHOWN_CELL = 3, 40


def ledger_columns(
    table: TextTable, layout: OutcomeLayout, given: Collection[str]
) -> tuple[LedgerColumn, ...]:
    """Return what each column of a table is read as; ``given`` are the headers of the file."""
    fields = {place: name for name, columns in layout.fields.items() for place, _ in columns}
    fields |= {place: "name" for place, _ in layout.names}
    fields |= {days.position: f"day:{days.stage}" for days in layout.stage_days}
    fields |= {mark.position: f"mark:{mark.stage}" for mark in layout.stage_marks}
    there = {normal_header(header) for header in given}
    columns = []
    for place, header in enumerate(table.headers):
        meaning = recognise(header) if header else None
        personal = meaning is not None and meaning.personal
        texts = [] if personal else [text for text in table.column(place) if text][:_SHOWN_ROWS]
        values = tuple(shown(without_personal(text), _SHOWN_CELL) for text in texts)
        known = normal_header(header) in there
        columns.append(LedgerColumn(header, fields.get(place), values, personal, known))
    return tuple(columns)


class UnreadLedgerError(ListError):
    """A file that tells no outcomes; carries the columns of its sheets."""

    columns: tuple[tuple[str | None, tuple[LedgerColumn, ...]], ...] = ()

    def with_columns(
        self, columns: Iterable[tuple[str | None, tuple[LedgerColumn, ...]]]
    ) -> UnreadLedgerError:
        """Return it with the columns, so that they can be named."""
        self.columns = tuple(columns)
        return self


WRITTEN_DAY = re.compile(
    r"(?:19|20)\d\d(?:[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?!\d)|年(?![底末初中上下春夏秋冬第])(?:\d{1,2}月(?:\d{1,2}[日号])?)?"
    r"|(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])(?!\d))"
)
"""A day, a month or a year within a text."""


def day_in(text: str) -> str | None:
    """Return the one day that a text names, as written; missing if it names none, or several."""
    days = WRITTEN_DAY.findall(text)
    return days[0] if len(days) == 1 else None


def ledger_aliases(mapping: Mapping[str, str]) -> Aliases:
    """Return which headers name firms or stages in a ledger; ``mapping`` is the owner's."""
    known = {
        key: "name" if field == "project" else field
        for key, field in _BY_KEY.items()
        if field in {"name", "project", "stage"}
    }
    given = {normal_header(header): field for header, field in mapping.items()}
    return known | {
        key: field for key, field in given.items() if field in {"name", "credit_code", "stage"}
    }


def milestone_of(word: str) -> str | None:
    """Return the id of the milestone that a word names; missing if none is known.

    >>> milestone_of("已拿地"), milestone_of("签约")
    ('land', None)
    """
    framed = _DONE.fullmatch(tidy_word(word))
    return _MILESTONES.get(framed[1]) if framed else None


def stage_named(name: str) -> str | None:
    """Return the stage or milestone that somebody means by an id or by its name."""
    word = name.strip()
    if word in STAGES or word in MILESTONES:
        return word
    return milestone_of(word) or stage_of(word)[0]


def read_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return what an owner says of columns with the ids of stages; refuse what is no field."""
    read, wrong = {}, []
    for header, field in mapping.items():
        kind, _, name = field.partition(":")
        stage = stage_named(name) if kind == "day" and name else None
        if stage:
            read[header] = f"day:{stage}"
        elif field in (*FIELDS, UNREAD):
            read[header] = field
        else:
            wrong.append(Detail("--map", f"{header}={field}", WORDS["outcomes.a_field"]))
    if wrong:
        raise ListError(WORDS["mapping.bad_mapping"], wrong)
    return read


def lay_out_outcomes(
    table: TextTable, mapping: Mapping[str, str] | None = None
) -> OutcomeLayout:  # fmt: skip
    """Return what each column of a table of outcomes means, the owner's ``mapping`` first.

    Where several columns name firms, the courted one is meant, which is the investor; the company
    of the project is taken where no investor is named.
    """
    said = {normal_header(header): field for header, field in (mapping or {}).items()}
    given = [said.get(normal_header(header)) for header in table.headers]
    headers = ["" if field else name for name, field in zip(table.headers, given, strict=True)]
    canonical = lay_out(headers)
    fields: defaultdict[str, list[Field]] = defaultdict(list)
    days, marks, named = list[StageDays](), list[StageDays](), list[tuple[int, Field]]()
    for position, (header, field) in enumerate(zip(table.headers, given, strict=True)):
        kind, rank = (field, 0) if field else _kind_of(header, table.column(position))
        what, _, stage = (kind or "").partition(":")
        if what == "day" and stage:
            days.append(StageDays(position, header, stage))
        elif what == "mark":
            marks.append(StageDays(position, header, stage))
        elif what == "name" and not field:
            named.append((rank, (position, header)))
        elif what and what != UNREAD:
            fields[what].append((position, header))
    projects = fields.pop("project", [])
    dated = {column.position for column in days}
    for name, sources in canonical.sources.items():
        if name != "stage":
            fields[name] += [(source.position, source.header) for source in sources]
    fields["name"] += [place for _, place in sorted(named)]
    for name in ("status", "stage"):  # the better word last, which so comes first
        fields["stage"][:0] = [
            (source.position, source.header)
            for source in canonical.sources.get(name, ())
            if source.position not in dated
            and (name == "stage" or _tells_stages(table.column(source.position), fields["stage"]))
        ]
    registered = _registered_here(table, fields, days)
    told = bool(days or marks or fields["stage"])
    of_sheet = None if told or not table.sheet else stage_named(table.sheet)
    shown_by_cells = () if days or of_sheet else _by_content(table, canonical, fields, marks)
    layout = OutcomeLayout(
        canonical, fields, days, marks, projects, registered, sheet_stage=of_sheet,
        by_content=shown_by_cells,
    )  # fmt: skip
    return _with_the_unread(table, layout)


def _by_content(
    table: TextTable, canonical: Layout, fields: defaultdict[str, list[Field]],
    marks: Sequence[StageDays],
) -> tuple[str, ...]:  # fmt: skip
    """Take the only column whose cells are stages, or days, for theirs if no header names one."""
    read = {position for columns in fields.values() for position, _ in columns}
    read |= {column.position for column in marks}
    others = [
        (position, header)
        for position, header in enumerate(table.headers)
        if header in canonical.unused and position not in read
        for key in [normal_header(header)]
        if not (_NOT_THE_FIRST.search(key) or _AGREED.search(key) or _OF_ANOTHER.search(key))
    ]
    taken = []
    if not (marks or fields["stage"]):
        stages = [it for it in others if _are_stages(known_of(table.column(it[0])))]
        fields["stage"] += stages if len(stages) == 1 else []
        taken += fields["stage"]
    dated = any(fields[name] for name in ("day", "closed", "created", "updated"))
    if (marks or fields["stage"]) and not dated:
        days = [
            (position, header) for position, header in others
            if DATED.search(normal_header(header)) and _mostly_days(table.column(position))
        ]  # fmt: skip
        fields["day"] += days if len(days) == 1 else []
        taken += fields["day"]
    return tuple(header for _, header in taken)


def _are_stages(texts: Sequence[str]) -> bool:
    counts = Counter(texts)
    stages = sum(count for text, count in counts.items() if stage_of(text)[0])
    return 5 * stages >= 4 * counts.total() > 0


def _kind_of(header: str, texts: Sequence[str | None]) -> tuple[str | None, int]:
    """Return what a ledger alone has under a header, and the rank of one that names firms."""
    heading = read_heading(header)
    # What `columns.toml` knows means the same here, unless it holds the days of a stage.
    if heading and not (heading.column.name in {"status", "stage"} and _mostly_days(texts)):
        return None, 0
    key = next((key.key for key in readings(header) if key.key in _BY_KEY), "")
    if _STAGE_CHANGED.search(normal_header(header)):
        return "day", 0
    word = _BY_KEY.get(key)
    if key != normal_header(header) and (stage := _stage_of_days(header, texts)):
        return f"day:{stage}", 0
    if word == "stage" and _mostly_days(texts):
        return "day", 0
    if word is None and (stage := _stage_of_marks(header, texts)):
        return f"{'day' if any(map(day_of, known_of(texts))) else 'mark'}:{stage}", 0
    if word is None and OF_STAGES.fullmatch(normal_header(header)) and _names_steps(texts):
        return "stage", 0
    if word is None and _UPDATED_BY.fullmatch(normal_header(header)) and _mostly_days(texts):
        return "updated", 0
    return word, _RANKS.get(key, 0)


def _with_the_unread(table: TextTable, layout: OutcomeLayout) -> OutcomeLayout:
    read = {column.position for column in (*layout.stage_days, *layout.stage_marks)}
    read |= {position for columns in layout.fields.values() for position, _ in columns}
    if not any(layout.fields[name] for name in NAME_COLUMNS):
        read |= {position for position, _ in layout.projects}
    known = {source.position for sources in layout.canonical.sources.values() for source in sources}
    names = set(layout.canonical.unused)
    unused, unsure = [], []
    for position, header in enumerate(table.headers):
        if position in read | known or header not in names:
            continue
        unused.append(header)
        plain, texts = normal_header(header), table.column(position)
        if _NOT_THE_FIRST.search(plain) or _OF_ANOTHER.search(plain):
            continue
        known_texts = known_of(texts)
        days_or_marks = _mostly_days(texts) or mostly(texts, lambda it: tidy_word(it) in _MARKS)
        ends = (stage_of(text)[0] in ENDS for text in set(known_texts))
        if (days_or_marks and MAY_END.search(plain)) or (_are_stages(known_texts) and any(ends)):
            unsure.append(header)
    canonical = replace(layout.canonical, unused=tuple(unused))
    return replace(layout, canonical=canonical, unsure=tuple(unsure))


def _tells_stages(texts: Sequence[str | None], others: Sequence[Field]) -> bool:
    known = known_of(texts)
    if names_stages(known):
        return True
    return not others and bool(known) and not any(status_of(text) for text in set(known))


def _registered_here(
    table: TextTable, fields: defaultdict[str, list[Field]], days: list[StageDays]
) -> tuple[str, ...]:
    """Take 注册时间 for a stage if no firm has it before it was first met; return such headers."""
    others = [table.column(column.position) for column in days if column.stage in STAGES]
    taken = []
    for field in [*fields["founded_on"]] if others else ():
        later = earlier = 0
        for at, text in enumerate(table.column(field[0])):
            here = day_of(text) if text else None
            met = [day for texts in others if (other := texts[at]) and (day := day_of(other))]
            if here and met:
                later += here >= min(met)
                earlier += here < min(met)
        if _FOUNDED_HERE.search(field[1]) and later > 0 == earlier:
            fields["founded_on"].remove(field)
            days.append(StageDays(*field, "registered"))
            taken.append(field[1])
    return tuple(taken)


def _stage_of_days(header: str, texts: Sequence[str | None]) -> str | None:
    """Return the stage whose days stand in a column; missing if it holds something else."""
    for reading in readings(header):
        if _NOT_THE_FIRST.search(reading.key) or _AGREED.search(reading.key):
            return None
        # 签约 of 签约日期, contact of dateoffirstcontact
        if dated := _DAY_WORD.fullmatch(reading.key):
            word = next(filter(None, dated.groups()), "").strip("/")
            bare = re.sub(r"^(?:first|首次|实际|正式)", "", word)
            if stage := milestone_of(bare) or stage_of(bare)[0]:
                return stage
    if entered := _ENTERED.fullmatch(header.strip()):
        return stage_named(entered[1])
    last = normal_header(header).rpartition("/")[2]
    spaced = _AROUND_STAGE.sub(" ", header.lower()).strip()
    last_stage = milestone_of(last) or stage_of(last)[0] or stage_of(spaced)[0]
    return last_stage if last_stage and _mostly_days(texts) else None


def _stage_of_marks(header: str, texts: Sequence[str | None]) -> str | None:
    """Return the stage that a column of 是 and 否, or of ticks, says to be reached."""
    key = normal_header(header).rpartition("/")[2]
    asked = _MARK_WORD.fullmatch(key)
    if asked is None or _NOT_THE_FIRST.search(key) or _AGREED.search(key) or DATED.search(key):
        return None
    stage = milestone_of(asked["stage"]) or stage_of(asked["stage"])[0]
    if stage and mostly(texts, lambda text: tidy_word(text) in _MARKS or day_of(text)):
        return stage
    return None


def _names_steps(texts: Sequence[str | None]) -> bool:
    known = known_of(texts)
    return names_stages(known) or mostly(known, WRITTEN_DAY.search)


def end_of(header: str) -> str | None:
    """Return the end of which a column gives the reason, as 输单原因 and Lost Reason do."""
    stage = stage_of(_REASON.sub(" ", header.lower()).strip())[0]
    return stage if stage in ENDS else None


def known_of(texts: Iterable[str | None]) -> list[str]:
    """Return the cells that say something."""
    return [text for text in texts if text is not None and not says_nothing(text)]


def _mostly_days(texts: Iterable[str | None]) -> bool:
    return mostly(texts, day_of)


def mostly(texts: Iterable[str | None], test: Callable[[str], object]) -> bool:
    """Tell whether most cells that say something pass a test."""
    counts = Counter(known_of(texts))
    return 2 * sum(count for text, count in counts.items() if test(text)) > counts.total()


ENDS = ("lost", "paused")
_MEANT = re.compile(VOCABULARY["outcomes"]["meant"])
_BETWEEN_SENTENCES = re.compile(r"[\r\n\x0b;；。]+|->|→|=>")
_BETWEEN_STEPS = re.compile(r"[,，、](?=\s*(?:(?:19|20)\d\d|(?:同年|当年)?\d{1,2}月))")
_YEAR_LEFT_OUT = re.compile(
    r"\s*(?:同年|当年)?(?P<month>\d{1,2})"
    r"(?:月(?:(?P<day>\d{1,2})[日号])?|[.．](?P<dotted>\d{1,2})(?=[\s:：]*[^\W\d亿万千元亩家个套吨倍折]))"
)
_BEFOREHAND = re.compile(r"\s*[底末初份]?(?:[上中下]旬)?(?:之|以)?前(?![期往来])")
_NUMBER_BEFORE = re.compile(r"^\s*(?:[(（]?\d{1,2}[)）、]|\d{1,2}[.．](?!\d)|[①-⑳•·*-])\s*")
_AROUND_DAY = re.compile(r"^[\s:：,，、()（）\[\]【】\-—–~]+|[\s:：,，、()（）\[\]【】\-—–~]+$")
_CLAUSE = re.compile(r"[,，;；。、]")


class Said(NamedTuple):
    """What a cell says: a stage or milestone, or ``steps`` (each with its day as written).

    ``kind`` is "stage", "steps", "meant" (nothing is reached yet), "skipped" (its owner says that
    it tells none), "mixed" (steps, of which one may tell an end and is not understood) or
    "unknown"; ``day`` is the one that the cell gives for the stage itself; ``unread`` are pieces
    beside steps that tell no stage with its day.
    """

    kind: str
    stage: str | None = None
    reason: str | None = None
    day: str | None = None
    steps: tuple[tuple[str, str, str | None], ...] = ()
    unread: tuple[str, ...] = ()


class ProgressReader(dict[str, Said]):
    """Reads cells of stages, each distinct text once; ``given`` has stages or "-" by tidy word.

    >>> reader = ProgressReader({"不谈了": "lost"}, frozenset())
    >>> reader["不谈了"].stage, reader["2024.3 对接；2024.6 签约"].steps
    ('lost', (('contacted', '2024.3', None), ('signed', '2024.6', None)))
    """

    def __init__(self, given: Mapping[str, str], here: Here) -> None:
        self._given, self._here = given, here

    def __missing__(self, text: str) -> Said:
        """Read a text that was not read before, and remember it."""
        self[text] = said = self._read(text)
        return said

    def _read(self, text: str) -> Said:
        word = tidy_word(text)
        if word in self._given:
            return self._one(text)
        sentences = [
            [_NUMBER_BEFORE.sub("", piece) for piece in _BETWEEN_STEPS.split(sentence)]
            for sentence in _BETWEEN_SENTENCES.split(text)
            if sentence.strip()
        ]
        dated = [piece for pieces in sentences for piece in pieces if WRITTEN_DAY.search(piece)]
        if dated and len([piece for pieces in sentences for piece in pieces]) > 1:
            return self._steps(sentences)
        if len(dated) == 1 and (day := day_in(text)) and day_of(day):
            said = self._on(day, text)
            if said.kind == "meant":
                return said
            if said.kind == "stage":
                joined = re.sub(rf"({re.escape(day)})[\s,，:：、]+", r"\1", text)
                own = [part for part in _CLAUSE.split(joined) if day in part]
                rest = own[0].replace(day, "", 1) if len(own) == 1 else ""
                same = not _CLAUSE.search(joined) or self._one(rest).stage == said.stage
                return said._replace(day=day if same else None)
        return self._one(text)

    def _on(self, day: str, piece: str) -> Said:
        # 2024年7月1日前开工 tells what is meant, although 开工 alone would be reached.
        said = self._one(_AROUND_DAY.sub("", piece.replace(day, "", 1)))
        if _BEFOREHAND.match(piece.partition(day)[2]):
            return Said("meant")
        whole = self._one(piece)
        return whole if whole.kind == "meant" else said

    def _one(self, text: str) -> Said:
        word = tidy_word(text)
        if (given := self._given.get(word)) is not None:
            return Said("skipped") if given == "-" else Said("stage", given)
        if milestone := milestone_of(text):
            return Said("stage", milestone)
        said = stage_said(text, self._here)
        if said.stage is not None:
            return Said("stage", said.stage, said.reason)
        denied = said.kind == "not_reached" and not MAY_END.search(word)
        return Said("meant" if denied or _MEANT.fullmatch(word) else "unknown")

    def _steps(self, sentences: Iterable[list[str]]) -> Said:
        steps, unread = list[tuple[str, str, str | None]](), list[str]()
        unknown = list[tuple[date | None, int]]()  # day, and number of steps before
        days, meant = list[date](), False
        for sentence in sentences:
            planned = False  # 拟于2024年5月签约，6月开工
            for piece in sentence:
                whole = _with_year(piece, days[-1] if days else None)
                day = day_in(whole)
                on = day_of(day) if day else None
                said = self._on(day, whole) if day else self._one(whole)
                # Where steps go backwards, the year of the one before may not be that of this one.
                sure = whole == piece or _further(said.stage, steps[-1][0] if steps else None)
                if said.kind in ("meant", "skipped"):
                    meant, planned = True, planned or said.kind == "meant"
                elif said.stage and day and on and sure and not planned:
                    steps.append((said.stage, day, said.reason))
                    days.append(on)
                elif said.stage in ENDS or MAY_END.search(tidy_word(piece)):
                    return Said("mixed")
                elif planned or not sure or said.stage not in {stage for stage, _, _ in steps}:
                    unread.append(piece)
                    unknown += [] if said.stage else [(on if sure else None, len(steps))]
        if steps and not any(_may_be_last(*piece, days) for piece in unknown):
            return Said("steps", steps=tuple(steps), unread=tuple(unread))
        return Said("mixed" if steps or unread or not meant else "meant")


def _further(stage: str | None, before: str | None) -> bool:
    order = [*STAGES]
    known = stage in STAGES and before in STAGES
    return not known or order.index(str(stage)) > order.index(str(before))


def _may_be_last(on: date | None, at: int, days: Sequence[date]) -> bool:
    """Tell whether what is not understood may lie behind all steps, and so be the end."""
    if on:
        return on >= max(days)
    if days[0] == days[-1]:
        return True
    return at == (0 if days[0] > days[-1] else len(days))


def _with_year(piece: str, last: date | None) -> str:
    """Return a piece that begins with a day without year with that of the step before.

    As it stands if it would lie before that step, so that the year is not certain.
    """
    given = _YEAR_LEFT_OUT.match(piece)
    if last is None or given is None:
        return piece
    day = given["day"] or given["dotted"]
    written = f"{last.year}年{given['month']}月" + (f"{day}日" if day else "")
    on = day_of(written)
    early = on is None or (on < last if day else (on.year, on.month) < (last.year, last.month))
    return piece if early else written + piece[given.end() :]
