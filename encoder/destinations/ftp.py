"""Publishes to an FTP server, in the clear or under TLS: beside the final name first, then renamed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from encoder.destinations import template
from encoder.destinations.beside import BesideDestination
from encoder.destinations.protocol import Destination
from encoder.errors import Fault, in_order
from encoder.net import account
from encoder.net.account import Account
from encoder.net.ftp import Ftp, entered, visit
from encoder.net.ftp_talk import Site, site
from encoder.net.http import Web
from encoder.net.side import DESTINATION
from encoder.plugins import Kind, Surroundings

MOST_LINES = 4  # conversations with one server at once

_CHUNK_BYTES = 1024 * 1024


def check(members: Account, surroundings: Surroundings, *, scheme: str) -> Iterator[Fault]:
    wrong = template.fault(members.path)
    if wrong is not None:
        yield Fault(path="/path", code=wrong.code, message=wrong.message)
    path = template.example(members.path)
    yield from account.faults(members, scheme, surroundings.web.policy, path=path, folder=surroundings.folder)


class FtpLines:
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
            ftp = await self._awake() or await entered(self._site, self._web, DESTINATION)
            try:
                yield ftp
            except BaseException:
                ftp.close()
                raise
            self._free.append(ftp)

    def another(self) -> AbstractAsyncContextManager[Ftp]:
        return visit(self._site, self._web, DESTINATION)

    async def close(self) -> None:
        while self._free:
            self._free.pop().leave()

    async def _awake(self) -> Ftp | None:
        while self._free:
            ftp, awake = self._free.pop(), False
            try:
                awake = await ftp.awake()
            finally:
                if not awake:
                    ftp.close()
            if awake:
                return ftp
        return None


def _make(members: Account, surroundings: Surroundings, *, scheme: str) -> BesideDestination:
    found = in_order(site(members, scheme, surroundings.web.policy))
    uri = account.uri(scheme, found.host, members.path)
    return BesideDestination(FtpLines(found, surroundings.web), members.path, uri=uri, chunk_bytes=_CHUNK_BYTES)


KIND: Kind[Account, Destination] = Kind(
    members=Account,
    make=partial(_make, scheme="ftp"),
    check=partial(check, scheme="ftp"),
    warn=account.in_the_clear,
)
TLS_KIND: Kind[Account, Destination] = Kind(
    members=Account, make=partial(_make, scheme="ftps"), check=partial(check, scheme="ftps")
)
