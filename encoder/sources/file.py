"""Reads a file from a folder that the operator opened."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial

from encoder import errors
from encoder.errors import Fault
from encoder.files import beneath
from encoder.files.beneath import open_file
from encoder.files.roots import Spot
from encoder.files.threads import in_thread, opened
from encoder.model.base import Record
from encoder.plugins import Kind, Surroundings
from encoder.sources.protocol import Incoming, Source

_CHUNK_BYTES = 1024 * 1024


class Members(Record):
    path: str


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    fault = surroundings.roots.check(members.path)
    if fault is not None:
        yield Fault(path="/path", code=fault.code, message=fault.message)


class FileSource:
    """`away`: the code of failures that may pass by themselves."""

    def __init__(self, spot: Spot, *, away: str = "source_unavailable") -> None:
        self._spot = spot
        self._away = away

    @asynccontextmanager
    async def open(self, *, offset: int = 0, validator: str | None = None) -> AsyncIterator[Incoming]:
        async with AsyncExitStack() as stack:
            with self._translated():
                opens = partial(open_file, self._spot.root, self._spot.way)
                descriptor = await stack.enter_async_context(opened(opens, os.close))
            facts = os.fstat(descriptor)
            # without the device, whose number is another on each machine that shares the folder
            version = f"{facts.st_ino}-{facts.st_size}-{facts.st_mtime_ns}"
            start = offset if validator == version and offset <= facts.st_size else 0
            yield Incoming(
                offset=start,
                size_bytes=facts.st_size,
                validator=version,
                file_name=self._spot.way.name,
                chunks=self._chunks(descriptor, start),
            )

    async def _chunks(self, descriptor: int, start: int) -> AsyncIterator[bytes]:
        at = start
        while True:
            with self._translated():
                chunk = await in_thread(os.pread, descriptor, _CHUNK_BYTES, at)
            if not chunk:
                return
            at += len(chunk)
            yield chunk

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise errors.Permanent("source_not_found", "There is no such file.") from error
        except PermissionError as error:
            raise errors.Permanent("source_auth_failed", "The worker may not read the file.") from error
        except OSError as error:
            if beneath.refuses(error):
                raise errors.Permanent("path_not_allowed", "The path leads through a link or to no file.") from error
            raise errors.Transient(self._away, f"The file cannot be read: {error.strerror}.") from error


def _make(members: Members, surroundings: Surroundings) -> FileSource:
    spot = surroundings.roots.spot(members.path)
    if isinstance(spot, Fault):
        raise errors.Permanent(spot.code, spot.message)
    return FileSource(spot)


KIND: Kind[Members, Source] = Kind(members=Members, make=_make, check=check)
