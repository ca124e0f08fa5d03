"""Who calls, and whether they may: by the key that comes with the request.

A key is looked up by its SHA-256. So nothing is compared that a caller could find out byte by byte: of the hash of 256
random bits, what a near miss tells by its time leads to no key.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from encoder import errors
from encoder.api.addresses import Addresses, house
from encoder.api.dialect import Dialect, password
from encoder.api.rates import Buckets
from encoder.errors import CATALOGUE, Fault, Rejected
from encoder.metrics.api import rate_limited
from encoder.model.ids import DEFAULT_TENANT, TenantId
from encoder.model.key import Scope, digest, is_key
from encoder.store.kept import KeyRow
from encoder.store.protocol import Keys

KNOWN_S = 10.0  # for which a key is not looked up again: so long a revoked one may still be let in
_REALM = 'Bearer realm="encoder"'
_BASIC = 'Basic realm="encoder"'


class Challenged(Rejected):
    """It is not what was asked that is refused, but who asks. `challenge`: of the header `WWW-Authenticate`."""

    def __init__(self, code: str, message: str, challenge: str) -> None:
        super().__init__(Fault(path="", code=code, message=message))
        self.challenge = challenge


@dataclass(frozen=True, slots=True)
class Caller:
    """`counted`: by what its calls are counted, its key or its address; None: they are not. `name`: its key's."""

    tenant_id: TenantId
    counted: Hashable | None
    scopes: frozenset[Scope] = frozenset(Scope)
    name: str = ""


class Gate(Protocol):
    """Stands before every operation that is not public."""

    asks_for_keys: bool

    async def admit(
        self, request: web.Request, scope: Scope, dialect: Dialect | None = None, *, basic: bool = False
    ) -> Caller:
        """Whose call it is. `dialect`: in which its key may be shown, beside our own; `basic`: or as Basic's password.

        Raises:
            Challenged: `unauthorized`, `insufficient_scope`.
            errors.TooMany: `rate_limited`, for its address has shown too many keys that were no good.
            errors.Rejected: `invalid_header`.
        """

    async def admit_known(self, hashed: bytes | None, request: web.Request, scope: Scope) -> Caller:
        """As `admit`, for a key that was shown before, or on a page. `hashed`: what `hash_of` makes of it."""


class OpenGate:
    """Lets everybody in, as the first tenant. `addresses`: by them all are counted but who is on this machine."""

    asks_for_keys = False

    def __init__(self, addresses: Addresses | None = None) -> None:
        self._addresses = addresses

    async def admit(
        self, request: web.Request, _scope: Scope, _dialect: Dialect | None = None, *, basic: bool = False
    ) -> Caller:
        del basic
        return self._caller(request)

    async def admit_known(self, _hashed: bytes | None, request: web.Request, _scope: Scope) -> Caller:
        return self._caller(request)

    def _caller(self, request: web.Request) -> Caller:
        address = None if self._addresses is None else self._addresses.of(request)
        return Caller(DEFAULT_TENANT, None if address is None or address.is_loopback else house(address))


class KeyGate:
    """Lets in who has a key that is good for the scope. It remembers only keys that there are: operators make few.

    `bad_keys`: by address. A key that was good here before is never refused for those that its neighbours tried.
    """

    asks_for_keys = True

    def __init__(
        self,
        keys: Keys,
        *,
        addresses: Addresses | None = None,
        bad_keys: Buckets | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._addresses = addresses or Addresses()
        self._bad_keys = bad_keys or Buckets(0)
        self._clock = clock
        self._known: dict[bytes, tuple[float, KeyRow]] = {}
        self._asked: dict[bytes, asyncio.Future[KeyRow | None]] = {}

    async def admit(
        self, request: web.Request, scope: Scope, dialect: Dialect | None = None, *, basic: bool = False
    ) -> Caller:
        text = _key_of(request, dialect, basic=basic)
        challenge = f"{_REALM}, {_BASIC}" if basic else _REALM  # some show a password only when asked for it
        return await self._let_in(hash_of(text) if text else None, request, scope, challenge)

    async def admit_known(self, hashed: bytes | None, request: web.Request, scope: Scope) -> Caller:
        return await self._let_in(hashed, request, scope, _REALM)

    async def _let_in(self, hashed: bytes | None, request: web.Request, scope: Scope, challenge: str) -> Caller:
        key = None if hashed is None else await self._live(hashed, request)
        if key is None:  # one answer for all: who guesses learns nothing
            raise Challenged("unauthorized", CATALOGUE["unauthorized"].to_do, challenge)
        if scope not in key.scopes:
            message = f"This key lacks the scope `{scope}`."
            raise Challenged("insufficient_scope", message, f'{_REALM}, error="insufficient_scope", scope="{scope}"')
        return Caller(key.tenant_id, key.id, frozenset(key.scopes), key.name)

    async def _live(self, hashed: bytes, request: web.Request) -> KeyRow | None:
        """The key, if it lives. What is not known to do so costs its address something, unless it turns out to."""
        until, known = self._known.get(hashed, (0.0, None))
        if known is not None and known.live:  # looked at again by one for all: a thousand streams may have come with it
            return known if self._clock() < until else _if_live(await self._ask(hashed))
        if hashed in self._asked:  # by another connection that has paid: whoever opens many begins on all at once
            return _if_live(await self._ask(hashed))
        address = house(self._addresses.of(request))
        wait_s = self._bad_keys.take(address)  # before the look-up: of many at once, none slips through
        if wait_s:
            rate_limited.of("bad_keys").inc()
            told = "Too many keys that came from this address were no good."
            raise errors.TooMany("rate_limited", told, retry_after_s=wait_s)
        is_bad = False
        try:
            found = _if_live(await self._ask(hashed)) if hashed else None
            is_bad = found is None
        finally:
            if not is_bad:
                self._bad_keys.give(address)
        return found

    async def _ask(self, hashed: bytes) -> KeyRow | None:
        """As `_look_up`, once for all who ask at the same time; who goes away meanwhile takes it from nobody else."""

        def answered(asked: asyncio.Future[KeyRow | None]) -> None:
            del self._asked[hashed]
            if not asked.cancelled():
                asked.exception()  # whoever still waits is told

        if hashed not in self._asked:
            self._asked[hashed] = asyncio.ensure_future(self._look_up(hashed))
            self._asked[hashed].add_done_callback(answered)
        return await asyncio.shield(self._asked[hashed])

    async def _look_up(self, hashed: bytes) -> KeyRow | None:
        until, known = self._known.get(hashed, (0.0, None))
        now = self._clock()
        if known is not None and now < until:
            return known
        found = await self._keys.key(hashed)
        if found is None:
            self._known.pop(hashed, None)
            return None
        self._known[hashed] = (now + KNOWN_S, found)
        if found.live:
            with suppress(errors.StoreUnavailable):  # a note for people is no reason to refuse a call
                await self._keys.key_used(found.id)
        return found


def hash_of(text: str) -> bytes:
    """By which a key is found; b"" for a text that is none."""
    return digest(text) if is_key(text) else b""


def _if_live(key: KeyRow | None) -> KeyRow | None:
    return key if key is not None and key.live else None


def _key_of(request: web.Request, dialect: Dialect | None, *, basic: bool) -> str:
    """What the request shows as its key; "" for nothing."""
    given = request.headers.getall("Authorization", [])
    if len(given) > 1:
        raise Rejected.because("invalid_header", "`Authorization` must stand only once.")
    scheme, _, text = "".join(given).partition(" ")
    if dialect is not None and scheme.lower() == dialect.scheme:
        return dialect.key(text.strip(" "))
    if basic and scheme.lower() == "basic":
        return password(text.strip(" "))
    return text.strip(" ") if scheme.lower() == "bearer" else ""
