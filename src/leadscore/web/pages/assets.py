"""Styles, scripts and pictures: read once, packed once, and kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, request

from leadscore.report.page import STYLE
from leadscore.web.access.permissions import requires

if TYPE_CHECKING:
    from leadscore.web.pages.site import Site

STATIC = Path(__file__).parents[1] / "static"
_ELSEWHERE = {"styles/model-sections.css": STYLE}
"""Files of other parts of the program, by the names under which they are served."""
_YEAR = "public, max-age=31536000, immutable"
_WORTH_PACKING = 1_000
_TEXTS = {".css", ".js", ".svg", ".txt", ".toml"}


class Assets:
    """The files of the pages, each under an address that changes with their content.

    One digest of all files stands in every address, so that a style may name a picture beside it.

    Parameters
    ----------
    folder
        Where the files are.
    """

    def __init__(self, folder: Path = STATIC) -> None:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
        self._content |= {name: path.read_bytes() for name, path in _ELSEWHERE.items()}
        digest = hashlib.sha256()
        for name, content in self._content.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.version = digest.hexdigest()[:12]
        self.packed = cache(self._packed)

    def address(self, name: str) -> str:
        """Return the path at which a file is served.

        Raises
        ------
        KeyError
            If there is no such file.
        """
        if name not in self._content:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def content(self, name: str) -> bytes | None:
        """Return a file, or None if there is none of that name."""
        return self._content.get(name)

    def _packed(self, name: str) -> bytes | None:
        """Return a file packed by gzip, or None where that is not worth it."""
        content = self._content[name]
        if Path(name).suffix not in _TEXTS or len(content) < _WORTH_PACKING:
            return None
        return gzip.compress(content, mtime=0)


def asset_routes(site: Site, pages: Blueprint) -> None:
    """Add the addresses of all files; those of another version are served, but not kept."""
    assets = site.assets

    @pages.get("/static/<version>/<path:name>")
    @requires("public")
    def static_file(version: str, name: str) -> Response:
        content = assets.content(name)
        if content is None:
            abort(404)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        packed = assets.packed(name) if request.accept_encodings["gzip"] else None
        response = Response(packed or content, mimetype=kind)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = _YEAR if version == assets.version else "no-cache"
        response.set_etag(f"{assets.version}{'-gzip' if packed else ''}")
        response.make_conditional(request)
        return response
