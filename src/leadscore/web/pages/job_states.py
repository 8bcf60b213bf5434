"""What pages ask of a job before they show it: will it change, and may one stop it?"""

from __future__ import annotations

from leadscore.store.jobs.jobs import OPEN, Job
from leadscore.web.access.callers import Caller


def is_active(job: Job) -> bool:
    """Tell whether a job will change by itself."""
    return job.state in OPEN


def may_cancel(found: Caller, job: Job) -> bool:
    """Tell whether a job can be stopped, and by whoever asks: their own, or by administrators."""
    allowed = found.may("record") and (found.may("administer") or found.actor == job.submitted_by)
    return allowed and is_active(job) and not job.cancel_requested
