"""Keeps a storage clean that is a folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from encoder import errors
from encoder.files.threads import in_thread
from encoder.model.paths import path_fault
from encoder.storage.upkeep import NAME, Cleared, Heap, Unfinished, paged

T = TypeVar("T")

_PART = re.compile(r"\..+\.part")


class FolderUpkeep:
    """`root` is the storage's, and ours alone: nobody else puts a link there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def clear(self, heaps: Sequence[Heap]) -> Cleared:
        return await self._asked(lambda: self._clear(heaps))

    async def folders(self, under: str, *, after: str = "") -> AsyncIterator[Sequence[str]]:
        for page in paged(await self._asked(lambda: self._names(under, after))):
            yield page

    async def weed(self, prefix: str, *, before: datetime) -> int:
        return await self._asked(lambda: self._weed(self._path(prefix), before.timestamp()))

    async def unfinished(self, under: str, *, before: datetime) -> AsyncIterator[Sequence[Unfinished]]:
        async for names in self.folders(under):
            found = await self._asked(partial(self._parts, under, names, before.timestamp()))
            if found:
                yield found

    async def drop(self, found: Unfinished) -> bool:
        return await self._asked(lambda: _unlinked(self._path(found.key)))

    async def advice(self) -> str:
        return ""

    async def named(self, name: str) -> str:
        return await self._asked(lambda: self._named(name))

    async def _asked(self, work: Callable[[], T]) -> T:
        try:
            return await in_thread(work)
        except OSError as error:
            raise errors.Transient(
                "storage_unavailable", f"The storage cannot be cleared: {error.strerror}."
            ) from error

    def _path(self, key: str) -> Path:
        if path_fault(key) is not None:
            raise ValueError(f"{key!r} is no key of ours")
        return self._root / key

    def _clear(self, heaps: Sequence[Heap]) -> Cleared:
        if not self._root.is_dir():  # a disk that is not there holds what it holds
            raise FileNotFoundError(0, "its folder is not there")
        objects: dict[str, int] = {}
        refused: dict[str, str] = {}
        for heap in heaps:
            folder = self._path(heap.prefix)
            try:
                objects[heap.prefix] = sum(len(files) for _, _, files in os.walk(folder))
                _emptied(folder)
            except OSError as error:  # or a worker that has lost its lease has just put something there
                refused[heap.prefix] = error.strerror or type(error).__name__
        return Cleared(objects=objects, refused=refused)

    def _names(self, under: str, after: str) -> list[str]:
        try:
            with os.scandir(self._path(under)) as found:
                return sorted(each.name for each in found if each.name > after and each.is_dir(follow_symlinks=False))
        except FileNotFoundError:
            return []

    def _weed(self, folder: Path, before: float) -> int:
        count = 0
        for here, _, files in os.walk(folder, topdown=False):
            place = Path(here)
            for name in files:
                with suppress(FileNotFoundError):
                    count += (place / name).lstat().st_mtime < before and _unlinked(place / name)
            with suppress(OSError):  # something is left in it
                place.rmdir()
        return count

    def _parts(self, under: str, names: Sequence[str], before: float) -> list[Unfinished]:
        found = []
        for name in names:
            for here, _, files in os.walk(self._path(under) / name):
                for file in filter(_PART.fullmatch, files):
                    part = Path(here) / file
                    with suppress(FileNotFoundError):
                        if part.lstat().st_mtime < before:
                            found.append(Unfinished(key=str(part.relative_to(self._root)), id=file))
        return found

    def _named(self, name: str) -> str:
        path = self._root / NAME
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            found = path.read_text(encoding="utf-8", errors="replace").strip()
            if not found:  # whoever made it was killed before he wrote it
                path.write_text(name, encoding="utf-8")
            return found or name
        with os.fdopen(file, "w", encoding="utf-8") as written:
            written.write(name)
        return name


def _emptied(folder: Path) -> None:
    """Remove a folder whole, also where another sweep takes of it at the same time."""
    while os.path.lexists(folder):
        with suppress(FileNotFoundError):  # the other one had it first; the rest is still there
            shutil.rmtree(folder)


def _unlinked(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
