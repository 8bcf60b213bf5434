"""A mirror of the registry: so that the models of old scores can be asked long afterwards."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Column, Connection, Row, Table, delete, select, update
from sqlalchemy import Text as LongText

from leadscore.errors import ModelError
from leadscore.registry.manifest import Manifest
from leadscore.store.database import METADATA, Json, Moment
from leadscore.store.errors import StoreError
from leadscore.text import room_words

if TYPE_CHECKING:
    from leadscore.learning.scorecard import Scorecard
    from leadscore.registry.models import Shelf

WORDS = room_words("store")


State = Literal["champion", "shelved", "unusable", "gone"]

MODELS = Table(
    "models",
    METADATA,
    Column("version", LongText, primary_key=True),
    Column("city", LongText, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("state", LongText, nullable=False),
    Column("manifest", Json),
    Column("mirrored_at", Moment, nullable=False),
)
"""``manifest`` is what the shelf says of a version, its scorecard within, and is kept when the
version leaves the shelf; None if it could never be trusted."""

_UNKNOWN = WORDS["models.unknown"]


class UnknownModelError(StoreError):
    """A name that no model has."""

    code = "unknown_model"


@dataclass(frozen=True, slots=True)
class MirroredModel:
    """A model as the shelf had it when it was last looked at.

    Attributes
    ----------
    state
        ``champion``; ``shelved``; ``unusable`` if it is damaged or of a later program;
        ``gone`` if it is on the shelf no longer.
    """

    version: str
    city: str
    created_at: datetime
    state: State
    manifest: Manifest | None
    mirrored_at: datetime


def mirror(connection: Connection, shelf: Shelf, city_id: str, *, now: datetime) -> str | None:
    """Bring the mirror to what the shelf has for a city, and return the champion, if it has one.

    Parameters
    ----------
    connection
        Within a write transaction.
    shelf
        The shelf.
    city_id
        The city.
    now
        When; with a time zone.
    """
    champion = _champion(shelf, city_id)
    kept = {model.version: model for model in mirrored(connection, city_id)}
    rows = []
    for version in shelf.versions(city_id):
        before = kept.pop(version.name, None)
        manifest = version.manifest or (before.manifest if before else None)
        state = "champion" if version.name == champion else "shelved"
        rows.append(
            {
                "version": version.name,
                "city": city_id,
                "created_at": version.created,
                "state": "unusable" if version.fault else state,
                "manifest": manifest and manifest.content,
                "mirrored_at": now,
            }
        )
    names = [row["version"] for row in rows]
    connection.execute(delete(MODELS).where(MODELS.c.version.in_(names)))
    if rows:
        connection.execute(MODELS.insert(), rows)
    gone = update(MODELS).where(MODELS.c.version.in_(list(kept)))
    connection.execute(gone.values(state="gone", mirrored_at=now))
    return champion


def mirrored(connection: Connection, city_id: str) -> list[MirroredModel]:
    """Return the models of a city, the newest first."""
    query = select(MODELS).where(MODELS.c.city == city_id)
    ordered = query.order_by(MODELS.c.created_at.desc(), MODELS.c.version.desc())
    return [_model(row) for row in connection.execute(ordered)]


def read_model(connection: Connection, version: str) -> MirroredModel:
    """Return a model.

    Raises
    ------
    UnknownModelError
        If there is none with this name.
    """
    row = connection.execute(select(MODELS).where(MODELS.c.version == version)).one_or_none()
    if row is None:
        raise UnknownModelError(_UNKNOWN.format(version=version))
    return _model(row)


def scorecards(connection: Connection, versions: Collection[str]) -> dict[str, Scorecard]:
    """Return the cards of models, by version; those that can't be had any more are left out."""
    # Imported late: to go back to another model must be quick, and pandas takes a second.
    from leadscore.learning.scorecard import Scorecard

    query = select(MODELS.c.version, MODELS.c.manifest).where(MODELS.c.version.in_(versions))
    found: dict[str, Scorecard] = {}
    for version, manifest in connection.execute(query):
        plain = Manifest.of(manifest or {}).scorecard
        if plain is not None:
            try:
                found[version] = Scorecard.from_dict(plain)
            except ModelError:  # written by a program that had other cards
                continue
    return found


def _champion(shelf: Shelf, city_id: str) -> str | None:
    try:
        return shelf.champion(city_id)
    except ModelError:  # the pointer is damaged; whoever serves says so
        return None


def _model(row: Row[Any]) -> MirroredModel:
    fields = dict(row._mapping)  # noqa: SLF001 (its public name, see SQLAlchemy's documentation)
    if fields["manifest"] is not None:
        fields["manifest"] = Manifest.of(fields["manifest"])
    return MirroredModel(**fields)
