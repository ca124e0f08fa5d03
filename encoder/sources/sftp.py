"""Reads from an SFTP server, several blocks ahead, and goes on in the middle of a file that has not changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

from encoder import errors
from encoder.errors import Fault
from encoder.net.sftp import connected
from encoder.net.sftp_site import Members, faults, site, unchecked
from encoder.net.side import SOURCE
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Incoming, Source


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    yield from faults(members, surroundings.web.policy, path=members.path, folder=False)


class SftpSource:
    def __init__(self, members: Members, surroundings: Surroundings) -> None:
        found = site(members, surroundings.web.policy)
        if isinstance(found, Fault):
            raise errors.Permanent(found.code, found.message)
        self._site = found
        self._path = members.path
        self._web = surroundings.web

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        sftp = await connected(self._site, self._web, SOURCE)
        try:
            facts, start, chunks = await sftp.retrieve(self._path, offset=offset, version=validator)
            async with aclosing(chunks):
                yield Incoming(
                    offset=start,
                    size_bytes=facts.size_bytes,
                    validator=facts.version,
                    file_name=self._path.rpartition("/")[2],
                    chunks=chunks,
                )
        finally:
            await sftp.close()


KIND: Kind[Members, Source] = Kind(members=Members, make=SftpSource, check=check, warn=unchecked)
