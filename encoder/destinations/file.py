"""Publishes into a folder: beside the final name first, on disk for good, then renamed."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from operator import methodcaller
from typing import BinaryIO
from urllib.parse import quote

from encoder import errors
from encoder.destinations import template
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.errors import Fault
from encoder.files import beneath
from encoder.files.part import create, is_full, removed_if_it_stays
from encoder.files.roots import Spot
from encoder.files.threads import in_thread, opened
from encoder.model.base import Record
from encoder.model.paths import part_name
from encoder.plugins import Kind, Surroundings

_STEP_BYTES = 4 * 1024 * 1024
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class Members(Record):
    path: str


def check(members: Members, surroundings: Surroundings) -> Iterator[Fault]:
    fault = template.fault(members.path) or surroundings.roots.check(
        template.example(members.path), folder=surroundings.folder
    )
    if fault is not None:
        yield Fault(path="/path", code=fault.code, message=fault.message)


class FileDestination:
    """A file, or the folder of a package. `away`: the code of failures that may pass by themselves."""

    tells_sha256 = True

    def __init__(self, spot: Spot, *, uri: str, away: str = "destination_unavailable") -> None:
        self._spot = spot
        self._uri = uri
        self._away = away

    @property
    def uri(self) -> str:
        return self._uri

    async def look(self) -> Receipt | None:
        try:
            async with opened(self._open, methodcaller("close")) as file:
                size_bytes, sha256 = await _digest(file)
        except OSError as error:
            if isinstance(error, FileNotFoundError) or beneath.refuses(error):
                return None
            raise self._failure(error) from error
        return Receipt(uri=self._uri, size_bytes=size_bytes, sha256=sha256)

    async def publish(
        self, parcel: Parcel, *, sent: Callable[[int], None], fence: Callable[[], Awaitable[None]]
    ) -> Receipt:
        part = part_name(self._spot.way.name, parcel.token)
        with parcel.path.open("rb", buffering=0) as file, self._translated():
            async with opened(partial(self._open_folder, make=True), os.close) as folder:
                with removed_if_it_stays(part, folder):
                    await _write(file, part, folder, parcel, sent)
                    await fence()
                    await in_thread(_rename, part, self._spot.way.name, folder)
        return Receipt(uri=self._uri, size_bytes=parcel.size_bytes, sha256=parcel.sha256)

    async def discard(self, token: str) -> None:
        with self._translated(), suppress(FileNotFoundError):
            async with opened(self._open_folder, os.close) as folder:
                os.unlink(part_name(self._spot.way.name, token), dir_fd=folder)

    def within(self, name: str) -> Destination:
        spot = replace(self._spot, way=self._spot.way / name)
        return FileDestination(spot, uri=self._uri + quote(name), away=self._away)

    async def close(self) -> None:
        """Nothing: nothing is kept open."""

    def _open(self) -> BinaryIO:
        return os.fdopen(beneath.open_file(self._spot.root, self._spot.way), "rb", buffering=0)

    def _open_folder(self, *, make: bool = False) -> int:
        return beneath.open_folder(self._spot.root, self._spot.way.parent, make=make)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> errors.Failure:
        if is_full(error):
            return errors.Resource("disk_full", "The destination's disk is full.")
        if error.errno in _REFUSED:
            return errors.Permanent("destination_auth_failed", "The worker may not write there.")
        if beneath.refuses(error) or isinstance(error, IsADirectoryError):
            return errors.Permanent("path_not_allowed", "The path leads through a link or to no file.")
        if isinstance(error, FileNotFoundError):
            return errors.Permanent("destination_not_found", "The folder is not there.")
        return errors.Transient(self._away, f"The file cannot be written: {error.strerror}.")


async def _write(file: BinaryIO, part: str, folder: int, parcel: Parcel, sent: Callable[[int], None]) -> None:
    """Make `part` the parcel's bytes, on disk for good. What was read must be what was proven."""
    digest = hashlib.sha256()
    async with opened(partial(create, part, folder), methodcaller("close")) as target:
        buffer = bytearray(_STEP_BYTES)
        while count := await in_thread(_step, file, target, buffer, digest):
            sent(count)
        await in_thread(os.fsync, target.fileno())
    if digest.hexdigest() != parcel.sha256:
        raise errors.Transient("integrity_error", "The file changed on its way from the scratch folder.")


async def _digest(file: BinaryIO) -> tuple[int, str]:
    digest, size_bytes, buffer = hashlib.sha256(), 0, bytearray(_STEP_BYTES)
    while count := await in_thread(_step, file, None, buffer, digest):
        size_bytes += count
    return size_bytes, digest.hexdigest()


def _step(source: BinaryIO, target: BinaryIO | None, buffer: bytearray, digest: hashlib._Hash) -> int:
    """Read once, add to the digest, write; how many bytes, 0 at the end."""
    count: int = source.readinto(buffer)  # type: ignore[attr-defined]  # an unbuffered file has it
    with memoryview(buffer)[:count] as read:
        digest.update(read)
        written = 0
        while target is not None and written < count:
            written += target.write(read[written:])
    return count


def _rename(part: str, name: str, folder: int) -> None:
    os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _make(members: Members, surroundings: Surroundings) -> FileDestination:
    spot = surroundings.roots.spot(members.path, folder=surroundings.folder)
    if isinstance(spot, Fault):
        raise errors.Permanent(spot.code, spot.message)
    return FileDestination(spot, uri=spot.path.as_uri() + "/" * surroundings.folder)


KIND: Kind[Members, Destination] = Kind(members=Members, make=_make, check=check)
