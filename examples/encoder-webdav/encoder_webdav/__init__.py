"""WebDAV servers as sources and destinations: kind `webdav`."""

from __future__ import annotations

from encoder.destinations.protocol import Destination
from encoder.plugins import Kind
from encoder.sources.protocol import Source
from encoder_webdav.destination import WebdavDestination, check_destination
from encoder_webdav.members import Members
from encoder_webdav.source import check_source, make_source

SOURCE: Kind[Members, Source] = Kind(
    members=Members, make=make_source, check=check_source, secrets=frozenset({"token"})
)
DESTINATION: Kind[Members, Destination] = Kind(
    members=Members, make=WebdavDestination.made, check=check_destination, secrets=frozenset({"token"})
)
