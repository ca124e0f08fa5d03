"""Folders for work in progress: one per worker process, locked while it lives, and one per attempt below it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

from encoder import errors
from encoder.log import get_logger

log = get_logger(__name__)

LOCK = "lock"
LEAST_FREE_BYTES = 512 * 1024 * 1024
_BLOCK_BYTES = 512  # of `st_blocks`


class Scratch:
    """The scratch folder of one process. Whoever finds a folder's lock free may remove it: its owner is dead.

    `limit_bytes`: of all that is in it, where the disk has more than may be used.
    """

    def __init__(self, root: Path, worker_id: UUID, *, limit_bytes: int | None = None) -> None:
        self._root = root
        self._limit_bytes = limit_bytes
        self._own = root / str(worker_id)
        self._lock: int | None = None

    async def open(self) -> None:
        """Make and lock our folder."""
        await asyncio.to_thread(self._open)

    async def sweep(self, free: Callable[[str], Awaitable[None]]) -> None:
        """Remove what dead processes left, once `free` took each name that stands in such a folder.

        What `free` raises is raised; the folder is then found again by the next sweep.
        """
        for folder in await asyncio.to_thread(self._others):
            lock = await asyncio.to_thread(_dead, folder)
            if lock is None:
                continue
            try:
                for name in sorted(await asyncio.to_thread(os.listdir, folder)):
                    await free(name)
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                log.info("scratch.swept", folder=folder.name)
            finally:
                os.close(lock)

    async def close(self) -> None:
        """Remove our folder."""
        await asyncio.to_thread(self._close)

    @asynccontextmanager
    async def folder(self, name: str) -> AsyncIterator[Path]:
        """A new, empty folder of mode 0700, gone afterwards.

        Raises:
            errors.Resource: `disk_full`.
        """
        path = self._own / name
        self.require(0)
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    def free_bytes(self) -> int:
        free = shutil.disk_usage(self._root).free
        if self._limit_bytes is None:
            return free
        return min(free, self._limit_bytes + LEAST_FREE_BYTES - used_bytes(self._own))

    def has_room(self) -> bool:
        """Whether anything more may begin."""
        return self.free_bytes() >= LEAST_FREE_BYTES

    def size_bytes(self) -> int:
        """Of all that may be in it: the limit, or the disk without what is always left free."""
        total = max(0, shutil.disk_usage(self._root).total - LEAST_FREE_BYTES)
        return total if self._limit_bytes is None else min(total, self._limit_bytes)

    def require(self, size_bytes: int) -> None:
        """Refuse what cannot fit.

        Raises:
            errors.Resource: `disk_full`.
        """
        free = self.free_bytes()
        if free < size_bytes + LEAST_FREE_BYTES:
            raise errors.Resource(
                "disk_full", f"Scratch has {free} bytes free; {size_bytes + LEAST_FREE_BYTES} are needed."
            )

    def _open(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        while self._lock is None:
            self._own.mkdir(mode=0o700, exist_ok=True)
            self._lock = _locked(self._own)  # None: somebody swept it before it was locked

    def _others(self) -> list[Path]:
        return [folder for folder in self._root.iterdir() if folder != self._own]

    def _close(self) -> None:
        shutil.rmtree(self._own, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def used_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk."""
    used = 0
    with suppress(FileNotFoundError), os.scandir(folder) as entries:  # it may be gone, or going
        for entry in entries:
            with suppress(FileNotFoundError):
                if entry.is_dir(follow_symlinks=False):
                    used += used_bytes(Path(entry.path))
                else:
                    used += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
    return used


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _locked(folder: Path) -> int | None:
    """The lock of a worker's folder, held by us now; None if another holds it or the folder is gone."""
    lock = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = os.fstat(lock).st_nlink > 0
    except OSError:
        held = False
    if held:
        return lock
    os.close(lock)
    return None


def _dead(folder: Path) -> int | None:
    """The lock of a folder whose owner is dead, held by us now. None: it lives, or this is no such folder."""
    try:
        UUID(folder.name)
        return _locked(folder) if (folder / LOCK).exists() else None
    except (ValueError, OSError):
        return None
