"""Addresses at which an upload is brought in pieces: whoever holds one may bring that file, as by any invitation."""

from __future__ import annotations

from uuid import UUID

from encoder.signer import Signer
from encoder.sources.upload import read_id
from encoder.storage.protocol import Invitation

FOLDER = "/upload/tus"
VERSION = "1.0.0"  # of tus
PIECE = "application/offset+octet-stream"  # what a piece is called
_ID_CHARS = 36


class Passes:
    """`signer`: whoever has its keys may bring every file. `public_url`: how callers reach our API, without a slash."""

    def __init__(self, *, public_url: str, signer: Signer) -> None:
        self._public_url = public_url.rstrip("/")
        self._signer = signer

    def address(self, upload_id: UUID) -> str:
        return f"{self._public_url}{FOLDER}/{upload_id}-{self._signer.sign(upload_id.bytes)}"

    def invite(self, upload_id: UUID) -> Invitation:
        """How its first piece is sent, which may be all of it."""
        headers = {"Tus-Resumable": VERSION, "Content-Type": PIECE, "Upload-Offset": "0"}
        return Invitation(method="PATCH", url=self.address(upload_id), headers=headers)

    def upload_of(self, token: str) -> UUID | None:
        """The upload that the last part of an address names; None if we did not write it."""
        upload_id, dash, signature = read_id(token[:_ID_CHARS]), token[_ID_CHARS:][:1], token[_ID_CHARS + 1 :]
        if upload_id is None or dash != "-" or not self._signer.fits(upload_id.bytes, signature):
            return None
        return upload_id
