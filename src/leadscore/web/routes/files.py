"""Answers that are files: tables written as `leadscore.lists.writing` writes them, and streamed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from flask import Response

from leadscore.language import Lang
from leadscore.lists.writing import write_ranking

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_BLOCK = 1 << 16
_LINE_END = b"\r\n"


def described(mimetype: str) -> dict[str, Any]:
    """Return how the description of a route names a file as its answer."""
    schema = {"type": "string"} | ({} if mimetype == CSV else {"format": "binary"})
    return {"description": "文件 A file", "content": {mimetype: {"schema": schema}}}


def file_answer(content: Iterable[bytes], name: str, mimetype: str) -> Response:
    """Return an answer that a browser saves as a file, sent as it comes."""
    response = Response(content, mimetype=mimetype)
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)
    response.headers["Content-Disposition"] = f'attachment; filename="{plain}"'
    return response


def written_file(write: Callable[[Path], object], ending: str) -> Iterator[bytes]:
    """Yield, block by block, the file that ``write`` writes where it is told to."""
    with tempfile.TemporaryDirectory(prefix="leadscore-") as folder:
        path = Path(folder) / f"answer{ending}"
        write(path)
        yield from sent_file(path)


def sent_file(path: Path) -> Iterator[bytes]:
    """Yield a file block by block."""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def ranking_csv(parts: Iterable[pd.DataFrame], lang: Lang) -> Iterator[bytes]:
    """Yield a ranking as CSV, a part at a time, so that it never stands in memory as a whole."""
    for number, part in enumerate(parts):
        whole = b"".join(written_file(partial(_write, part, lang), ".csv"))
        yield whole if number == 0 else whole.partition(_LINE_END)[2]


def _write(table: pd.DataFrame, lang: Lang, path: Path) -> None:
    write_ranking(table, path, lang=lang)
