"""Writes of one claim: fenced by its epoch, repeated through outages of the database, ended when the lease is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from encoder import errors
from encoder.log import get_logger
from encoder.metrics.encode import codec_of
from encoder.metrics.queue import verb
from encoder.metrics.worker import outputs
from encoder.model.media import Media
from encoder.model.state import OUTPUT_ENDED
from encoder.queue.backoff import Uniform
from encoder.store.protocol import Store
from encoder.store.rows import DeliveryRow, DeliveryTry, JobRow, OutputChange, Part, Settled, Settlement
from encoder.worker.held import Ending, Held

log = get_logger(__name__)
T = TypeVar("T")

RETRY_S = (0.1, 1.0)


class Book(Protocol):
    """What a run writes down of itself. Both raise errors.LeaseLost: somebody else has the work now."""

    async def mark(self, *changes: OutputChange, media: Media | None = None) -> None:
        """Write what must not be lost."""

    async def fence(self) -> None:
        """Make sure, as late as can be, that the work is still ours."""


class Ledger:
    """All that a task's work writes. Waits as long as the database is away: the heart decides when to stop (G7, G8)."""

    def __init__(self, store: Store, held: Held, *, uniform: Uniform) -> None:
        self._store = store
        self._held = held
        self._uniform = uniform

    async def load(self) -> JobRow:
        return await self._steadily(lambda: self._store.load(self._held.claim))

    async def mark(self, *changes: OutputChange, media: Media | None = None) -> None:
        """Write what must not be lost.

        Raises:
            errors.LeaseLost: nothing was written, and the work is being ended.
        """
        for change in changes:
            if change.state is not None:
                self._held.step(change.state, change.id)
        await self._steadily(lambda: self._store.mark(self._held.claim, changes, media=media), name="mark")
        for change in changes:
            if change.state in OUTPUT_ENDED:
                outputs.of(_codec(change), change.state or "").inc()

    async def fence(self) -> None:
        """Make sure, as late as can be, that the task is still ours."""
        await self.mark()

    async def tell_progress(self) -> bool:
        """Tell how far the job is, as it shows now; False where nobody asked."""
        stage, live = self._held.stage, dict(self._held.live)
        return await self._steadily(lambda: self._store.tell_progress(self._held.claim, stage, live))

    async def set_deadline(self, deadline: timedelta) -> None:
        await self._steadily(lambda: self._store.set_deadline(self._held.claim, deadline))

    async def settle(self, settlement: Settlement) -> Settled:
        """Close the claim. Safe to repeat: see `Tasks.settle`."""
        self._held.settling = True
        return await self._steadily(lambda: self._store.settle(self._held.claim, settlement), name="settle")

    async def parts(self) -> Sequence[Part]:
        """What parts of the job are done."""
        return await self._steadily(lambda: self._store.parts(self._held.claim))

    async def free_slots(self) -> int:
        """Slots of the fleet that are free beside ours, for tasks of this queue and tenant."""
        claim = self._held.claim
        return await self._steadily(lambda: self._store.free_slots(claim.queue, claim.tenant_id))

    async def note_chunks(self) -> None:
        """Before the first chunk is put anywhere.

        Raises:
            errors.LeaseLost: as `mark`.
        """
        await self._steadily(lambda: self._store.note_chunks(self._held.claim))

    async def delivery(self) -> DeliveryRow | None:
        return await self._steadily(lambda: self._store.delivery(self._held.claim))

    async def settle_delivery(self, result: DeliveryTry, settlement: Settlement) -> None:
        self._held.settling = True
        await self._steadily(lambda: self._store.settle_delivery(self._held.claim, result, settlement), name="settle")

    async def _steadily(self, write: Callable[[], Awaitable[T]], *, name: str | None = None) -> T:
        """`name`: of the verb, where it is one that is counted."""
        while True:
            try:
                return await (write() if name is None else _counted(name, write))
            except errors.LeaseLost:
                self._held.end(Ending.LOST)
                raise
            except errors.StoreUnavailable as error:
                log.warning("write.unanswered", task=self._held.claim.task_id, reason=str(error))
                await asyncio.sleep(self._uniform(*RETRY_S))


def _codec(change: OutputChange) -> str:
    """The label of what an output is, where that is known."""
    made = change.delivered
    return codec_of(None if made is None else made.video_codec or made.audio_codec)


async def _counted(name: str, write: Callable[[], Awaitable[T]]) -> T:
    with verb(name) as asked:
        try:
            return await write()
        except errors.LeaseLost:
            asked.result = "stale"
            raise
        except errors.StoreUnavailable:
            asked.result = "retried"
            raise
