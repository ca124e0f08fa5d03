"""Reads from an FTP server, in the clear or under TLS, and goes on in the middle of a file that has not changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

from encoder import errors
from encoder.errors import Fault
from encoder.net import account
from encoder.net.account import Account
from encoder.net.ftp import entered
from encoder.net.ftp_talk import site
from encoder.net.side import SOURCE
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Incoming, Source


def check(members: Account, surroundings: Surroundings, *, scheme: str) -> Iterator[Fault]:
    yield from account.faults(members, scheme, surroundings.web.policy, path=members.path, folder=False)


class FtpSource:
    def __init__(self, members: Account, surroundings: Surroundings, *, scheme: str) -> None:
        found = site(members, scheme, surroundings.web.policy)
        if isinstance(found, Fault):
            raise errors.Permanent(found.code, found.message)
        self._site = found
        self._path = members.path
        self._web = surroundings.web

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        ftp = await entered(self._site, self._web, SOURCE)
        try:
            facts = await ftp.facts(self._path)
            wanted = offset if validator is not None and validator == facts.version else 0
            transfer = ftp.retrieving(self._path, offset=wanted, facts=facts)
            async with transfer as (start, chunks):
                yield Incoming(
                    offset=start,
                    size_bytes=facts.size_bytes,
                    validator=facts.version,
                    file_name=self._path.rpartition("/")[2],
                    chunks=chunks,
                )
        finally:
            ftp.leave()


KIND: Kind[Account, Source] = Kind(
    members=Account,
    make=partial(FtpSource, scheme="ftp"),
    check=partial(check, scheme="ftp"),
    warn=account.in_the_clear,
)
TLS_KIND: Kind[Account, Source] = Kind(
    members=Account, make=partial(FtpSource, scheme="ftps"), check=partial(check, scheme="ftps")
)
