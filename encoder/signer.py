"""Signs what we hand out and want to know again: links, addresses of uploads, cursors."""

from __future__ import annotations

import hashlib
import hmac

_CHARS = 64  # of SHA-256 in hex


class Signer:
    """`keys`: newest first, the same in all processes of a platform. The first signs; what any has signed is ours.

    So what was given out before keys are exchanged, or meanwhile by a process with other keys first, stays good.
    """

    def __init__(self, *keys: bytes) -> None:
        self._keys = keys

    def sign(self, text: bytes, *, chars: int = _CHARS) -> str:
        """The first so many `chars` of its signature, in hex."""
        return _signature(self._keys[0], text)[:chars]

    def fits(self, text: bytes, signature: str, *, chars: int = _CHARS) -> bool:
        """Whether it was signed so; `signature` may be any text."""
        told = signature.encode(errors="replace")
        return any(hmac.compare_digest(_signature(key, text)[:chars].encode(), told) for key in self._keys)


def _signature(key: bytes, text: bytes) -> str:
    return hmac.new(key, text, hashlib.sha256).hexdigest()
