"""Where the parts meet: settings in, a scorer of the right city and model out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from leadscore.city.loading import load_city
from leadscore.errors import CityError, Detail
from leadscore.language import Text
from leadscore.learning.shelf import Shelf
from leadscore.ranking.day_one import day_one_scorer
from leadscore.shipped import shipped

if TYPE_CHECKING:
    from leadscore.ranking.scoring import Scorer
    from leadscore.settings import Settings

_NO_CITY = Text(
    zh="没有指定城市画像，请用 --city 或环境变量 LEADSCORE_CITY 指明文件",
    en="no city profile was named; name its file with --city or LEADSCORE_CITY",
)


def open_scorer(
    settings: Settings,
    city: Path | None = None,
    *,
    notify: Callable[[Text], object] | None = None,
) -> Scorer:
    """Return a scorer of the city's champion, built on first use.

    Parameters
    ----------
    settings
        Where the models live, and which city to take if none is named.
    city
        File of a city profile.
    notify
        Told when a damaged model was set aside and built anew; by default a warning is logged.

    Raises
    ------
    CityError
        If no profile was named and more or fewer than one is shipped, or the profile is wrong.
    ModelError
        If the model can't be built, saved or trusted.
    """
    profile = city or settings.city or _only_profile()
    return day_one_scorer(
        load_city(profile), Shelf(settings.models), now=datetime.now(UTC), notify=notify
    )


def _only_profile() -> Path:
    profiles = sorted(shipped("cities").glob("*.toml"))
    if len(profiles) == 1:
        return profiles[0]
    found = ", ".join(profile.stem for profile in profiles)
    raise CityError(_NO_CITY, [Detail("--city", found, Text(zh="一个文件", en="one file"))])
