"""Makes homes as the revision at which it is run makes them, with the likelihoods that they give.

The homes of c1d0778 were made by it, and are made again so::

    git worktree add ../c1d0778 c1d0778 && cd ../c1d0778 && make .venv/.development
    PYTHONPATH=. .venv/bin/python ../leadscore/tests/homes/make_homes.py ../leadscore/tests/homes

It writes ``c1d0778.tar.xz``, a folder per home, and ``c1d0778.json``: for each home its champion,
the likelihoods of the shipped sample list's firms as of `TODAY`, and how sure the first of them
are. What the models learned
from is SIMULATED (see ``tests/simulation.py``), and the keys sign nothing but these.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
from leadscore.learning.cards.boosted import BoostedCard
from leadscore.learning.outcomes.lessons import Rules
from leadscore.learning.retraining.day_one import ensure_expert
from leadscore.learning.retraining.following import follow
from leadscore.learning.retraining.walk import retrain
from leadscore.learning.shelf import Shelf
from leadscore.shipped import shipped
from sklearn.pipeline import Pipeline
from tests.simulation import History, simulate

from leadscore.city import City, load_city
from leadscore.city.versions import Profiles
from leadscore.features.build import FirmFeatures
from leadscore.features.catalogue import DIRECTIONS
from leadscore.learning import AdditiveCard
from leadscore.lists import clean, read_list
from leadscore.startup import champion_scorer

NAME = "c1d0778"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
TODAY = date(2026, 1, 5)
INTERVALS = 12
SUPPLY = {"mobile.pcb": 0.85}


@cache
def _city() -> City:
    return load_city(shipped("cities", "nanchang.toml"))


@cache
def _history() -> History:
    return simulate(_city(), experts="wrong", pursuits=32, quarters=4, sharpness=3, seed=1)


def _shelf(home: Path) -> Shelf:
    return Shelf(home / "models", home / "keys" / "models.key")


def expert(home: Path) -> None:
    """The expert card serves, as after the first ranking."""
    ensure_expert(_city(), _shelf(home), NOW)


def trained(home: Path) -> None:
    """A card serves that was trained on outcomes."""
    history = _history()
    retrain(
        _city(), history.events(), history.snapshots(), _shelf(home), as_of=history.until, now=NOW,
        rules=Rules(), overrule="a kept home",
    )  # fmt: skip


def supply(home: Path) -> None:
    """That card serves on after an administrator has changed the supply of a segment."""
    trained(home)
    made = Profiles(_city, home / "profiles").change(
        SUPPLY, seen=_city().digest, by="admin", at=NOW, reason="a kept home"
    )
    follow(made.city, _shelf(home), NOW)


def boosted(home: Path) -> None:
    """A boosted card serves, compiled into a scorecard."""
    _by_hand(home, "boosted", BoostedCard(directions=DIRECTIONS, max_iter=40))


def pairs(home: Path) -> None:
    """A card with pairs of features serves, as the library could fit and shelve it."""
    card = AdditiveCard(directions=DIRECTIONS, max_bins=2, pairs=2, rare_count=40)
    _by_hand(home, "card", card)


def _by_hand(home: Path, family: str, card: AdditiveCard | BoostedCard) -> None:
    """Fit a card to what is in truth likely of many firms, and let it serve."""
    city, shelf, known = _city(), _shelf(home), _history().known
    ensure_expert(city, shelf, NOW)
    features = FirmFeatures(city).fit(known)
    X = features.transform(known)
    together = (X["match_strength"] > X["match_strength"].median()) != (X["revenue_cny"].isna())
    odds = _history().truth.decision(X) + 4.0 * together.to_numpy()
    y = (odds > np.median(odds)).astype(np.int64)
    pipeline = Pipeline([("features", features), ("card", card.fit(X, y))])
    version = f"{city.id}-20260105-{family}0000"
    shelf.save(version, pipeline, {
        "kind": "trained", "family": family, "city": {"id": city.id, "digest": city.digest},
        "created": NOW, "as_of": TODAY.isoformat(), "measures": None,
        "outcomes": {"known": len(y), "positive": int(y.sum()), "left_out": {}},
        "decision": {"promoted": True, "gates": [], "overruled": None},
        "scorecard": card.scorecard_.to_dict(),
    })  # fmt: skip
    shelf.promote(city.id, version, act="by_hand", now=NOW, reason="a kept home")


HOMES: tuple[Callable[[Path], None], ...] = (expert, trained, supply, boosted, pairs)


def _told(home: Path) -> dict[str, object]:
    """Return who serves, and what it says of the sample list."""
    profile = Profiles(_city, home / "profiles").current().city
    scorer = champion_scorer(profile, _shelf(home), now=NOW)
    firms = clean(read_list(shipped("samples", "electronics.csv")), today=TODAY).firms
    scores = scorer.score(firms, as_of=TODAY)
    sure = getattr(scorer.card, "predict_interval", None)
    return {
        "champion": scorer.model,
        "likelihood": scores.likelihood.tolist(),
        "interval": sure(scores.measured.X).tolist()[:INTERVALS] if sure else None,
    }  # fmt: skip


def main(folder: Path) -> None:
    """Make the homes, and write them and what they say."""
    told = {}
    with tempfile.TemporaryDirectory() as made:
        for make in HOMES:
            home = Path(made, make.__name__)
            make(home)
            told[make.__name__] = _told(home)
        with tarfile.open(folder / f"{NAME}.tar.xz", "w:xz", preset=9) as archive:
            archive.add(made, arcname=".", filter=_of_nobody)
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (folder / f"{NAME}.json").write_text(text + "\n", encoding="utf-8")


def _of_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1]))
