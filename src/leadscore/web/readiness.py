"""Whether the service is well: whether it can answer, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from leadscore.errors import LeadscoreError
from leadscore.language import Lang, Text
from leadscore.store.jobs.jobs import QueueState

STUCK_AFTER = timedelta(minutes=10)
"""A queue from which nobody takes anything for so long is stuck."""

_AWAY = Text(
    zh="数据库连不上；评分仍可用，其余暂不可用",
    en="the database is away; scoring works, all else does not",
)
_NO_CHAMPION = Text(
    zh="现役模型无法确定或读取；正由“{serving}”评分",
    en="which model is the champion can't be told; {serving} scores",
)
_OTHER_MODEL = Text(
    zh="现役模型是“{champion}”，而正在评分的是“{serving}”；请重新启动服务",
    en="the champion is {champion}, but {serving} scores; start the service anew",
)
_NO_WORKER = Text(
    zh="后台进程没有运行；任务在等待，服务会自行重新启动它",
    en="the worker process is down; jobs wait, and the service is starting it anew",
)
_STUCK = Text(
    zh="有任务从{since}起一直没有人做；请查看后台进程是否在运行",
    en="a job has been waiting since {since} and nobody does any; see that a worker runs",
)

Code = Literal["database_away", "champion_unknown", "not_champion", "worker_down", "queue_stuck"]


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """Something that is not as it should be."""

    code: Code
    words: Text


@dataclass(frozen=True, slots=True)
class Condition:
    """How the service is.

    Attributes
    ----------
    model, city
        What scores, for which city.
    shortcomings
        What is not as it should be; empty if it is well.
    """

    model: str
    city: str
    shortcomings: tuple[Shortcoming, ...]

    @property
    def status(self) -> Literal["ready", "degraded"]:
        """In one word."""
        return "degraded" if self.shortcomings else "ready"

    @property
    def answers(self) -> bool:
        """Whether requests should be sent here at all: not without the database."""
        return all(each.code != "database_away" for each in self.shortcomings)

    def body(self, lang: Lang) -> dict[str, Any]:
        """Return the condition as plain values: status, model, city, and why it is degraded."""
        because = [
            {"code": each.code, "message": each.words.pick(lang)} for each in self.shortcomings
        ]
        return {
            "status": self.status, "model": self.model, "city": self.city, "because": because,
        }  # fmt: skip


def readiness(
    *,
    serving: str,
    city: str,
    champion: Callable[[], str | None],
    queue: Callable[[], QueueState],
    worker_alive: bool | None,
    now: datetime,
) -> Condition:
    """Look whether the service is well.

    Parameters
    ----------
    serving
        Version of the model that scores.
    city
        Id of the city.
    champion
        Returns the version that should score, or None if none was promoted.
    queue
        Returns how the queue is.
    worker_alive
        Whether the server's own worker runs; None if workers are run elsewhere.
    now
        Time with a zone.
    """
    found = [*_of_model(serving, champion), *_of_queue(queue, now)]
    if worker_alive is False:
        found.append(Shortcoming("worker_down", _NO_WORKER))
    return Condition(serving, city, tuple(found))


def _of_model(serving: str, champion: Callable[[], str | None]) -> Sequence[Shortcoming]:
    try:
        wanted = champion()
    except LeadscoreError:
        return [Shortcoming("champion_unknown", _NO_CHAMPION.format(serving=serving))]
    if wanted is None or wanted == serving:
        return []
    words = _OTHER_MODEL.format(champion=wanted, serving=serving)
    return [Shortcoming("not_champion", words)]


def _of_queue(queue: Callable[[], QueueState], now: datetime) -> Sequence[Shortcoming]:
    try:
        state = queue()
    except LeadscoreError:
        return [Shortcoming("database_away", _AWAY)]
    waiting = state.waiting_since
    # A job may wait for hours behind another one, but not behind nobody.
    works = state.last_beat is not None and now - state.last_beat <= STUCK_AFTER
    if waiting is None or now - waiting <= STUCK_AFTER or works:
        return []
    return [Shortcoming("queue_stuck", _STUCK.format(since=waiting.isoformat(timespec="minutes")))]
