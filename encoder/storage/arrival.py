"""A file on its way into the storage: whole under its name, or not there at all."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from operator import methodcaller
from typing import BinaryIO
from uuid import uuid4

from encoder import errors
from encoder.files import beneath
from encoder.files.part import create, is_full, removed_if_it_stays
from encoder.files.roots import Spot
from encoder.files.threads import in_thread, opened

LEAST_FREE_BYTES = 512 * 1024 * 1024  # is left on the disk, for the database that may share it


class Arrival:
    """An open file beside its name. All methods raise errors.Resource `disk_full` or errors.Transient."""

    def __init__(self, file: BinaryIO, *, part: str, name: str, folder: int) -> None:
        self._file = file
        self._part = part
        self._name = name
        self._folder = folder

    async def write(self, chunk: bytes) -> None:
        with _translated():
            await in_thread(self._write, chunk)

    async def settle(self) -> None:
        """What was written is on disk for good."""
        with _translated():
            await in_thread(os.fsync, self._file.fileno())

    async def stand(self) -> bool:
        """Put the file under its name, on disk for good; False if one stands there already."""
        with _translated():
            return await in_thread(self._stand)

    def _write(self, chunk: bytes) -> None:
        _require_room(self._folder, len(chunk))
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) :]

    def _stand(self) -> bool:
        os.fsync(self._file.fileno())
        try:
            # a link never replaces, as a rename would: of two who bring the same name, the first one wins
            os.link(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder, follow_symlinks=False)
        except FileExistsError:
            return False
        os.unlink(self._part, dir_fd=self._folder)
        os.fsync(self._folder)
        return True


@asynccontextmanager
async def arriving(spot: Spot, *, size_bytes: int) -> AsyncIterator[Arrival]:
    """A new file for `spot`. What does not come to stand there by the end of the block is removed.

    `size_bytes`: how much is to come, at least. Raises as `Arrival`.
    """
    part = f".{uuid4().hex}.part"
    async with AsyncExitStack() as stack:
        with _translated():
            opens = partial(beneath.open_folder, spot.root, spot.way.parent, make=True)
            folder = await stack.enter_async_context(opened(opens, os.close))
            _require_room(folder, size_bytes)
            stack.enter_context(removed_if_it_stays(part, folder))
            file = await stack.enter_async_context(opened(partial(create, part, folder), methodcaller("close")))
        # what the block raises is none of ours: a caller who goes away is an OSError too
        yield Arrival(file, part=part, name=spot.way.name, folder=folder)


@asynccontextmanager
async def resumed(spot: Spot, *, offset_bytes: int, size_bytes: int) -> AsyncIterator[Arrival]:
    """The file for `spot` that comes in pieces, cut at `offset_bytes`. It stays when the block ends: more may come.

    Raises as `Arrival`.
    """
    part = f".{spot.way.name}.part"
    async with AsyncExitStack() as stack:
        with _translated():
            opens = partial(beneath.open_folder, spot.root, spot.way.parent, make=True)
            folder = await stack.enter_async_context(opened(opens, os.close))
            _require_room(folder, size_bytes - offset_bytes)
            cut = partial(_cut, part, folder, offset_bytes)
            file = await stack.enter_async_context(opened(cut, methodcaller("close")))
        yield Arrival(file, part=part, name=spot.way.name, folder=folder)


def _cut(part: str, folder: int, offset_bytes: int) -> BinaryIO:
    """The file `part`, open behind its first bytes; what a writer left behind these, who was not heard of, is lost."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.fdopen(os.open(part, flags, 0o666, dir_fd=folder), "wb", buffering=0)
    if os.fstat(file.fileno()).st_size < offset_bytes:
        file.close()
        raise OSError(errno.ENODATA, "the pieces that came before are not there")
    file.truncate(offset_bytes)
    file.seek(offset_bytes)
    return file


def _require_room(folder: int, size_bytes: int) -> None:
    """Refuse what would fill the disk of `folder`. Raises errors.Resource `disk_full`."""
    disk = os.fstatvfs(folder)
    if disk.f_bavail * disk.f_frsize < size_bytes + LEAST_FREE_BYTES:
        raise errors.Resource("disk_full", "The storage has no room for the file.")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise errors.Resource("disk_full", "The storage's disk is full.") from error
        raise errors.Transient("storage_unavailable", f"The storage cannot be written: {error.strerror}.") from error
