"""Finds the destination of a kind."""

from __future__ import annotations

from collections.abc import Callable

from encoder.destinations.protocol import Destination
from encoder.model.job import Place
from encoder.plugins import Registry, Surroundings

_OWN = {
    "file": "encoder.destinations.file:KIND",
    "ftp": "encoder.destinations.ftp:KIND",
    "ftps": "encoder.destinations.ftp:TLS_KIND",
    "http": "encoder.destinations.http:KIND",
    "https": "encoder.destinations.http:KIND",
    "s3": "encoder.destinations.s3:KIND",
    "sftp": "encoder.destinations.sftp:KIND",
}


class Destinations(Registry[Destination]):
    """`stored`: where an output without a destination goes, by its key (`Storage.destination`)."""

    own = _OWN
    group = "encoder.destinations"

    def __init__(self, surroundings: Surroundings, *, stored: Callable[[str], Destination]) -> None:
        super().__init__(surroundings)
        self._stored = stored

    def make(self, place: Place | None, key: str) -> Destination:
        """The destination of `place`, its templates expanded and secrets included; None: the platform's storage.

        `key` names the output for ever, the same on every attempt. It ends in `/` where the output is a folder of
        files; then `place` is one too.

        Raises:
            errors.Permanent: the place is not, or no longer, in order; the code says why.
        """
        return self._stored(key) if place is None else self._make(place, key=key)
