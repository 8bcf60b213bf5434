"""All tables of the store: importing this module completes the catalogue of them."""

from __future__ import annotations

from leadscore.store import (  # noqa: F401 (each module adds its tables)
    api_keys,
    attempts,
    audit_tables,
    firms,
    idempotency,
    jobs,
    lists,
    models,
    outcomes,
    overrides,
    scores,
    sessions,
    snapshots,
    standings,
    users,
)
from leadscore.store.metadata import METADATA

__all__ = ["METADATA"]
