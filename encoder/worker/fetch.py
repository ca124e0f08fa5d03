"""Stage 1: the source onto the local disk, in bounded memory, resumed after breaks, within limits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from encoder import errors
from encoder.files.threads import behind, in_thread
from encoder.log import get_logger
from encoder.metrics.transfer import Tally, Transfers
from encoder.model.base import replace
from encoder.model.extent import Extent, Needed, size_bytes
from encoder.model.plan import Need
from encoder.queue.backoff import Uniform, stage_delay_s
from encoder.sources.protocol import Incoming, Source
from encoder.worker.budget import Share
from encoder.worker.scratch import Scratch, remove

log = get_logger(__name__)

TRIES = 5
LOOK_BYTES = 256 * 1024 * 1024  # of a source that does not say how large it is: after how many to look at the disk

Told = Callable[[int, int | None], None]
Begun = Callable[[Incoming], None]
Wrote = Callable[[int, int], None]  # from a byte on, to before another


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """`rate_bytes_s` is the least rate over each window of `window_s`."""

    size_bytes: int = 50 * 1024**3
    total_s: float = 6 * 3600
    rate_bytes_s: int = 64 * 1024
    window_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A source that is here. `validator`: names its version; None: its server names none."""

    size_bytes: int
    validator: str | None


class Fetch:
    """Downloads a source. A broken transfer goes on where it broke, if the source says that its bytes are the same."""

    def __init__(
        self,
        scratch: Scratch,
        transfers: Transfers,
        *,
        limits: FetchLimits,
        clock: Callable[[], float],
        uniform: Uniform,
    ) -> None:
        self._scratch = scratch
        self._transfers = transfers
        self._limits = limits
        self._clock = clock
        self._uniform = uniform

    async def __call__(
        self,
        source: Source,
        path: Path,
        *,
        kind: str,
        told: Told,
        share: Share | None = None,
        begun: Begun | None = None,
    ) -> Arrived:
        """Fetch into the new file `path`. `told` hears (bytes so far, bytes in all or None).

        `kind`: of the source, as metrics call it. `share`: is promised the size of the source first; None: whatever is
        free will do. `begun` hears what is to come, each time that it begins to.

        Raises:
            errors.Permanent: what the source says, `source_too_large`, `source_truncated`, `empty_source`.
            errors.Transient: five tries failed, or `timeout`.
            errors.Resource: `disk_full`.
        """
        with FileIO(path, "x+b") as file, self._transfers.transfer("in", kind) as tally:
            try:
                async with asyncio.timeout(self._limits.total_s) as limit:
                    arrived = await self._all_of(source, file, tally, told, _Room(share, limit), begun)
            except TimeoutError:
                raise self._too_slow() from None
        if arrived.size_bytes == 0:
            raise errors.Permanent("empty_source", "The source has no bytes.")
        return arrived

    async def some(self, source: Source, path: Path, needed: Needed, *, kind: str, told: Told, share: Share) -> bool:
        """Fetch what is needed into the new file `path`, which is as large as the source, with holes for the rest.

        False: the source is not, or no longer, of this version, or does not give parts; there is no file then. `told`
        hears (bytes so far, bytes that are needed). `share`: is promised these beside what it has.

        Raises:
            errors.Failure: as a call, but for what a whole source says.
        """
        all_bytes = size_bytes(needed.extents)
        await share.reach(replace(share.promised, scratch_bytes=share.promised.scratch_bytes + all_bytes))
        have = 0

        def wrote(first: int, last: int) -> None:
            nonlocal have
            have += last - first
            told(have, all_bytes)

        with FileIO(path, "x+b") as file:
            file.truncate(needed.size_bytes)
            given = await self.into(file, source, needed, kind=kind, wrote=wrote)
        if not given:
            remove(path)
        return given

    async def into(self, file: FileIO, source: Source, needed: Needed, *, kind: str, wrote: Wrote) -> bool:
        """Fetch what is needed into its place in `file`, in the order in which it stands. `wrote` hears of each piece.

        Returns and raises as `some`.
        """
        with self._transfers.transfer("in", kind) as tally:
            return await self._parts(source, file, needed, tally, wrote)

    async def _parts(self, source: Source, file: FileIO, needed: Needed, tally: Tally, wrote: Wrote) -> bool:
        left = deque(needed.extents)
        broke = 0
        try:
            async with asyncio.timeout(self._limits.total_s):
                while left:
                    try:
                        async with source.open(offset=left[0][0], validator=needed.validator) as incoming:
                            if not _is_of(incoming, left[0][0], needed):
                                return False
                            needed = replace(needed, validator=incoming.validator)
                            await self._part_of(incoming, file, left, tally, wrote)
                    except errors.Transient as failure:
                        broke += 1
                        tally.failed(failure, again=broke < TRIES)
                        if broke >= TRIES:
                            raise
                        await self._rest_after(broke, failure)
        except TimeoutError:
            raise self._too_slow() from None
        return True

    async def _part_of(self, incoming: Incoming, file: FileIO, left: deque[Extent], tally: Tally, wrote: Wrote) -> None:
        """Write the first of what is left, and leave what of it does not come."""
        first, last = left[0]
        async for chunk in self._fast_enough(incoming.chunks):
            part = chunk[: last - first]
            tally.moved(len(part))
            await in_thread(_write_at, file, first, part)
            wrote(first, first + len(part))
            first += len(part)
            left[0] = first, last
            if first == last:
                left.popleft()
                return
        raise errors.Transient("source_unavailable", f"The source ended after {first} of {last} bytes.")

    async def _rest_after(self, broke: int, failure: errors.Transient) -> None:
        log.info("fetch.broke", code=failure.code)
        await asyncio.sleep(stage_delay_s(broke, retry_after_s=failure.retry_after_s, uniform=self._uniform))

    def _too_slow(self) -> errors.Transient:
        hours = self._limits.total_s / 3600
        return errors.Transient("timeout", f"The source took longer than {hours:g} h to arrive.")

    async def _all_of(
        self, source: Source, file: FileIO, tally: Tally, told: Told, room: _Room, begun: Begun | None
    ) -> Arrived:
        validator: str | None = None
        promised: int | None = None
        broke_at: list[int] = []
        while True:
            have = file.tell()
            try:
                async with source.open(offset=have if validator else 0, validator=validator) as incoming:
                    validator, promised = incoming.validator, incoming.size_bytes
                    self._bounded(promised or 0)
                    if room.takes(promised or 0):
                        if begun is not None:
                            begun(incoming)
                        size = await self._rest_of(incoming, file, tally, told)
                        return Arrived(size_bytes=size, validator=validator)
                await room.reach(promised or 0)  # no connection is kept waiting
                told(have, promised)
            except errors.Failure as failure:
                again = isinstance(failure, errors.Transient) and len(broke_at) + 1 < TRIES
                tally.failed(failure, again=again)
                if not isinstance(failure, errors.Transient):
                    raise
                broke_at.append(file.tell())
                log.info("fetch.broke", at=broke_at[-1], code=failure.code)
                if not again:
                    raise _given_up(broke_at, promised, failure) from failure
                wait_s = stage_delay_s(len(broke_at), retry_after_s=failure.retry_after_s, uniform=self._uniform)
                await asyncio.sleep(wait_s)

    async def _rest_of(self, incoming: Incoming, file: FileIO, tally: Tally, told: Told) -> int:
        file.seek(incoming.offset)
        if not incoming.offset:  # else what lies behind is of the same version
            file.truncate()
        self._require(incoming.offset, incoming.size_bytes)
        have = looked_at = incoming.offset
        async with behind(_write) as write:
            async for chunk in self._fast_enough(incoming.chunks):
                tally.moved(len(chunk))
                have += len(chunk)
                if have > self._limits.size_bytes or have - looked_at > LOOK_BYTES:
                    self._require(have, incoming.size_bytes)
                    looked_at = have
                await write(file, chunk)
                told(have, incoming.size_bytes)
        if incoming.size_bytes is not None and have != incoming.size_bytes:
            raise errors.Transient(
                "source_unavailable", f"The source ended after {have} of {incoming.size_bytes} bytes."
            )
        return have

    def _require(self, have: int, size_bytes: int | None) -> None:
        """What comes must be within the limit and find room on the disk, as far as is known of it yet.

        Raises:
            errors.Permanent: `source_too_large`.
            errors.Resource: `disk_full`.
        """
        size = max(have, size_bytes or 0)
        self._bounded(size)
        self._scratch.require(size - have)

    def _bounded(self, size_bytes: int) -> None:
        if size_bytes > self._limits.size_bytes:
            raise errors.Permanent("source_too_large", f"The source is larger than {self._limits.size_bytes} bytes.")

    async def _fast_enough(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass chunks on; a source that trickles is as good as silent."""
        since, got = self._clock(), 0
        async for chunk in chunks:
            got += len(chunk)
            elapsed_s = self._clock() - since
            if elapsed_s >= self._limits.window_s:
                if got < self._limits.rate_bytes_s * elapsed_s:
                    raise errors.Transient(
                        "timeout", f"The source sends less than {self._limits.rate_bytes_s} bytes/s."
                    )
                since, got = self._clock(), 0
            yield chunk


@dataclass(frozen=True, slots=True)
class _Room:
    """What a fetch may fill. Waiting for it is no time of the fetch."""

    share: Share | None
    limit: asyncio.Timeout

    def takes(self, size_bytes: int) -> bool:
        return self.share is None or self.share.takes(Need(scratch_bytes=size_bytes))

    async def reach(self, size_bytes: int) -> None:
        if self.share is None:
            return
        now = asyncio.get_running_loop().time
        left_s = (self.limit.when() or 0.0) - now()
        self.limit.reschedule(None)
        await self.share.reach(Need(scratch_bytes=size_bytes))
        self.limit.reschedule(now() + left_s)


def _given_up(broke_at: list[int], promised: int | None, last: errors.Transient) -> errors.Failure:
    """What five breaks mean: always after the same byte before the promised last, the source has no more than that."""
    if broke_at[0] not in (0, promised) and len(set(broke_at)) == 1 and last.code == "source_unavailable":
        return errors.Permanent("source_truncated", f"The source ends after {broke_at[0]} bytes, each time.")
    return last


def _is_of(incoming: Incoming, first: int, needed: Needed) -> bool:
    """Whether it gives the wanted version from the wanted byte on."""
    if (incoming.offset, incoming.size_bytes) != (first, needed.size_bytes) or incoming.validator is None:
        return False
    return needed.validator in (None, incoming.validator)


def _write_at(file: FileIO, at: int, chunk: bytes) -> None:
    file.seek(at)
    _write(file, chunk)


def _write(file: FileIO, chunk: bytes) -> None:
    """Write all of `chunk`: an unbuffered file may take less than it is given."""
    view = memoryview(chunk)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise errors.Resource("disk_full", f"The scratch folder cannot take more: {error.strerror}.") from error
