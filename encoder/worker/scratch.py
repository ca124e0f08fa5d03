"""Folders for work in progress: one per worker process, locked while it lives, and one per attempt below it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from encoder import errors
from encoder.log import get_logger
from encoder.store.rows import Claim

log = get_logger(__name__)

LOCK = "lock"
LEAST_FREE_BYTES = 512 * 1024 * 1024


class Scratch:
    """The scratch folder of one worker. Whoever finds a folder's lock free may remove it: its owner is dead."""

    def __init__(self, root: Path, worker_id: UUID) -> None:
        self._root = root
        self._own = root / str(worker_id)
        self._lock: int | None = None

    async def open(self) -> None:
        """Make and lock our folder; remove what dead workers left."""
        await asyncio.to_thread(self._open)

    async def close(self) -> None:
        """Remove our folder."""
        await asyncio.to_thread(self._close)

    @asynccontextmanager
    async def folder(self, claim: Claim) -> AsyncIterator[Path]:
        """An empty folder of mode 0700 for one attempt, gone afterwards.

        Raises:
            errors.Resource: `disk_full`.
        """
        path = self._own / f"{claim.task_id}-{claim.epoch}"
        self.require(0)
        path.mkdir(mode=0o700)
        try:
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    def free_bytes(self) -> int:
        return shutil.disk_usage(self._root).free

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
        self._own.mkdir(mode=0o700)
        self._lock = os.open(self._own / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for folder in self._root.iterdir():
            if folder != self._own and _is_dead(folder):
                shutil.rmtree(folder, ignore_errors=True)
                log.info("scratch.swept", folder=folder.name)

    def _close(self) -> None:
        shutil.rmtree(self._own, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _is_dead(folder: Path) -> bool:
    """Whether the owner of a worker's folder is gone: its lock can be taken. Other things are left alone."""
    try:
        UUID(folder.name)
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except (ValueError, OSError):
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
