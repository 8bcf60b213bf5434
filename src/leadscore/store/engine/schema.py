"""All tables of the store: importing this module completes the catalogue of them."""

from __future__ import annotations

from leadscore.store import idempotency, models  # noqa: F401 (each module adds its tables)
from leadscore.store.access import api_keys, attempts, sessions, users  # noqa: F401
from leadscore.store.auditing import tables as audit_tables  # noqa: F401
from leadscore.store.engine.metadata import METADATA
from leadscore.store.firms import firms, outcomes, overrides, shortlists, snapshots  # noqa: F401
from leadscore.store.jobs import jobs  # noqa: F401
from leadscore.store.lists import failed_rows, lists, uploads  # noqa: F401
from leadscore.store.ranking import saved_views, scores, standings  # noqa: F401

__all__ = ["METADATA"]
