"""Reading is plain HTTP, which Encoder can do already."""

from __future__ import annotations

from collections.abc import Iterator

from encoder.errors import Fault
from encoder.plugins import Surroundings
from encoder.sources import http
from encoder.sources.protocol import Source
from encoder_webdav.members import Members


def _as_http(members: Members) -> http.Members:
    return http.Members(url=members.url, headers=members.headers())


def check_source(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    yield from http.check(_as_http(members), surroundings)


def make_source(members: Members, surroundings: Surroundings) -> Source:
    return http.HttpSource(_as_http(members), surroundings)
