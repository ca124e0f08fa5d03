"""Opaque marks of a page's end, signed: nobody makes one up, or uses one for another question."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct

from encoder.errors import Rejected
from encoder.model.ids import TenantId

_VERSION = 1
_FORM = struct.Struct(">BQ")
_SIGNATURE_BYTES = 16


class Cursors:
    """`key`: the same in all processes that answer for one platform."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, last: int, *, tenant_id: TenantId, question: str) -> str:
        """A cursor behind `last` for whoever asks the same `question` again."""
        content = _FORM.pack(_VERSION, last)
        return base64.urlsafe_b64encode(content + self._sign(content, tenant_id, question)).decode().rstrip("=")

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
        if version != _VERSION or not hmac.compare_digest(signature, self._sign(content, tenant_id, question)):
            raise _invalid()
        return int(last)

    def _sign(self, content: bytes, tenant_id: TenantId, question: str) -> bytes:
        text = b"\0".join((content.hex().encode(), str(tenant_id).encode(), question.encode()))
        return hmac.new(self._key, text, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _invalid() -> Rejected:
    return Rejected.because("invalid_cursor", "`cursor` belongs to another question, or was changed.")
