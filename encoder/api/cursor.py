"""Opaque marks of a page's end, signed: nobody makes one up, or uses one for another question."""

from __future__ import annotations

import base64
import binascii
import struct

from encoder.errors import Rejected
from encoder.model.ids import TenantId
from encoder.signer import Signer

_VERSION = 1
_FORM = struct.Struct(">BQ")
_SIGNATURE_CHARS = 32


class Cursors:
    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def write(self, last: int, *, tenant_id: TenantId, question: str) -> str:
        """A cursor behind `last` for whoever asks the same `question` again."""
        content = _FORM.pack(_VERSION, last)
        signature = bytes.fromhex(self._signer.sign(_signed(content, tenant_id, question), chars=_SIGNATURE_CHARS))
        return base64.urlsafe_b64encode(content + signature).decode().rstrip("=")

    def read(self, cursor: str, *, tenant_id: TenantId, question: str) -> int:
        """The last number before the page.

        Raises:
            errors.Rejected: `invalid_cursor`: edited, another tenant's, or of another question.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            content, signature = raw[: _FORM.size], raw[_FORM.size :]
            version, last = _FORM.unpack(content)
        except (binascii.Error, struct.error, ValueError):
            raise _invalid() from None
        signed = _signed(content, tenant_id, question)
        if version != _VERSION or not self._signer.fits(signed, signature.hex(), chars=_SIGNATURE_CHARS):
            raise _invalid()
        return int(last)


def _signed(content: bytes, tenant_id: TenantId, question: str) -> bytes:
    return b"\0".join((content.hex().encode(), str(tenant_id).encode(), question.encode()))


def _invalid() -> Rejected:
    return Rejected.because("invalid_cursor", "`cursor` belongs to another question, or was changed.")
