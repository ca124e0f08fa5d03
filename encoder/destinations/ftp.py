"""Publishes to an FTP server, in the clear or under TLS: beside the final name first, then renamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from urllib.parse import quote

from encoder import errors
from encoder.destinations import cargo, template
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.errors import Fault
from encoder.model.paths import part_name
from encoder.net import account
from encoder.net.account import Account
from encoder.net.ftp import Ftp, entered
from encoder.net.ftp_talk import Site, site
from encoder.net.http import Web
from encoder.net.side import DESTINATION
from encoder.plugins import Kind, Surroundings

MOST_LINES = 4  # conversations with one server at once
CLEAR_UP_S = 5.0  # for each of two tries to remove what a failure left

_CHUNK_BYTES = 1024 * 1024


def check(members: Account, surroundings: Surroundings, *, scheme: str) -> Iterator[Fault]:
    wrong = template.fault(members.path)
    if wrong is not None:
        yield Fault(path="/path", code=wrong.code, message=wrong.message)
    path = template.example(members.path)
    yield from account.faults(members, scheme, surroundings.web.policy, path=path, folder=surroundings.folder)


class Lines:
    """Conversations with one server, kept until `close`; each does one thing at a time."""

    def __init__(self, site: Site, web: Web) -> None:
        self._site = site
        self._web = web
        self._free: list[Ftp] = []
        self._room = asyncio.Semaphore(MOST_LINES)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Ftp]:
        """A conversation of the block's own. One that met a failure is not used again."""
        async with self._room:
            ftp = await self._awake() or await self.another()
            try:
                yield ftp
            except BaseException:
                ftp.close()
                raise
            self._free.append(ftp)

    async def another(self) -> Ftp:
        """A new one, whatever is free; whoever asks closes it."""
        return await entered(self._site, self._web, DESTINATION)

    def close(self) -> None:
        while self._free:
            self._free.pop().leave()

    async def _awake(self) -> Ftp | None:
        while self._free:
            ftp = self._free.pop()
            if await ftp.awake():
                return ftp
            ftp.close()
        return None


class FtpDestination:
    """A file, or the folder of a package."""

    def __init__(self, lines: Lines, path: str, *, uri: str) -> None:
        self._lines = lines
        self._path = path
        self._uri = uri

    @property
    def uri(self) -> str:
        return self._uri

    async def look(self) -> Receipt | None:
        async with self._lines.one() as ftp:
            size_bytes = (await ftp.facts(self._path)).size_bytes
        return None if size_bytes is None else Receipt(uri=self._uri, size_bytes=size_bytes, sha256=None)

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        part = part_name(self._path, parcel.token)
        async with self._lines.one() as ftp:
            try:
                async with aclosing(cargo.chunks(parcel, _CHUNK_BYTES, sent=sent)) as chunks:
                    await ftp.store(part, chunks)
                await _require_whole(ftp, part, parcel)
                await fence()
                await ftp.replace(part, self._path)
            except BaseException:
                await self._clear_up(ftp, part)
                raise
        return Receipt(uri=self._uri, size_bytes=parcel.size_bytes, sha256=None)

    async def discard(self, token: str) -> None:
        async with self._lines.one() as ftp:
            await ftp.remove(part_name(self._path, token))

    def within(self, name: str) -> Destination:
        return FtpDestination(self._lines, self._path + name, uri=self._uri + quote(name))

    async def close(self) -> None:
        self._lines.close()

    async def _clear_up(self, ftp: Ftp, part: str) -> None:
        """Remove `part`, on the same conversation if it is still one: there the server knows when it was made."""
        with suppress(errors.Failure, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_S):
                await ftp.remove(part)
                return
        ftp.close()
        with suppress(errors.Failure, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_S):
                other = await self._lines.another()
                try:
                    await other.remove(part)
                finally:
                    other.leave()


async def _require_whole(ftp: Ftp, part: str, parcel: Parcel) -> None:
    """A server takes the end of a connection for the end of a file, whoever ended it."""
    size_bytes = (await ftp.facts(part)).size_bytes
    if size_bytes not in {None, parcel.size_bytes}:
        message = f"The server has {size_bytes} of {parcel.size_bytes} bytes."
        raise errors.Transient("integrity_error", message)


def _make(members: Account, surroundings: Surroundings, *, scheme: str) -> FtpDestination:
    found = site(members, scheme, surroundings.web.policy)
    if isinstance(found, Fault):
        raise errors.Permanent(found.code, found.message)
    return FtpDestination(
        Lines(found, surroundings.web), members.path, uri=account.uri(scheme, found.host, members.path)
    )


KIND: Kind[Account, Destination] = Kind(
    members=Account, make=partial(_make, scheme="ftp"), check=partial(check, scheme="ftp")
)
TLS_KIND: Kind[Account, Destination] = Kind(
    members=Account, make=partial(_make, scheme="ftps"), check=partial(check, scheme="ftps")
)
