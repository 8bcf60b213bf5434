"""Makes the inputs of both sides once, with the wheel of the revision."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.recorder import places
from benchmarks.recorder.bad_files import make_bad_files
from benchmarks.recorder.lists import listed_files
from benchmarks.recorder.recording import AS_OF, check_wheel, plain
from benchmarks.recorder.training import make_homes, write_histories

_ONE_BY_ONE, _AT_ONCE = 300, 1000
_NOT_SENT = frozenset({"row", "sheet"})


def prepare(folder: Path, source: Path, own: Path, data: Path | None) -> None:
    """Write the inputs into a folder.

    ``firms.json`` has firms as requests hold them, ``bad`` the bad files, ``histories`` the
    simulated histories, and ``homes`` the homes. The bad files are those of the working tree; what
    the histories are made with knows the insides of leadscore, so it is the revision's own.
    """
    sample = _firms(source / "data" / "samples" / "electronics.csv")
    lists = [_firms(path) for path in (listed_files(data) if data else ())]
    first = sample + (lists[0] if lists else [])
    more = (lists[-1] if lists else []) + first
    firms = {
        "sample": sample,
        "one by one": first[:_ONE_BY_ONE],
        "at once": (more * _AT_ONCE)[:_AT_ONCE],
    }
    (folder / "firms.json").write_text(json.dumps(firms, ensure_ascii=False), "utf-8")
    make_bad_files(folder / "bad", _module(source / "tests" / "bad_files.py"))
    write_histories(folder / "histories", _module(own / "tests" / "simulation.py"))
    make_homes(folder / "homes", folder / "histories")


def _module(path: Path) -> Any:
    """Import a module of the tests from where it lies, whatever else is called `tests`."""
    spec = importlib.util.spec_from_file_location(f"recorded_{path.stem}", path)
    assert spec is not None  # noqa: S101 (it is a file of Python)
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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
    parser.add_argument("--own", type=Path, required=True)
    parser.add_argument("--prepared", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    check_wheel(options.site)
    prepare(options.prepared, options.source, options.own, options.data)


if __name__ == "__main__":
    main()
