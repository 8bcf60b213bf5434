"""Starts leadscore with the password of the database taken from a file, where secrets belong.

``LEADSCORE_DATABASE_PASSWORD_FILE`` names a file whose first line is put into the address that
``LEADSCORE_DATABASE`` gives, in the place of ``{password}``. Everything else is left as it is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

file = os.environ.pop("LEADSCORE_DATABASE_PASSWORD_FILE", None)
if file:
    password = Path(file).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    address = os.environ.get("LEADSCORE_DATABASE", "")
    os.environ["LEADSCORE_DATABASE"] = address.replace("{password}", quote(password, safe=""))
os.execvp("leadscore", ["leadscore", *sys.argv[1:]])  # noqa: S606, S607 (no shell; PATH is ours)
