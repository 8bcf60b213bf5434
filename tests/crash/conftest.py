"""What runs inside the processes that are killed is collected by nobody."""

from __future__ import annotations

collect_ignore = ["points"]
