"""What a machine has for its work, promised before it is used: room on the disk, and memory.

Two encodes that each fit need not fit beside each other. Who does not fit yet waits here, first come, first served, and
keeps what it has: small work does not starve large work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from encoder import errors
from encoder.model.plan import NOTHING, Need
from encoder.store.rows import Lack
from encoder.worker.scratch import LEAST_FREE_BYTES, Scratch, used_bytes

LOOK_EVERY_S = 5.0  # for room on the disk that others make: nobody tells of that

Told = Callable[[Lack], None]


class Budget:
    """Shares of one machine. `memory_bytes`: for all encoders of this process; work that needs more runs alone."""

    def __init__(self, scratch: Scratch, *, memory_bytes: int) -> None:
        self._scratch = scratch
        self._memory_bytes = memory_bytes
        self._shares: set[Share] = set()
        self._line: deque[Wish] = deque()

    @property
    def is_crowded(self) -> bool:
        """Somebody waits: more work would wait as well, and other machines may have room for it."""
        return bool(self._line)

    @asynccontextmanager
    async def share(self, name: str, told: Told) -> AsyncIterator[Share]:
        """What one attempt has, with a new folder of that name; given back at the end.

        `told` hears again and again what is lacking while it waits for more.

        Raises:
            errors.Resource: `disk_full`.
        """
        share: Share | None = None
        try:
            async with self._scratch.folder(name) as folder:
                share = Share(self, folder, told)
                self._shares.add(share)
                yield share
        finally:
            if share is not None:
                self._shares.remove(share)  # once its files are gone
                self._serve()

    def takes(self, wish: Wish) -> bool:
        """Promise it right now; False if it does not fit, or somebody waits."""
        fits = not self._line and self._lack(wish) is None
        if fits:
            wish.share.promised = wish.need
        return fits

    async def waits(self, wish: Wish) -> None:
        """Promise it in its turn.

        Raises:
            errors.Resource: `disk_full`: it does not fit, and nobody here will make room.
        """
        self._line.append(wish)
        try:
            self._serve()
            while not wish.answer.done():
                if lack := self._lack(wish) or self._lack(self._line[0]):
                    wish.share.told(lack)
                await asyncio.wait([wish.answer], timeout=LOOK_EVERY_S)
                self._serve()
            wish.answer.result()
        finally:
            if wish in self._line:  # it was cut off
                self._line.remove(wish)
                self._serve()

    def _serve(self) -> None:
        """Let in who is first, again and again. Where all wait: who fits, and where nobody does, the last has to go."""
        while self._line:
            fitting = (wish for wish in self._line if self._lack(wish) is None)
            if self._lack(self._line[0]) is None:
                self._grant(self._line[0])
            elif len(self._line) < len(self._shares):
                return  # somebody works, and will make room
            elif wish := next(fitting, None):
                self._grant(wish)
            else:
                self._refuse(self._line[-1])
                return  # its room comes free as it goes

    def _grant(self, wish: Wish) -> None:
        self._line.remove(wish)
        wish.share.promised = wish.need
        wish.answer.set_result(None)

    def _refuse(self, wish: Wish) -> None:
        self._line.remove(wish)
        lack = self._lack(wish)
        free, needed = (lack.free_bytes, lack.needed_bytes) if lack else (0, 0)
        told = f"Scratch has {free} bytes free beside what other work was promised; {needed} more are needed."
        wish.answer.set_exception(errors.Resource("disk_full", told))

    def _lack(self, wish: Wish) -> Lack | None:
        """What is missing for a wish; None where it fits."""
        more = wish.need.scratch_bytes - wish.share.promised.scratch_bytes
        unwritten = sum(share.unwritten_bytes for share in self._shares)
        free = max(0, self._scratch.free_bytes() - LEAST_FREE_BYTES - unwritten)
        if more > free:
            return Lack(what="scratch", needed_bytes=more, free_bytes=free)
        others = sum(share.promised.memory_bytes for share in self._shares - {wish.share})
        free = max(0, self._memory_bytes - others)
        if others and wish.need.memory_bytes > free:
            return Lack(what="memory", needed_bytes=wish.need.memory_bytes, free_bytes=free)
        return None


@dataclass(eq=False, slots=True)
class Share:
    """What one attempt was promised; `folder`: where it writes."""

    budget: Budget
    folder: Path
    told: Told
    promised: Need = NOTHING

    @property
    def unwritten_bytes(self) -> int:
        """What it may still write."""
        return max(0, self.promised.scratch_bytes - used_bytes(self.folder))

    def takes(self, need: Need) -> bool:
        """Be promised that much in all, if it can be had right now."""
        return self.budget.takes(Wish(self, need))

    async def reach(self, need: Need) -> None:
        """Be promised that much in all, as soon as it can be had. Memory is asked for once, last: who has it works.

        Raises:
            errors.Resource: `disk_full`: it never can, here.
        """
        if not self.takes(need):
            await self.budget.waits(Wish(self, need))


@dataclass(eq=False, slots=True)
class Wish:
    """For `need` in all, not more."""

    share: Share
    need: Need
    answer: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
