"""Reads from an SFTP server, several blocks ahead."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from encoder.errors import Fault, in_order
from encoder.net.sftp import visit
from encoder.net.sftp_site import Members, faults, site, unchecked
from encoder.net.side import SOURCE
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Source
from encoder.sources.served import ServedSource


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    yield from faults(members, surroundings.web.policy, path=members.path, folder=False)


def _make(members: Members, surroundings: Surroundings) -> ServedSource:
    found = in_order(site(members, surroundings.web.policy))
    return ServedSource(partial(visit, found, surroundings.web, SOURCE), members.path)


KIND: Kind[Members, Source] = Kind(members=Members, make=_make, check=check, warn=unchecked)
