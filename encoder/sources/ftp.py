"""Reads from an FTP server, in the clear or under TLS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from encoder.errors import Fault, in_order
from encoder.net import account
from encoder.net.account import Account
from encoder.net.ftp import visit
from encoder.net.ftp_talk import site
from encoder.net.side import SOURCE
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Source
from encoder.sources.served import ServedSource


def check(members: Account, surroundings: Surroundings, *, scheme: str) -> Iterator[Fault]:
    yield from account.faults(members, scheme, surroundings.web.policy, path=members.path, folder=False)


def _make(members: Account, surroundings: Surroundings, *, scheme: str) -> ServedSource:
    found = in_order(site(members, scheme, surroundings.web.policy))
    return ServedSource(partial(visit, found, surroundings.web, SOURCE), members.path)


KIND: Kind[Account, Source] = Kind(
    members=Account,
    make=partial(_make, scheme="ftp"),
    check=partial(check, scheme="ftp"),
    warn=account.in_the_clear,
)
TLS_KIND: Kind[Account, Source] = Kind(
    members=Account, make=partial(_make, scheme="ftps"), check=partial(check, scheme="ftps")
)
