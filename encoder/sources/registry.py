"""Finds the source of a kind."""

from __future__ import annotations

from collections.abc import Callable

from encoder.model.job import Place
from encoder.plugins import Registry, Surroundings
from encoder.sources import upload
from encoder.sources.protocol import Source

_OWN = {
    "file": "encoder.sources.file:KIND",
    "ftp": "encoder.sources.ftp:KIND",
    "ftps": "encoder.sources.ftp:TLS_KIND",
    "http": "encoder.sources.http:KIND",
    "https": "encoder.sources.http:KIND",
    "inline": "encoder.sources.inline:KIND",
    "s3": "encoder.sources.s3:KIND",
    "sftp": "encoder.sources.sftp:KIND",
    "upload": "encoder.sources.upload:KIND",
}


class Sources(Registry[Source]):
    """`stored`: what callers brought into the platform's storage, by its key (`Storage.source`)."""

    own = _OWN
    group = "encoder.sources"

    def __init__(self, surroundings: Surroundings, *, stored: Callable[[str], Source] | None = None) -> None:
        super().__init__(surroundings)
        if stored is not None:
            self._loaded["upload"] = upload.kind(stored)

    def make(self, place: Place) -> Source:
        """The source of `place`, secrets included.

        Raises:
            errors.Permanent: the place is not, or no longer, in order; the code says why.
        """
        return self._make(place)
