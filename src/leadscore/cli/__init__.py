"""The commands, one module for each thing that they are about.

What a command needs beyond click is imported inside it: pandas and scikit-learn take more than a
second, and ``leadscore --help`` must answer at once.
"""

from __future__ import annotations

# Importing a module adds its commands to the group.
from leadscore.cli import (  # noqa: F401
    administration,
    city,
    corrections,
    lists,
    models,
    outcomes,
    ranking,
    reading,
    report,
    serving,
)
from leadscore.cli.group import cli
from leadscore.terminal import accept_any_text

__all__ = ["cli", "main"]


def main() -> None:
    """Run the command line."""
    accept_any_text()
    cli()
