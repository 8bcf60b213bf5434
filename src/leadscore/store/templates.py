"""How files with the same headers were read before, as their owners said it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from sqlalchemy import Connection

from leadscore.lists.outcomes import Template
from leadscore.store.database import METADATA, columns_of, insert_rows


@dataclass(frozen=True, slots=True)
class KeptTemplate:
    """What was said of the columns and stages of a file, for the next one with its headers.

    ``kind`` is what such files hold: outcomes, or a list; ``digest`` tells the headers.
    """

    kind: Annotated[str, {"primary_key": True}]
    digest: Annotated[str, {"primary_key": True}]
    mapping: Mapping[str, str]
    stages: Mapping[str, str]
    by: str
    at: datetime


TEMPLATES = sa.Table("templates", METADATA, *columns_of(KeptTemplate))


def templates_of(connection: Connection, kind: str) -> list[Template]:
    """Return how files of a kind were read before, the latest first."""
    rows = connection.execute(
        sa.select(TEMPLATES).where(TEMPLATES.c.kind == kind).order_by(TEMPLATES.c.at.desc())
    )
    return [Template(row.digest, row.mapping, row.stages) for row in rows]


def keep_template(
    connection: Connection, kind: str, template: Template, *, actor: str, now: datetime
) -> None:
    """Keep how a file was read, in the place of what was said of such files before."""
    same = (TEMPLATES.c.kind == kind) & (TEMPLATES.c.digest == template.digest)
    connection.execute(sa.delete(TEMPLATES).where(same))
    row = {
        "kind": kind, "digest": template.digest, "mapping": dict(template.mapping),
        "stages": dict(template.stages), "by": actor, "at": now,
    }  # fmt: skip
    insert_rows(connection, TEMPLATES, [row])
