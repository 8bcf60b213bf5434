"""Makes the inputs of both sides once, with the wheel of the revision."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.recorder import places
from benchmarks.recorder.lists import listed_files
from benchmarks.recorder.recording import AS_OF, check_wheel, plain

_ONE_BY_ONE, _AT_ONCE = 300, 1000
_NOT_SENT = frozenset({"row", "sheet"})


def prepare(folder: Path, source: Path, data: Path | None) -> None:
    """Write ``firms.json``: firms as requests hold them, one by one and a thousand at once."""
    sample = _firms(source / "data" / "samples" / "electronics.csv")
    lists = [
        _firms(path) for path in (listed_files(data) if data else []) if "cases" not in path.parts
    ]
    first = sample + (lists[0] if lists else [])
    more = (lists[-1] if lists else []) + first
    firms = {"one by one": first[:_ONE_BY_ONE], "at once": (more * _AT_ONCE)[:_AT_ONCE]}
    (folder / "firms.json").write_text(json.dumps(firms, ensure_ascii=False), "utf-8")


def _firms(path: Path) -> list[dict[str, Any]]:
    table = places.load_list(path, AS_OF).firms
    return [
        {
            key: value if isinstance(value, (str, float, int)) else str(value)
            for key, value in plain(row).items()
            if value is not None and key not in _NOT_SENT
        }
        for row in table.to_dict("records")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    check_wheel(options.site)
    prepare(options.prepared, options.source, options.data)


if __name__ == "__main__":
    main()
