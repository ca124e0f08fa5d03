"""The platform's storage as a folder on this machine, or on one that all roles mount."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlencode

from encoder import errors
from encoder.destinations.file import FileDestination
from encoder.destinations.protocol import Destination
from encoder.files import beneath
from encoder.files.beneath import closing
from encoder.files.roots import Spot
from encoder.files.threads import in_thread, opened
from encoder.model.paths import path_fault
from encoder.signer import Signer
from encoder.sources.file import FileSource
from encoder.sources.protocol import Source
from encoder.storage.arrival import Arrival, arriving, resumed
from encoder.storage.protocol import Growing, Grown, Invitation, Part, Standing

_AWAY = "storage_unavailable"
_FOLDER = "FOLDER"  # what is signed in place of a method: to read all that lies below
_TOKEN = re.compile(r"([0-9]{1,12})-([0-9]{1,3})-([0-9a-f]{64})")  # until when, how many parts of the key, signature
SETTLE_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_ANY = "any"  # of an invitation: whatever size


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """What an invitation of ours lets in. `size_bytes`: so many, neither more nor less; None: any number."""

    size_bytes: int | None
    content_type: str
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The file that a link of ours leads to, or led to until it expired."""

    path: Path
    expired: bool


class _Growth:
    """A file that comes in pieces. It is synced now and then: whoever dies takes little with him."""

    multipart = None

    def __init__(self, arrival: Arrival, offset_bytes: int) -> None:
        self.settled_bytes = offset_bytes
        self._written_bytes = offset_bytes
        self._arrival = arrival

    async def write(self, chunk: bytes) -> None:
        await self._arrival.write(chunk)
        self._written_bytes += len(chunk)
        if self._written_bytes - self.settled_bytes >= SETTLE_BYTES:
            await self.settle()

    async def settle(self) -> None:
        await self._arrival.settle()
        self.settled_bytes = self._written_bytes

    async def stand(self) -> None:
        await self._arrival.stand()


class FolderStorage:
    """`root` exists and is ours alone. `signer` signs links; whoever has its keys reads everything.

    `public_url`: how receivers of links reach our API, without a slash at its end. The API serves them: it reads what
    it is shown with `linked`, `shared` and `invited`.
    """

    def __init__(self, root: Path, *, public_url: str, signer: Signer, clock: Callable[[], float] = time.time) -> None:
        self._root = root
        self._public_url = public_url.rstrip("/")
        self._signer = signer
        self._clock = clock

    def destination(self, key: str) -> Destination:
        return FileDestination(self._spot(key.removesuffix("/")), uri=f"storage:{key}", away=_AWAY)

    def source(self, key: str) -> Source:
        return FileSource(self._spot(key), away=_AWAY)

    async def link(self, key: str, *, expires: datetime, file_name: str) -> str:
        return self._address("GET", key, expires=_seconds(expires), name=file_name)

    async def folder_link(self, prefix: str, *, name: str, expires: datetime) -> str | None:
        key, until = f"{prefix}/{name}", _seconds(expires)
        self._spot(key)
        token = f"{until}-{len(prefix.split('/'))}-{self._signature(_FOLDER, prefix, {'expires': until})}"
        return f"{self._public_url}/folders/{token}/{quote(key)}"

    async def invite(self, key: str, *, expires: datetime, size_bytes: int | None, content_type: str) -> Invitation:
        size = _ANY if size_bytes is None else str(size_bytes)
        url = self._address("PUT", key, expires=_seconds(expires), size=size, type=content_type)
        return Invitation(method="PUT", url=url, headers={"Content-Type": content_type})

    async def invite_form(
        self, key: str, *, expires: datetime, size_bytes: int | None, most_bytes: int, content_type: str
    ) -> Invitation:
        del most_bytes  # whoever takes it in knows
        size = _ANY if size_bytes is None else str(size_bytes)
        told = {"expires": _seconds(expires), "size": size, "Content-Type": content_type}
        url = f"{self._public_url}/storage/{quote(key)}"
        return Invitation(method="POST", url=url, fields={**told, "signature": self._signature("POST", key, told)})

    @asynccontextmanager
    async def grow(self, key: str, grown: Grown) -> AsyncIterator[Growing]:
        spot, offset_bytes = self._spot(key), grown.offset_bytes
        async with resumed(spot, offset_bytes=offset_bytes, size_bytes=grown.size_bytes) as arrival:
            yield _Growth(arrival, offset_bytes)

    async def look(self, key: str) -> Standing | None:
        return await in_thread(_look, self._spot(key))

    @asynccontextmanager
    async def read(self, key: str, *, first: int = 0, last: int | None = None) -> AsyncIterator[Part | None]:
        spot = self._spot(key)
        async with AsyncExitStack() as stack:
            try:
                opens = partial(beneath.open_file, spot.root, spot.way)
                file = await stack.enter_async_context(opened(opens, os.close))
            except OSError as error:
                if not isinstance(error, FileNotFoundError) and not beneath.refuses(error):
                    raise _unread(error) from error
                yield None
            else:
                yield _part(file, first, last)

    async def remove(self, prefix: str) -> int:
        return await in_thread(_remove, self._spot(prefix))

    def linked(self, key: str, query: Mapping[str, str]) -> Linked | None:
        """What a link names; None if it was not signed by us, or is not there."""
        told = self._told("GET", key, query, "expires", "name")
        if told is None or path_fault(key) is not None:
            return None
        return self._standing(key, expires=told["expires"])

    def shared(self, token: str, key: str) -> Linked | None:
        """What an address below a link to a folder names; None if we did not sign that folder, or it is not there."""
        found = _TOKEN.fullmatch(token)
        if found is None or path_fault(key) is not None:
            return None
        expires, depth, signature = found.groups()
        folder = "/".join(key.split("/")[: int(depth)])
        if not self._signer.fits(_signed(_FOLDER, folder, {"expires": expires}), signature):
            return None
        return self._standing(key, expires=expires)

    def invited(self, key: str, query: Mapping[str, str], *, method: str = "PUT") -> Invited | None:
        """What an invitation says; None if it was not signed by us. `method` POST: `query` are the fields of a form."""
        content_type = "type" if method == "PUT" else "Content-Type"
        told = self._told(method, key, query, "expires", "size", content_type)
        if told is None or path_fault(key) is not None:
            return None
        return Invited(
            size_bytes=None if told["size"] == _ANY else int(told["size"]),
            content_type=told[content_type],
            expired=self._is_past(told["expires"]),
        )

    def receive(self, key: str, *, size_bytes: int) -> AbstractAsyncContextManager[Arrival]:
        """A new file for `key`, of `size_bytes` at least: see `arriving`."""
        return arriving(self._spot(key), size_bytes=size_bytes)

    def _standing(self, key: str, *, expires: str) -> Linked | None:
        spot = self._spot(key)
        try:
            os.close(beneath.open_file(spot.root, spot.way))
        except OSError:
            return None
        return Linked(path=spot.path, expired=self._is_past(expires))

    def _spot(self, key: str) -> Spot:
        if path_fault(key) is not None:
            raise ValueError(f"{key!r} is no key of ours")
        return Spot(root=self._root, way=PurePosixPath(key))

    def _address(self, method: str, key: str, **told: str) -> str:
        self._spot(key)
        query = {**told, "signature": self._signature(method, key, told)}
        return f"{self._public_url}/storage/{quote(key)}?{urlencode(query)}"

    def _told(self, method: str, key: str, query: Mapping[str, str], *names: str) -> dict[str, str] | None:
        """What an address of ours says under these names; None if we did not write it."""
        told = {name: query.get(name, "") for name in names}
        return told if self._signer.fits(_signed(method, key, told), query.get("signature", "")) else None

    def _is_past(self, expires: str) -> bool:
        return int(expires) < self._clock()

    def _signature(self, method: str, key: str, told: Mapping[str, str]) -> str:
        return self._signer.sign(_signed(method, key, told))


def _signed(method: str, key: str, told: Mapping[str, str]) -> bytes:
    # the last value alone may come from a caller: no other can hold a line break, and so none reads as another
    return "\n".join((method, key, *told.values())).encode(errors="replace")


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _look(spot: Spot) -> Standing | None:
    try:
        with closing(beneath.open_file(spot.root, spot.way)) as file:
            return Standing(size_bytes=os.fstat(file).st_size, content_type=None)
    except OSError as error:
        if isinstance(error, FileNotFoundError) or beneath.refuses(error):
            return None
        raise _unread(error) from error


def _part(file: int, first: int, last: int | None) -> Part | None:
    facts = os.fstat(file)
    size = facts.st_size
    if first >= max(size, 1):
        return None
    return Part(
        offset=first,
        size_bytes=size,
        version=f"{facts.st_mtime_ns:x}-{size:x}",
        chunks=_chunks(file, first, size if last is None else min(last + 1, size)),
    )


async def _chunks(file: int, at: int, end: int) -> AsyncIterator[bytes]:
    while at < end:
        try:
            chunk = await in_thread(os.pread, file, min(_CHUNK_BYTES, end - at), at)
        except OSError as error:
            raise _unread(error) from error
        if not chunk:
            return
        at += len(chunk)
        yield chunk


def _unread(error: OSError) -> errors.Transient:
    return errors.Transient(_AWAY, f"The storage cannot be read: {error.strerror}.")


def _remove(spot: Spot) -> int:
    """Remove a whole folder; how many files were in it."""
    try:
        with closing(beneath.open_folder(spot.root, spot.way)) as folder:
            count = sum(len(files) for _, _, files, _ in os.fwalk(dir_fd=folder))
        shutil.rmtree(spot.path)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError as error:  # or a worker has just put something there
        raise errors.Transient(_AWAY, f"The storage cannot be cleared: {error.strerror}.") from error
    return count
