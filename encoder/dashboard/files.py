"""The files of the pages: styles, scripts, icons. Addresses change with what is in them, so that browsers keep them."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from aiohttp import web

from encoder.api import problems

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
}
_DIGITS = 12
_FOR_EVER = "public, max-age=31536000, immutable"


class Files:
    """All files below a folder, as they are when the server starts: nothing is looked up by a name that came in."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
        self._paths = {path.relative_to(folder).as_posix(): path for path in paths}
        self.version = _digest(paths)

    def address(self, name: str) -> str:
        """Where a browser finds it. Scripts find their neighbours by paths relative to it."""
        return f"/static/{self.version}/{self._known(name)}"

    async def serve(self, request: web.Request) -> web.Response:
        """GET /static/{path}: under the address of today, which is good for ever; of another day or none, for now."""
        version, _, name = request.match_info["path"].partition("/")
        is_todays = version == self.version
        if name not in self._paths:
            name = request.match_info["path"]
        if name not in self._paths:
            raise problems.not_found("There is no such file.")
        path = self._paths[name]
        body = await asyncio.to_thread(path.read_bytes)  # no FileResponse: that refuses ranges in words of its own
        headers = {"Cache-Control": _FOR_EVER if is_todays else "no-cache"}
        return web.Response(body=body, content_type=_TYPES[path.suffix], charset="utf-8", headers=headers)

    def _known(self, name: str) -> str:
        if name not in self._paths:
            raise LookupError(name)
        return name


def _digest(paths: list[Path]) -> str:
    every = hashlib.sha256()
    for path in paths:
        every.update(path.name.encode() + b"\0" + path.read_bytes())
    return every.hexdigest()[:_DIGITS]
