"""Decides which version may serve next: promotes what is sound and allowed, and goes back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from leadscore.errors import ModelError
from leadscore.language import Text
from leadscore.learning.shelf.champions import Champions
from leadscore.learning.shelf.succession import Act, Promotion, in_one_line, is_expert
from leadscore.learning.shelf.versions import Versions

_log = logging.getLogger(__name__)

_OTHER_CITY = Text(
    zh="模型“{version}”属于城市“{owner}”，不能用于“{city}”。请换用该城市的版本，"
    "或用 --city 指明另一份画像。",
    en="the model {version} is one of the city {owner} and can't serve {city}. Use a version of "
    "that city, or name the other profile with --city.",
)
_NEEDS_REASON = Text(
    zh="模型“{version}”没有通过检验：{gates}仍要启用，请用 --reason 写明理由，理由会留存。",
    en="the model {version} did not pass its gates: {gates} To let it serve nevertheless, give a "
    "reason with --reason; it is kept.",
)
_NOTHING_BEFORE = Text(
    zh="“{city}”没有可以退回的模型：现役模型之前没有别的完好版本。"
    "可用 leadscore models list 查看全部版本，用 leadscore models promote 指定一个。",
    en="there is no model of {city} to go back to: no sound version served before the champion. "
    "See all with leadscore models list, and choose one with leadscore models promote.",
)
_PASSED_OVER = Text(
    zh="退回时跳过了不能使用的模型“{version}”。原因：{reason}",
    en="the model {version}, which can't be used, was passed over on the way back. "
    "Reason: {reason}",
)


class Promoting:
    """What `Shelf.promote` and `Shelf.rollback` do.

    Parameters
    ----------
    versions
        The versions to choose from.
    champions
        Where the choice is kept.
    """

    def __init__(self, versions: Versions, champions: Champions) -> None:
        self._versions, self._champions = versions, champions

    def promote(
        self, city_id: str, version: str, *, act: Act, now: datetime, reason: str | None
    ) -> None:
        """See `Shelf.promote`."""
        if now.tzinfo is None:
            msg = "The time of a promotion needs a time zone."
            raise ValueError(msg)
        manifest, _ = self._versions.checked(version)
        owner = owner_of(manifest, version, city_id)
        if owner != city_id:
            raise ModelError(_OTHER_CITY.format(version=version, owner=owner, city=city_id))
        try:
            if self._champions.champion(city_id) == version:
                return
        except ModelError as fault:  # the pointer that takes its place mends it
            _log.info("%s", fault)
        given = in_one_line(reason or "")
        failed = _failed_gates(manifest)
        if act == "by_hand" and failed is not None and not given:
            raise ModelError(_NEEDS_REASON.format(version=version, gates=failed))
        previous = next(iter(self._champions.line(city_id)), None)
        self._champions.crown(city_id, Promotion(now, version, act, given or None, previous))

    def roll_back(
        self,
        city_id: str,
        *,
        now: datetime,
        reason: str | None,
        last_resort: Callable[[], str] | None,
        notify: Callable[[Text], object],
    ) -> str:
        """See `Shelf.rollback`."""
        served = self._champions.line(city_id)
        if served:
            self._versions.key.require(served[0])
        for version in served[1:]:
            try:
                self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
            except ModelError as fault:
                told = Text(zh=fault.render("zh"), en=fault.render("en"))
                notify(_PASSED_OVER.format(version=version, reason=told))
            else:
                return version
        if last_resort is None or not served or is_expert(city_id, served[0]):
            raise ModelError(_NOTHING_BEFORE.format(city=city_id))
        version = last_resort()
        self.promote(city_id, version, act="rolled_back", reason=reason, now=now)
        return version


def owner_of(manifest: Mapping[str, Any] | None, version: str, city_id: str) -> str | None:
    """Return the id of the city that a version belongs to; without a manifest its name tells."""
    if manifest is None:
        return city_id if version.startswith(f"{city_id}-") else None
    city = manifest.get("city")
    return city.get("id") if isinstance(city, Mapping) else None


def _failed_gates(manifest: Mapping[str, Any]) -> Text | None:
    """Return what the gates say that a model failed, or None if it passed or met none."""
    decision = manifest.get("decision")
    if not isinstance(decision, Mapping) or decision.get("promoted") is not False:
        return None
    sentences = [gate["sentence"] for gate in decision["gates"] if not gate["passed"]]
    return Text(
        zh="".join(sentence["zh"] for sentence in sentences),
        en=" ".join(sentence["en"] for sentence in sentences),
    )
