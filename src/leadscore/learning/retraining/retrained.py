"""What came of a retraining, and how a person is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.pipeline import Pipeline

from leadscore.language import Text
from leadscore.learning.outcomes.labels import LEFT_OUT
from leadscore.learning.promotion.decision import Decision

_TRAINED = Text(
    zh="候选模型“{version}”：学习了{known}家已知结果，其中达成{positive}家。",
    en="Challenger {version}: learned from {known} known outcomes, of which {positive} reached "
    "the target.",
)
_LEFT = Text(zh="未用于学习{count}家：{why}。", en="Not learned from ({count}): {why}.")
_DRY_RUN = Text(
    zh="只作试算：没有保存，现役模型仍为“{champion}”。",
    en="Dry run: nothing was saved, and {champion} serves on.",
)
_SERVES_NEW = Text(
    zh="即日起由“{version}”评分；如需退回“{champion}”，请运行 leadscore models rollback。",
    en="{version} scores from now on; leadscore models rollback goes back to {champion}.",
)
_SERVES_ON = Text(
    zh="“{champion}”继续评分；候选模型已保存，可用 leadscore models show {version} 查看。",
    en="{champion} scores on; the challenger is kept, see leadscore models show {version}.",
)


@dataclass(frozen=True, eq=False)
class Retraining:
    """What came of it.

    Attributes
    ----------
    version
        Name of the challenger.
    champion
        What served until now.
    decision
        Whether the challenger serves from now on, and why.
    manifest
        What is written down of the challenger.
    pipeline
        Features and card, fitted.
    dry_run
        True if nothing was saved and nothing promoted.
    notices
        What one should know of the outcomes.
    """

    version: str
    champion: str
    decision: Decision
    manifest: dict[str, Any]
    pipeline: Pipeline
    dry_run: bool
    notices: tuple[Text, ...]

    @property
    def serves(self) -> str:
        """The version that serves from now on."""
        return self.version if self.decision.promoted and not self.dry_run else self.champion

    @property
    def preface(self) -> tuple[Text, ...]:
        """What a person should know before the decision."""
        outcomes = self.manifest["outcomes"]
        known, positive = outcomes["known"], outcomes["positive"]
        trained = _TRAINED.format(version=self.version, known=known, positive=positive)
        left = outcomes["left_out"].items()
        return (
            trained,
            *(_LEFT.format(count=count, why=LEFT_OUT[reason]) for reason, count in left),
            *self.notices,
        )

    @property
    def upshot(self) -> Text:
        """Which model serves from now on, in words."""
        said = _DRY_RUN if self.dry_run else _SERVES_NEW if self.decision.promoted else _SERVES_ON
        return said.format(version=self.version, champion=self.champion)
