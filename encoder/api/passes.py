"""Addresses at which an upload is brought in pieces: whoever holds one may bring that file, as by any invitation."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from encoder.sources.upload import read_id
from encoder.storage.protocol import Invitation

FOLDER = "/upload/tus"
VERSION = "1.0.0"  # of tus
PIECE = "application/offset+octet-stream"  # what a piece is called
_ID_CHARS = 36


class Passes:
    """`secret`: whoever knows it may bring every file. `public_url`: how callers reach our API, without a slash."""

    def __init__(self, *, public_url: str, secret: bytes) -> None:
        self._public_url = public_url.rstrip("/")
        self._secret = secret

    def address(self, upload_id: UUID) -> str:
        return f"{self._public_url}{FOLDER}/{upload_id}-{self._signature(upload_id)}"

    def invite(self, upload_id: UUID) -> Invitation:
        """How its first piece is sent, which may be all of it."""
        headers = {"Tus-Resumable": VERSION, "Content-Type": PIECE, "Upload-Offset": "0"}
        return Invitation(method="PATCH", url=self.address(upload_id), headers=headers)

    def upload_of(self, token: str) -> UUID | None:
        """The upload that the last part of an address names; None if we did not write it."""
        upload_id, signature = read_id(token[:_ID_CHARS]), token[_ID_CHARS:].encode(errors="replace")
        if upload_id is None or not hmac.compare_digest(f"-{self._signature(upload_id)}".encode(), signature):
            return None
        return upload_id

    def _signature(self, upload_id: UUID) -> str:
        return hmac.new(self._secret, upload_id.bytes, hashlib.sha256).hexdigest()
