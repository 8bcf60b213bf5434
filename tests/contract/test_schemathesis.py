"""The service does what its description says, whatever it is asked, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from tests.contract.openapi_service import faults, seeded_service

from leadscore.store.database import Database

NEEDS_MORE = {
    # The ETag of this very moment; the tests of these routes know it.
    "POST /api/v1/firms/{id}/corrections",
    "DELETE /api/v1/firms/{id}/corrections/{number}",
    "PUT /api/v1/firms/{id}/override",
    "DELETE /api/v1/firms/{id}/override",
    "PUT /api/v1/firms/{id}/exclusion",
    "DELETE /api/v1/firms/{id}/exclusion",
    "PUT /api/v1/firms/{id}/pursuit",
    "PUT /api/v1/firms/{id}/hidden",
    "DELETE /api/v1/firms/{id}/hidden",
    "POST /api/v1/firms/{id}/merge",
    "POST /api/v1/firms/{id}/split",
    "PUT /api/v1/gaps/{segment}/supply",
}
"""What may be refused whenever it is asked; all else is done at least once."""


@pytest.mark.hypothesis
def test_the_service_keeps_to_its_description(database: Database, tmp_path: Path) -> None:
    service = seeded_service(database, tmp_path)
    found = list(faults(service, max_examples=settings().max_examples))
    assert not found, "\n\n".join(found)
    assert service.never_done() <= NEEDS_MORE
