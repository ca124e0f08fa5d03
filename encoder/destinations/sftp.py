"""Publishes to an SFTP server: beside the final name first, then renamed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from urllib.parse import quote

from encoder import errors
from encoder.destinations import cargo, template
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.errors import Fault
from encoder.model.paths import part_name
from encoder.net import account
from encoder.net.http import Web
from encoder.net.sftp import Sftp, connected
from encoder.net.sftp_site import Members, Site, faults, site
from encoder.net.side import DESTINATION
from encoder.plugins import Kind, Surroundings

CLEAR_UP_S = 5.0  # for each of two tries to remove what a failure left

_STEP_BYTES = 510 * 1024  # two of the largest writes that OpenSSH takes; has to leave within the idle time


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    wrong = template.fault(members.path)
    if wrong is not None:
        yield Fault(path="/path", code=wrong.code, message=wrong.message)
    path = template.example(members.path)
    yield from faults(members, surroundings.web.policy, path=path, folder=surroundings.folder)


class Line:
    """The connection to one server, made when it is needed and made anew when it broke."""

    def __init__(self, site: Site, web: Web) -> None:
        self._site = site
        self._web = web
        self._sftp: Sftp | None = None
        self._making = asyncio.Lock()

    async def ready(self) -> Sftp:
        async with self._making:
            if self._sftp is None or self._sftp.broken:
                self._sftp = await self.another()
            return self._sftp

    async def another(self) -> Sftp:
        """A new one, whatever there is; whoever asks closes it."""
        return await connected(self._site, self._web, DESTINATION)

    async def close(self) -> None:
        if self._sftp is not None:
            await self._sftp.close()


class SftpDestination:
    """A file, or the folder of a package."""

    def __init__(self, line: Line, path: str, *, uri: str) -> None:
        self._line = line
        self._path = path
        self._uri = uri

    @property
    def uri(self) -> str:
        return self._uri

    async def look(self) -> Receipt | None:
        facts = await (await self._line.ready()).facts(self._path)
        if facts is None or facts.size_bytes is None:
            return None
        return Receipt(uri=self._uri, size_bytes=facts.size_bytes, sha256=None)

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        part = part_name(self._path, parcel.token)
        sftp = await self._line.ready()
        try:
            async with aclosing(cargo.chunks(parcel, _STEP_BYTES, sent=sent)) as chunks:
                await sftp.store(part, chunks)
            await _require_whole(sftp, part, parcel)
            await fence()
            await sftp.replace(part, self._path)
        except BaseException:
            await self._clear_up(sftp, part)
            raise
        return Receipt(uri=self._uri, size_bytes=parcel.size_bytes, sha256=None)

    async def discard(self, token: str) -> None:
        await (await self._line.ready()).remove(part_name(self._path, token))

    def within(self, name: str) -> Destination:
        return SftpDestination(self._line, self._path + name, uri=self._uri + quote(name))

    async def close(self) -> None:
        await self._line.close()

    async def _clear_up(self, sftp: Sftp, part: str) -> None:
        """Remove `part`, if need be over a connection of its own."""
        with suppress(errors.Failure, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_S):
                await sftp.remove(part)
                return
        await sftp.close()
        with suppress(errors.Failure, TimeoutError):
            async with asyncio.timeout(CLEAR_UP_S):
                other = await self._line.another()
                try:
                    await other.remove(part)
                finally:
                    await other.close()


async def _require_whole(sftp: Sftp, part: str, parcel: Parcel) -> None:
    facts = await sftp.facts(part)
    size_bytes = None if facts is None else facts.size_bytes
    if size_bytes != parcel.size_bytes:
        message = f"The server has {size_bytes or 0} of {parcel.size_bytes} bytes."
        raise errors.Transient("integrity_error", message)


def _make(members: Members, surroundings: Surroundings) -> SftpDestination:
    found = site(members, surroundings.web.policy)
    if isinstance(found, Fault):
        raise errors.Permanent(found.code, found.message)
    uri = account.uri("sftp", found.host, members.path)
    return SftpDestination(Line(found, surroundings.web), members.path, uri=uri)


KIND: Kind[Members, Destination] = Kind(members=Members, make=_make, check=check)
