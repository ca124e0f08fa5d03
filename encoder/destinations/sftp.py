"""Publishes to an SFTP server: beside the final name first, then renamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from encoder.destinations import template
from encoder.destinations.beside import BesideDestination
from encoder.destinations.protocol import Destination
from encoder.errors import Fault, in_order
from encoder.net import account
from encoder.net.http import Web
from encoder.net.sftp import Sftp, connected, visit
from encoder.net.sftp_site import Members, Site, faults, site, unchecked
from encoder.net.side import DESTINATION
from encoder.plugins import Kind, Surroundings

_CHUNK_BYTES = 510 * 1024  # two of the largest writes that OpenSSH takes; has to leave within the idle time


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    wrong = template.fault(members.path)
    if wrong is not None:
        yield Fault(path="/path", code=wrong.code, message=wrong.message)
    path = template.example(members.path)
    yield from faults(members, surroundings.web.policy, path=path, folder=surroundings.folder)


class SftpLines:
    """One connection, made when it is needed and made anew when it broke; it serves all at once."""

    def __init__(self, site: Site, web: Web) -> None:
        self._site = site
        self._web = web
        self._sftp: Sftp | None = None
        self._making = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Sftp]:
        async with self._making:
            if self._sftp is None or self._sftp.broken:
                self._sftp = await connected(self._site, self._web, DESTINATION)
        yield self._sftp

    def another(self) -> AbstractAsyncContextManager[Sftp]:
        return visit(self._site, self._web, DESTINATION)

    async def close(self) -> None:
        if self._sftp is not None:
            await self._sftp.close()


def _make(members: Members, surroundings: Surroundings) -> BesideDestination:
    found = in_order(site(members, surroundings.web.policy))
    uri = account.uri("sftp", found.host, members.path)
    return BesideDestination(SftpLines(found, surroundings.web), members.path, uri=uri, chunk_bytes=_CHUNK_BYTES)


KIND: Kind[Members, Destination] = Kind(members=Members, make=_make, check=check, warn=unchecked)
