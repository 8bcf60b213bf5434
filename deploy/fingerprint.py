"""Writes what tells one state of this program from another, for start.bat: is it installed yet?"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
digest = hashlib.sha256(sys.version.encode())
files = [ROOT / "requirements" / "runtime.txt", ROOT / "pyproject.toml"]
for folder in ("src", "data", "docs"):
    files += sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())
for file in files:
    if "__pycache__" not in file.parts:
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
sys.stdout.write(digest.hexdigest()[:16] + "\n")
