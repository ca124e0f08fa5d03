"""A package on its way to its destination: first what manifests point to, several files at once; then each manifest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import count

from encoder import errors
from encoder.destinations.protocol import Destination, Receipt
from encoder.metrics.transfer import Tally
from encoder.model.result import Piece
from encoder.queue.backoff import Uniform, stage_delay_s
from encoder.worker.package import Item, Package, place_of
from encoder.worker.together import each

TRIES = 5
AT_ONCE = 4  # files of one package


@dataclass(kw_only=True)
class Shipment:
    """The sending of one package.

    `promised`: what an earlier attempt may have published; what stands of it is not sent again, nor is what arrived
    although its try failed. `told` hears how many bytes of the package stand or have left. `stopping`: whether no more
    tries are wanted.
    """

    package: Package
    destination: Destination
    token: str
    promised: frozenset[Piece]
    fence: Callable[[], Awaitable[None]]
    told: Callable[[int], None]
    stopping: Callable[[], bool]
    tally: Tally
    uniform: Uniform
    _gone_bytes: int = 0

    async def send(self) -> None:
        """Until the last manifest stands, none points to what is not there.

        Raises:
            errors.Failure: what the destination says of a file, after five tries where trying again may help.
        """
        await each(self._deliver, self.package.body, at_once=AT_ONCE)
        for manifest in self.package.manifests:
            await self._deliver(manifest)

    async def _deliver(self, item: Item) -> None:
        for trial in count(1):
            try:
                await self._once(item, may_stand=trial > 1 or item.piece in self.promised)
            except errors.Failure as failure:
                again = isinstance(failure, errors.Transient) and trial < TRIES and not self.stopping()
                self.tally.failed(failure, again=again)
                if not again:
                    raise
                wait_s = stage_delay_s(trial, retry_after_s=failure.retry_after_s, uniform=self.uniform)
            else:
                return
            await asyncio.sleep(wait_s)

    async def _once(self, item: Item, *, may_stand: bool) -> None:
        if may_stand and await _stands(item.piece, self.destination):
            self._gone(item.piece.size_bytes)
            return
        gone = 0

        def sent(number: int) -> None:
            nonlocal gone
            gone += number
            self.tally.moved(number)
            self._gone(number)

        try:
            place = place_of(item.piece, self.destination)
            receipt = await place.publish(item.parcel(self.token), sent=sent, fence=self.fence)
            _compare(item.piece, receipt)
        except errors.Failure:
            self._gone(-gone)
            raise

    def _gone(self, number: int) -> None:
        self._gone_bytes += number
        self.told(self._gone_bytes)


async def all_stand(pieces: Iterable[Piece], destination: Destination) -> bool:
    """Whether all of them are there as they were promised, as far as the destination tells.

    An answer that does not tell the checksum proves nothing; a destination that never does is not asked.
    """
    missing: list[Piece] = []

    async def look(piece: Piece) -> None:
        if not missing and not await _stands(piece, destination):
            missing.append(piece)

    await each(look, pieces, at_once=AT_ONCE)
    return not missing


async def discard(pieces: Iterable[Piece], destination: Destination, token: str) -> None:
    """Remove what the attempt `token` left half-written of them."""

    async def one(piece: Piece) -> None:
        await place_of(piece, destination).discard(token)

    await each(one, pieces, at_once=AT_ONCE)


async def _stands(piece: Piece, destination: Destination) -> bool:
    if not destination.tells_sha256:
        return False
    seen = await place_of(piece, destination).look()
    return seen is not None and (seen.size_bytes, seen.sha256) == (piece.size_bytes, piece.sha256)


def _compare(piece: Piece, receipt: Receipt) -> None:
    told = receipt.sha256 or piece.sha256
    if (receipt.size_bytes, told) != (piece.size_bytes, piece.sha256):
        raise errors.Transient("integrity_error", "What stands at the destination is not what was sent.")
