"""The command that ranks a list: it writes the files, then prints what a terminal shows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leadscore.cli.group import (
    ACTOR,
    FILE,
    Run,
    audit_trail,
    city_option,
    cli,
    day_option,
    opened,
    problems_option,
    with_run,
)
from leadscore.cli.reading import mapping_of, mapping_options, saying_what_to_map
from leadscore.errors import OutputError
from leadscore.numbers import expected, interval, likelihood, share
from leadscore.terminal import (
    GAP,
    Align,
    Progress,
    columns,
    cut,
    display_width,
    echo,
    fit,
    is_terminal,
    tame,
    wrap,
)
from leadscore.text import Lang, Text, room_words

if TYPE_CHECKING:
    import pandas as pd

    from leadscore.ranking.batch import Ranking
    from leadscore.ranking.vetoes import ExclusionList
    from leadscore.settings import Settings

WORDS = room_words("cli")

WIDEST, _NARROWEST = 100, 80  # terminal columns that the table takes at most and at least
MOST_LINES = 6  # that the reasons of one firm may take

_LONG_LIST = 2_000
_MOST_KEPT = 50_000  # of a list that is kept unasked: nobody courts more, and a register is no list
_PLACE = 20  # room for the longest role, and for enough of the segment to know it by
# The columns of the printed table, and where their cells stand.
_ALIGNS: dict[str, Align] = {
    "rank": "right", "grade": "centre", "name": "left", "place": "left",
    "priority": "right", "likelihood": "right", "range": "right", "fit": "right",
}  # fmt: skip
_NUMBERS = {"priority": likelihood, "likelihood": likelihood, "fit": share}
_ENDS = ("likelihood_low", "likelihood_high")
_COLOURS = {"A": "1;32", "B": "32", "C": "33"}
_DIM = "2"


@cli.command()
@click.argument("listed", metavar="LIST", type=FILE)
@click.option(
    "-o", "--output", metavar="OUT", type=FILE,
    help="Write the whole ranking: .xlsx, .csv or .parquet. 写出完整排名。",
)  # fmt: skip
@city_option
@click.option(
    "--top", metavar="N", type=click.IntRange(min=0), default=20, show_default=True,
    help="Firms to print; the file holds all. 屏幕显示的家数。",
)  # fmt: skip
@with_run
@problems_option
@mapping_options
@click.option(
    "--exclude", metavar="FILE", type=FILE,
    help="A list of firms that are not to be courted. 排除名单。",
)  # fmt: skip
@click.option(
    "--as-of", metavar="DATE",
    help="Rank an old list as it was known on that day. 按当日所知给旧名单排名。",
)  # fmt: skip
@click.option(
    "--plain", is_flag=True,
    help="Leave out what officers have corrected. 不计人工修正。",
)  # fmt: skip
@click.option(
    "--keep/--no-keep", default=None,
    help="Keep a snapshot of the firms to learn from later; by default of lists up to 50,000. "
    "保存快照供以后学习。",
)  # fmt: skip
@click.option(
    "--processes", metavar="N", type=click.IntRange(min=1),
    help="Processes that score; by default one for each core, up to 8, from 20,000 rows on. "
    "评分用的进程数。",
)  # fmt: skip
def rank(
    run: Run, listed: Path, output: Path | None, city: Path | None, top: int,
    problems: Path | None, said: tuple[str, ...], units: tuple[str, ...], exclude: Path | None,
    as_of: str | None, plain: bool, keep: bool | None, processes: int | None,
) -> None:  # fmt: skip
    """Rank a candidate list: CSV (also gzipped), .xlsx, .xls, .ods or Parquet. 给候选名单排名。"""
    settings = run.settings()
    from leadscore.lists.corrections import NO_CORRECTIONS
    from leadscore.lists.writing import (
        check_distinct,
        check_ranking_path,
        write_problems,
        write_ranking,
    )
    from leadscore.ranking.batch import rank_list
    from leadscore.ranking.vetoes import Exclusions, load_exclusions
    from leadscore.settings import plain_wanted
    from leadscore.startup import open_scoring

    # Before the work, not after it.
    check_distinct({
        "LIST": listed, "--output": output, "--problems": problems, "--exclude": exclude,
        "--city": city or settings.city,
    })  # fmt: skip
    for path in filter(None, (output, problems)):
        check_ranking_path(path)
    mapping = mapping_of(said, units)
    today = day_option(as_of or None, "--as-of")
    scorer, corrections = open_scoring(settings, city, as_of=today, notify=run.tell)
    excluded = load_exclusions(exclude, today=today) if exclude else None
    exclusions = Exclusions(
        excluded.credit_codes if excluded else frozenset(),
        excluded.names if excluded else frozenset(), lost_rest=_lost_rest(settings),
    )  # fmt: skip
    with saying_what_to_map(), Progress(run.lang, shown_from=_LONG_LIST) as progress:
        ranking = rank_list(
            listed, scorer, today=today, lang=run.lang,
            exclusions=exclusions, worded=None if output else top, processes=processes,
            mapping=mapping, corrections=NO_CORRECTIONS if plain else corrections,
            loaded=lambda clean: progress.start(len(clean.records)),
        )  # fmt: skip
    kept = _keep(ranking, settings, run, source=listed.name, as_of=today, keep=keep)
    # What the disk refuses is still printed.
    written: list[Path] = []
    refused: OutputError | None = None
    sums, found, lang = _sums(ranking, excluded, run.lang), ranking.problems, run.lang
    try:
        if output:
            summary = _summary(ranking, sums, scorer.city.name, today, lang)
            write_ranking(ranking.table, output, lang=lang, problems=found, summary=summary)
            written.append(output)
        if problems:
            write_problems(found, problems, lang=lang)
            written.append(problems)
    except OutputError as error:
        refused = error
    try:
        for notice in ranking.notices:
            run.tell(notice)
        colour = is_terminal(sys.stdout) and not plain_wanted()
        width = columns(WIDEST)
        echo(print_ranking(ranking.table, lang=lang, top=top, width=width, colour=colour))
        for path in written:
            run.say(WORDS["delivery.written"].format(path=path))
        if found and not problems:
            number = _counted(len(found), "problem")
            run.say(WORDS["delivery.problems"].format(count=len(found), problems=number))
        for line in filter(None, (kept, *sums)):
            run.say(line)
    finally:
        if refused:
            raise refused


def _lost_rest(settings: Settings) -> bool:
    # What the office has settled; a list alone doesn't tell since when a firm is lost.
    from leadscore.startup import kept_database
    from leadscore.store.office import Office, read_office

    with kept_database(settings) as database:
        if database is None:
            return Office().rest_months > 0
        with database.read() as connection:
            return read_office(connection).rest_months > 0


def _keep(
    ranking: Ranking, settings: Settings, run: Run, *, source: str, as_of: date, keep: bool | None
) -> Text | None:
    # The firms as they were known; returns what to say of it. A failure is only told.
    if keep is False or not len(ranking.firms):
        return None
    if keep is None and len(ranking.firms) > _MOST_KEPT:
        return WORDS["ranking.too_many"].format(most=_MOST_KEPT)
    from leadscore.store.audit import Record
    from leadscore.store.database import StoreError
    from leadscore.store.snapshots import SqlSnapshots

    trail, now, model = audit_trail(settings), datetime.now(UTC), ranking.model
    details = {"firms": len(ranking.firms), "as_of": as_of.isoformat(), "model": model}
    record = Record(ACTOR, "administrator", "ranking.keep", "file", source, details=details)
    try:
        with opened(settings) as database:
            store = SqlSnapshots(database)
            first = store.is_empty()
            store.keep(
                ranking.firms, as_of=as_of, model=model, source=source, now=now,
                noting=lambda connection: trail.append(connection, record, now),
            )  # fmt: skip
    except StoreError as error:
        run.tell(WORDS["ranking.not_kept"].format(reason=error.message))
        return None
    return WORDS["ranking.first_kept"].format(where=database.shown) if first else None


def _sums(ranking: Ranking, excluded: ExclusionList | None, lang: Lang) -> list[Text]:
    # Where the firms of the exclusion list and every row went.
    sums = [ranking.counts.sentence()]
    courted = ranking.table.loc[ranking.table["veto"].isna(), "likelihood"]
    if len(courted):
        sums.append(WORDS["delivery.expected"].format(number=expected(float(courted.sum()))))
    if ranking.corrected:
        number = _counted(ranking.corrected, "firm")
        sums.insert(0, WORDS["ranking.corrected"].format(count=ranking.corrected, firms=number))
    if excluded is None:
        return sums
    from leadscore.ranking.vetoes import WORDING

    unread = sum(problem.set_aside for problem in excluded.problems)
    count = excluded.rows_in - unread
    hits = ranking.table["veto"].eq(WORDING["excluded"].pick(lang))
    excluding = WORDS["delivery.excluded"].format(
        count=count, firms=_counted(count, "firm"), found=int(hits.sum()),
        unread=unread, rows=_counted(unread, "row"),
    )  # fmt: skip
    return [excluding, *sums]


def _summary(
    ranking: Ranking, sums: list[Text], city: Text, today: date, lang: Lang
) -> list[tuple[str, str]]:
    # What a workbook says above its columns: what was ranked, and what to know.
    lines = [("city", city.pick(lang)), ("model", ranking.model), ("date", today.isoformat())]
    lines += [("rows", line.pick(lang)) for line in sums]
    lines += [("note", notice.pick(lang)) for notice in ranking.notices]
    return [(WORDS[f"delivery.summary.{label}"].pick(lang), text) for label, text in lines]


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def print_ranking(
    table: pd.DataFrame, *, lang: Lang, top: int = 20, width: int = WIDEST, colour: bool = False
) -> str:
    """Return the first ``top`` firms of a `ranking_table`, and as many vetoed ones, as text.

    No line exceeds ``width``, taken as 100 if wider and as 80 if narrower. ``colour`` lets grades
    be coloured by ANSI sequences; the texts of the list never bring any, nor other control or
    format characters.
    """
    width = min(max(width, _NARROWEST), WIDEST)
    ranked, vetoed = table[table["rank"].notna()], table[table["rank"].isna()]
    if len(ranked):
        lines = _ranked_lines(ranked, top, lang, width, colour)
    else:
        nobody = WORDS["delivery.all_vetoed"] if len(vetoed) else WORDS["delivery.empty"]
        lines = wrap(nobody.pick(lang), width)
    if len(vetoed):
        lines += ["", *_vetoed_lines(vetoed, top, lang, width, colour)]
    return "\n".join(lines)


def _widths(headers: dict[str, str], firms: list[dict[str, str]], width: int) -> dict[str, int]:
    # Numbers get what they need; firm and segment share the rest. Where both want more than there
    # is, each gets half, or what the other leaves of its own.
    widths = {name: display_width(header) for name, header in headers.items()}
    widths |= {name: max(widths[name], len(">99.9%")) for name in _NUMBERS}
    for column in ("rank", "range", "name", "place"):
        widths[column] = max([widths[column], *(display_width(firm[column]) for firm in firms)])
    name, place = widths.pop("name"), widths.pop("place")
    rest = width - sum(widths.values()) - len(GAP) * (len(headers) - 1)
    place = min(place, max(rest - name, rest // 2, _PLACE))
    return widths | {"place": place, "name": rest - place}


def _line(cells: dict[str, str], widths: dict[str, int], paint: str = "") -> str:
    parts = {name: fit(cells[name], widths[name], align) for name, align in _ALIGNS.items()}
    parts["grade"] = _painted(parts["grade"], paint)
    return GAP.join(parts.values()).rstrip()


def _ranked_lines(table: pd.DataFrame, top: int, lang: Lang, width: int, colour: bool) -> list[str]:
    firms = [firm | {"place": _place(firm, lang)} for firm in _records(table.head(top))]
    headers = {name: WORDS[f"delivery.head.{name}"].pick(lang) for name in _ALIGNS}
    widths = _widths(headers, firms, width)
    indent = widths["rank"] + widths["grade"] + 2 * len(GAP)  # up to the firm's name
    lines = [_line(headers, widths), "-" * width]
    for firm in firms:
        paint = _COLOURS.get(firm["grade"], "") if colour else ""
        lines.append(_line(firm | {"place": _place(firm, lang, widths["place"])}, widths, paint))
        if firm["stage"]:
            stage = WORDS["delivery.stage"].format(stage=firm["stage"]).pick(lang)
            lines += _indented(stage, indent, width)
        lines += _indented(firm["reasons"], indent, width)
    for certainty in dict.fromkeys(firm["certainty"] for firm in firms if firm["certainty"]):
        lines += wrap(WORDS["delivery.certainty"].format(certainty=certainty).pick(lang), width)
    if len(table) > top:
        lines += wrap(WORDS["delivery.more"].format(count=len(table) - top).pick(lang), width)
    return lines


def _vetoed_lines(table: pd.DataFrame, top: int, lang: Lang, width: int, colour: bool) -> list[str]:
    lines = [WORDS["delivery.vetoed"].format(count=len(table)).pick(lang)]
    for firm in _records(table.head(top)):
        text = WORDS["delivery.colon"].pick(lang).join(filter(None, (firm["name"], firm["veto"])))
        lines += [_painted(line, _DIM if colour else "") for line in _indented(text, 2, width)]
    if len(table) > top:
        more = WORDS["delivery.more_vetoed"].format(count=len(table) - top)
        lines += wrap(more.pick(lang), width)
    return lines


def _records(table: pd.DataFrame) -> Iterator[dict[str, str]]:
    # The few firms that are shown, in words that are safe to print.
    from pandas import isna

    def shown(name: str, value: Any) -> str:
        if isna(value):
            return ""
        return _NUMBERS[name](value) if name in _NUMBERS else tame(str(value))

    for record in table.to_dict("records"):
        low, high = (record[name] for name in _ENDS)
        ends = "–" if isna(low) or isna(high) else interval(low, high)
        yield {str(name): shown(str(name), value) for name, value in record.items()} | {
            "range": ends
        }


def _place(firm: dict[str, str], lang: Lang, room: int | None = None) -> str:
    # Where room is short, the segment is cut and not the role.
    segment, role = firm["segment_name"], firm["role_name"]
    if not segment:
        return "-"
    if role:
        role = WORDS["delivery.brackets"].format(role=role).pick(lang)
    return (segment if room is None else cut(segment, max(room - display_width(role), 2))) + role


def _painted(text: str, codes: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _indented(text: str, indent: int, width: int) -> list[str]:
    return [" " * indent + line for line in wrap(text, width - indent, MOST_LINES)]
