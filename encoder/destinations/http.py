"""Sends to a web server with one PUT or POST."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Literal, Self

from aiohttp import ClientResponse

from encoder import errors
from encoder.destinations import cargo, template
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.errors import Fault, in_order
from encoder.model.base import Record
from encoder.net import headers
from encoder.net.guard import Url, check_url
from encoder.net.http import Ask, Web, retry_after_s
from encoder.net.idle import Idle, pieces
from encoder.plugins import Kind, Surroundings

ANSWER_S = 300.0  # a server may store or check a large body before it answers

_AWAY = "destination_unavailable"
_CHUNK_BYTES = 1024 * 1024
_FOR_A_WHILE = frozenset({408, 409, 423, 425, 429})
_CODES = dict.fromkeys((401, 403, 407), "destination_auth_failed")
_CODES |= {404: "destination_not_found", 410: "destination_not_found", 413: "output_too_large"}


class Members(Record):
    url: str
    method: Literal["PUT", "POST"] = "PUT"
    headers: dict[str, str] = {}


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    url = template.fault(members.url) or check_url(template.example(members.url), surroundings.web.policy)
    if isinstance(url, Fault):
        yield Fault(path="/url", code=url.code, message=url.message)
    elif surroundings.folder and not url.path.endswith("/"):
        yield Fault(path="/url", code="invalid_path", message="The address names one file; a folder's ends in a slash.")
    yield from headers.faults(members.headers)


class HttpDestination:
    """`key` names what is sent for ever: the other side may know by it what it has already taken."""

    tells_sha256 = False

    def __init__(self, url: Url, members: Members, web: Web, *, key: str) -> None:
        self._url = url
        self._members = members
        self._web = web
        self._key = key

    @property
    def uri(self) -> str:
        return self._url.shown

    async def look(self) -> Receipt | None:
        ask = Ask(method="HEAD", url=self._url, headers=self._members.headers)
        async with self._web.ask(ask, away=_AWAY) as response:
            size_bytes = response.content_length
            if not response.ok or size_bytes is None:
                return None
        return Receipt(uri=self.uri, size_bytes=size_bytes, sha256=None)

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        if not parcel.size_bytes:  # the head of its request is the whole of it: there is no last byte to hold back
            await fence()
        async with _Upload(parcel, sent=sent, fence=fence, idle_s=self._web.idle_s) as upload:
            ask = Ask(
                method=self._members.method,
                url=self._url,
                headers=self._members.headers,
                own={
                    "Content-Type": parcel.content_type,
                    "Content-Length": str(parcel.size_bytes),
                    "Idempotency-Key": _idempotency_key(self._key, parcel.sha256),
                },
                body=upload.chunks,
                answer_s=ANSWER_S,
            )
            async with self._web.ask(ask, away=_AWAY) as response:
                _raise_for(response)
                upload.require_complete()
        return Receipt(uri=self.uri, size_bytes=parcel.size_bytes, sha256=None)

    async def discard(self, token: str) -> None:
        """Nothing: a body that ends before its Content-Length makes no object."""

    def within(self, name: str) -> Destination:
        return HttpDestination(self._url.below(name), self._members, self._web, key=self._key + name)

    async def close(self) -> None:
        """Nothing: a connection ends with its request."""


class _Upload:
    """A parcel as a request's body, and what went wrong while that was made."""

    def __init__(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]], idle_s: float
    ) -> None:
        self._parcel = parcel
        self._sent = sent
        self._fence = fence
        self._idle = Idle(idle_s)
        self._failure: Exception | None = None
        self._complete = False

    async def __aenter__(self) -> Self:
        await self._idle.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._idle.__aexit__(kind, error, trace)
        except TimeoutError as silence:
            raise errors.Transient("timeout", "The destination took no more bytes.") from silence
        if self._failure is not None and not isinstance(error, asyncio.CancelledError):
            raise self._failure from error

    async def chunks(self) -> AsyncIterator[memoryview]:
        """The bytes from the first on; the last are held back until all are proven and the fence has let them go.

        A server sees nothing of a body that does not reach its Content-Length. A redirect has it sent anew.
        """
        held, self._complete, self._failure = b"", False, None
        try:
            async with aclosing(cargo.chunks(self._parcel, _CHUNK_BYTES, sent=self._sent)) as chunks:
                async for chunk in chunks:
                    for piece in pieces(held):
                        with self._idle.waiting():
                            yield piece
                    held = chunk
            if held:
                await self._fence()
            for piece in pieces(held):
                with self._idle.waiting():
                    yield piece
            self._complete = True
        except Exception as failure:
            self._failure = failure  # aiohttp shows the other side of the request only its own words
            raise

    def require_complete(self) -> None:
        """A success that comes before the last byte has left is none: whatever stands there, it is not the file."""
        if not self._complete:
            raise errors.Transient("integrity_error", "The destination answered before it had the whole file.")


def _raise_for(response: ClientResponse) -> None:
    """What a status means for the output. Raises errors.Permanent or errors.Transient for all but a success."""
    status = response.status
    if response.ok and status < 300:  # noqa: PLR2004  # 3xx: `ask` follows the redirects that there are
        return
    message = f"The destination answered {status}."
    if status in _FOR_A_WHILE or not 400 <= status < 500:  # noqa: PLR2004  # the client's fault, says HTTP
        raise errors.Transient(_AWAY, message, retry_after_s=retry_after_s(response.headers))
    raise errors.Permanent(_CODES.get(status, "destination_refused"), message)


def _idempotency_key(key: str, sha256: str) -> str:
    """The same for the same bytes of the same output, on whatever attempt they are sent."""
    return hashlib.sha256(f"{key} {sha256}".encode()).hexdigest()[:32]


def _make(members: Members, surroundings: Surroundings) -> HttpDestination:
    url = in_order(check_url(members.url, surroundings.web.policy))
    return HttpDestination(url, members, surroundings.web, key=surroundings.key)


KIND: Kind[Members, Destination] = Kind(members=Members, make=_make, check=check)
