"""Of forty ledgers in different layouts nearly all is read right, and no loss is dropped."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.ledgers import Case, Event, layouts

from leadscore.errors import LeadscoreError
from leadscore.lists.outcomes import OutcomeList, load_outcomes
from leadscore.terminal import echo

TODAY = date(2026, 1, 1)
CASES = layouts()


def read(listed: OutcomeList) -> set[Event]:
    entries = listed.entries
    days = entries["day"].dt.date
    return set(zip(entries["name"], entries["stage"], days, strict=True))


def measured(case: Case, folder: Path) -> tuple[set[Event], set[Event], OutcomeList | None]:
    try:
        listed = load_outcomes(case.write(folder), today=TODAY)
    except LeadscoreError as error:
        echo(f"{case.name}: {error.render('zh')}")
        return set(), set(), None
    events = read(listed)
    return events & case.events, events - case.events, listed


def table(folder: Path, cases: list[Case]) -> tuple[int, int, int, list[str]]:
    """Print each layout's events, those read right and wrong; return the sums, and lost losses."""
    total = right = wrong = 0
    dropped = []
    for case in cases:
        good, bad, listed = measured(case, folder)
        total, right, wrong = total + len(case.events), right + len(good), wrong + len(bad)
        losses = {event for event in case.events if event[1] == "lost"}
        stops = listed is None or listed.unknown or listed.unsure or listed.endings
        if not losses <= good and not stops:
            dropped.append(case.name)
        counts = f"{len(case.events):6}{len(good):6}{len(bad):6}"
        echo(f"{case.name:24}{counts}{len(losses & good):6}/{len(losses)}")
    echo(f"{'all':24}{total:6}{right:6}{wrong:6}  {right / total:.1%}")
    return total, right, wrong, dropped


def test_of_forty_ledgers_nearly_all_is_read_and_no_loss_is_dropped(tmp_path: Path) -> None:
    assert len(CASES) == 40
    total, right, wrong, dropped = table(tmp_path, CASES)
    assert not dropped
    assert right >= 0.98 * total
    assert wrong == 0
