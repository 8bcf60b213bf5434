"""A mirror of the registry: so that the models of old scores can be asked long afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from leadscore.errors import ModelError
from leadscore.registry.manifest import Manifest
from leadscore.registry.models import ModelRegistry
from leadscore.store.database import METADATA, StoreError, columns_of, insert_rows, take_turns
from leadscore.store.jobs import list_jobs, submit
from leadscore.text import room_words

if TYPE_CHECKING:
    from leadscore.learning.scorecard import PointsCard

WORDS = room_words("store")

State = Literal["champion", "shelved", "unusable", "gone"]
"""``champion`` is never kept: who serves stands in `leadscore.store.champions`."""


class UnknownModelError(StoreError):
    """A name that no model has."""

    code = "unknown_model"


@dataclass(frozen=True, slots=True)
class MirroredModel:
    """A model as the registry had it when it was last looked at.

    It is ``unusable`` if it is damaged or of a later program, ``gone`` if it is on the registry no
    longer. ``manifest`` is what the registry says of it, its scorecard within, and is kept when it
    leaves the registry; None if it could never be trusted.
    """

    version: Annotated[str, {"primary_key": True}]
    city: str
    created_at: datetime
    state: State
    manifest: Manifest | None
    mirrored_at: datetime


MODELS = sa.Table("models", METADATA, *columns_of(MirroredModel))
RESCORE = "rescore"
"""The kind of the job that scores all firms anew."""
# Where firms stand, without `leadscore.store.current_ranking`, which loads pandas.
_STANDINGS = sa.table("standings", sa.column("model"), sa.column("segment"))
_MATCHES = sa.table("firm_segments", sa.column("segment"))


def mirror(connection: Connection, registry: ModelRegistry, city_id: str, *, now: datetime) -> None:
    """Bring the mirror to what the registry has for a city."""
    take_turns(connection, MODELS)
    gone = {model.version: model.manifest for model in mirrored(connection, city_id)}
    rows = []
    for version in registry.versions(city_id):
        before = gone.pop(version.name, None)
        manifest = version.manifest or before
        rows.append({
            "version": version.name, "city": city_id, "created_at": version.created,
            "state": "unusable" if version.fault else "shelved",
            "manifest": manifest and manifest.content, "mirrored_at": now,
        })  # fmt: skip
    names = [row["version"] for row in rows]
    connection.execute(sa.delete(MODELS).where(MODELS.c.version.in_(names)))
    insert_rows(connection, MODELS, rows)
    lacking = sa.update(MODELS).where(MODELS.c.version.in_(list(gone)))
    connection.execute(lacking.values(state="gone", mirrored_at=now))


def sync_models(
    connection: Connection, registry: ModelRegistry, city_id: str, serving: str, *, by: str,
    now: datetime,
) -> int | None:  # fmt: skip
    """Mirror the models, and return the number of the job that scores all firms by who serves.

    A job of that kind that waits already is the one: it asks who serves when it begins. None if
    every firm that is kept has its score, and its matches, by the version that is ``serving``.
    """
    mirror(connection, registry, city_id, now=now)
    others = sa.select(_STANDINGS).where(_STANDINGS.c.model != serving)
    matched = sa.select(_STANDINGS).where(_STANDINGS.c.segment.is_not(None))
    stale = connection.execute(others.limit(1)).first() is not None
    # Homes of earlier programs hold no matches yet.
    unmatched = (
        connection.execute(matched.limit(1)).first() is not None
        and connection.execute(sa.select(_MATCHES).limit(1)).first() is None
    )
    if not stale and not unmatched:
        return None
    waiting = list_jobs(connection, states=["waiting"], kinds=[RESCORE], limit=1)
    return waiting[0].id if waiting else submit(connection, RESCORE, {}, by=by, now=now, most=None)


def mirrored(
    connection: Connection, city_id: str, serving: str | None = None
) -> list[MirroredModel]:
    """Return the models of a city, the newest first; the one that is ``serving`` as champion."""
    query = sa.select(MODELS).where(MODELS.c.city == city_id)
    ordered = query.order_by(MODELS.c.created_at.desc(), MODELS.c.version.desc())
    return [_model(row, serving) for row in connection.execute(ordered)]


def read_model(connection: Connection, version: str, serving: str | None = None) -> MirroredModel:
    """Return a model, as champion if it is ``serving``; raises `UnknownModelError`."""
    row = connection.execute(sa.select(MODELS).where(MODELS.c.version == version)).one_or_none()
    if row is None:
        raise UnknownModelError(WORDS["models.unknown"].format(version=version))
    return _model(row, serving)


def scorecards(connection: Connection, versions: Collection[str]) -> dict[str, PointsCard]:
    """Return the cards of models, by version; those that can't be had any more are left out."""
    # Imported late: who only mirrors models needs no pandas.
    from leadscore.learning.scorecard import PointsCard, Scorecard

    query = sa.select(MODELS.c.version, MODELS.c.manifest).where(MODELS.c.version.in_(versions))
    cards: dict[str, PointsCard] = {}
    for version, content in connection.execute(query):
        manifest = Manifest.of(content or {})
        if manifest.scorecard is not None:
            usual = manifest.average.points if manifest.average else {}
            try:
                cards[version] = PointsCard(Scorecard.from_dict(manifest.scorecard), usual)
            except ModelError:  # written by a program that had other cards
                continue
    return cards


def _model(row: Row[Any], serving: str | None) -> MirroredModel:
    manifest = None if row.manifest is None else Manifest.of(row.manifest)
    kept = "shelved" if row.state == "champion" else row.state  # as earlier programs had it
    state = "champion" if row.version == serving else kept
    return MirroredModel(**row._asdict() | {"manifest": manifest, "state": state})
