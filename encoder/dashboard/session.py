"""Who looks at the pages: whoever showed a good key at the door, by a cookie that his browser keeps.

The cookie holds the hash by which the key is found and the time until which it is good, signed. So nothing is kept of
logins, every API process knows them, and they end with the key. The API itself takes no cookies (ADR 26).
"""

from __future__ import annotations

import base64
import binascii
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from encoder.api.auth import Caller, Challenged, Gate
from encoder.api.dialect import Dialect
from encoder.errors import CATALOGUE
from encoder.model.key import Scope
from encoder.signer import Signer

COOKIE = "__Host-encoder"
GOOD_S = 24 * 3600  # since it was last renewed
RENEW_S = 3600  # so old, it is renewed by the next page: who works is never thrown out
_FORM = struct.Struct(">B32sQ")
_VERSION = 1
_SIGNATURE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    hashed: bytes
    until: float


class Sessions:
    """`signer`: whoever has its keys may log in as anybody. `clock`: seconds since 1970, as all processes have them."""

    def __init__(self, signer: Signer, *, clock: Callable[[], float] = time.time) -> None:
        self._signer = signer
        self._clock = clock

    def begin(self, response: web.StreamResponse, hashed: bytes) -> None:
        """Let the browser keep it. Over plain HTTP to another machine it does not."""
        content = _FORM.pack(_VERSION, hashed, int(self._clock() + GOOD_S))
        text = base64.urlsafe_b64encode(content + bytes.fromhex(self._signer.sign(content))).decode()
        response.set_cookie(COOKIE, text, max_age=GOOD_S, path="/", secure=True, httponly=True, samesite="Lax")

    def end(self, response: web.StreamResponse) -> None:
        response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")

    def of(self, request: web.Request) -> Session | None:
        """The session of whoever asks; None without one that is ours and good."""
        try:
            raw = base64.b64decode(request.cookies.get(COOKIE, ""), altchars=b"-_", validate=True)
            content, signature = raw[: _FORM.size], raw[_FORM.size :]
            version, hashed, until = _FORM.unpack(content)
        except (binascii.Error, struct.error, ValueError):
            return None
        is_ours = version == _VERSION and len(signature) == _SIGNATURE_BYTES
        if not is_ours or not self._signer.fits(content, signature.hex()) or until <= self._clock():
            return None
        return Session(hashed, until)

    def renew(self, response: web.StreamResponse, session: Session) -> None:
        """Begin anew what would end before long."""
        if session.until - self._clock() < GOOD_S - RENEW_S:
            self.begin(response, session.hashed)


class SessionGate:
    """Lets in who has logged in, and nobody by a header. Where no keys are asked for, everybody, as the API does."""

    def __init__(self, gate: Gate, sessions: Sessions) -> None:
        self.asks_for_keys = gate.asks_for_keys
        self._gate = gate
        self._sessions = sessions

    async def admit(
        self, request: web.Request, scope: Scope, dialect: Dialect | None = None, *, basic: bool = False
    ) -> Caller:
        del dialect, basic
        session = self._sessions.of(request)
        if session is None and self.asks_for_keys:
            raise Challenged("unauthorized", CATALOGUE["unauthorized"].to_do, "Cookie")
        return await self._gate.admit_known(session.hashed if session else None, request, scope)

    async def admit_known(self, hashed: bytes | None, request: web.Request, scope: Scope) -> Caller:
        return await self._gate.admit_known(hashed, request, scope)
