"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload): read strictly, and written."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from email.utils import format_datetime
from typing import TYPE_CHECKING

from aiohttp import web

from encoder.api.passes import FOLDER, PIECE, VERSION
from encoder.errors import Rejected
from encoder.store.kept import UploadRow

if TYPE_CHECKING:
    from hashlib import _Hash

EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
ALGORITHMS = ("sha1", "sha256", "md5")
ASKED = (
    "Tus-Resumable",
    "Upload-Checksum",
    "Upload-Length",
    "Upload-Metadata",
    "Upload-Offset",
    "X-HTTP-Method-Override",
)
TOLD = (
    *("Location", "Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable", "Tus-Version"),
    *("Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset"),
)

_WHOLE = re.compile(r"[0-9]{1,16}")
_PAIR = re.compile(r"([!-+\--~]{1,64})(?: ([A-Za-z0-9+/=]*))?")  # a name without blank or comma, and base64
_REFUSED = 412


class Checksum:
    """What a piece must come to."""

    def __init__(self, algorithm: str, digest: bytes) -> None:
        self._digest = digest
        self._hash: _Hash = hashlib.new(algorithm, usedforsecurity=False)

    def update(self, chunk: bytes) -> None:
        self._hash.update(chunk)

    @property
    def fits(self) -> bool:
        return hmac.compare_digest(self._hash.digest(), self._digest)


async def add(request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler for `on_response_prepare`: what every answer of this protocol says, refusals too."""
    if request.path.startswith(FOLDER):
        response.headers["Tus-Resumable"] = VERSION
        if response.status == _REFUSED:
            response.headers["Tus-Version"] = VERSION


def require_version(request: web.Request) -> None:
    """Raises errors.Rejected: `tus_version`."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Rejected.because("tus_version", f"Send `Tus-Resumable: {VERSION}`, the version that is spoken here.")


def require_piece(request: web.Request) -> None:
    """Raises errors.Rejected: `unsupported_media_type`."""
    if request.content_type != PIECE:
        raise Rejected.because("unsupported_media_type", f"Send the piece as `Content-Type: {PIECE}`.")


def whole(request: web.Request, name: str) -> int:
    """Raises errors.Rejected: `invalid_header`."""
    told = request.headers.getall(name, [])
    if len(told) != 1 or not _WHOLE.fullmatch(told[0]):
        raise Rejected.because("invalid_header", f"`{name}` must stand once, and be a whole number.")
    return int(told[0])


def metadata(request: web.Request) -> dict[str, str]:
    """What is told of the file, by its names. Raises errors.Rejected: `invalid_header`."""
    told = ",".join(request.headers.getall("Upload-Metadata", []))
    found: dict[str, str] = {}
    for pair in filter(None, (each.strip() for each in told.split(","))):
        name, value = _pair(pair)
        if value is None or name in found:
            wanted = "names, each once, with their values in base64 of UTF-8, between commas"
            raise Rejected.because("invalid_header", f"`Upload-Metadata` must be {wanted}.")
        found[name] = value
    return found


def _pair(text: str) -> tuple[str, str | None]:
    """A name, and its value if it is one."""
    read = _PAIR.fullmatch(text)
    try:
        return (read[1], base64.b64decode(read[2] or "", validate=True).decode()) if read else ("", None)
    except ValueError:  # no base64, or no UTF-8
        return "", None


def checksum(request: web.Request) -> Checksum | None:
    """Raises errors.Rejected: `invalid_header`."""
    told = request.headers.get("Upload-Checksum")
    if told is None:
        return None
    algorithm, _, text = told.partition(" ")
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        digest = b""
    if algorithm not in ALGORITHMS or not digest:
        known = ", ".join(ALGORITHMS)
        raise Rejected.because("invalid_header", f"`Upload-Checksum` must be one of {known}, a blank, and base64.")
    return Checksum(algorithm, digest)


def standing(row: UploadRow) -> Mapping[str, str]:
    """How an upload stands."""
    length = row.declared_bytes or 0
    offset = length if row.uploaded_at is not None else row.offset_bytes
    expires = {"Upload-Expires": format_datetime(row.expires_at, usegmt=True)} if offset < length else {}
    return {"Upload-Offset": str(offset), **expires}


def described(row: UploadRow) -> Mapping[str, str]:
    """What was told of it when it was announced."""
    told = {"filename": row.file_name, "filetype": row.content_type}
    pairs = (f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
    return {"Upload-Length": str(row.declared_bytes), "Upload-Metadata": ",".join(pairs)}
