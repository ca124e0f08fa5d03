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
from encoder.model.base import replace
from encoder.model.plan import NOTHING, Need
from encoder.store.rows import Lack
from encoder.worker.scratch import LEAST_FREE_BYTES, Scratch, used_bytes

LOOK_EVERY_S = 5.0  # for room on the disk that others make: nobody tells of that

Told = Callable[[Lack], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a machine has for its work, how much of it is taken, and how much was promised."""

    memory_bytes: int
    memory_promised_bytes: int
    scratch_bytes: int
    scratch_used_bytes: int
    scratch_promised_bytes: int


class Budget:
    """Shares of one machine. `memory_bytes`: for all encoders of this process; work that needs more runs alone."""

    def __init__(self, scratch: Scratch, *, memory_bytes: int) -> None:
        self._scratch = scratch
        self.memory_bytes = memory_bytes
        self._shares: set[Share] = set()
        self._line: deque[_Wish] = deque()
        self._eased: list[Callable[[], None]] = []

    def on_ease(self, eased: Callable[[], None]) -> None:
        """`eased` is called when nobody waits any more."""
        self._eased.append(eased)

    @property
    def is_crowded(self) -> bool:
        """Somebody waits: more work would wait as well, and other machines may have room for it."""
        return bool(self._line)

    def lacks(self, what: str) -> bool:
        """Whether whoever waits first waits for that: `scratch` or `memory`."""
        lack = self._lack(self._line[0].share, self._line[0].need) if self._line else None
        return lack is not None and lack.what == what

    def room(self) -> Room:
        """How it is now, for people."""
        size_bytes = self._scratch.size_bytes()
        return Room(
            memory_bytes=self.memory_bytes,
            memory_promised_bytes=sum(share.promised.memory_bytes for share in self._shares),
            scratch_bytes=size_bytes,
            scratch_used_bytes=max(0, size_bytes - max(0, self._scratch.free_bytes() - LEAST_FREE_BYTES)),
            scratch_promised_bytes=sum(share.promised.scratch_bytes for share in self._shares),
        )

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

    def takes(self, share: Share, need: Need) -> bool:
        """Promise it right now; False if it does not fit, or somebody waits. What was promised stays so."""
        had = share.promised
        if need.scratch_bytes <= had.scratch_bytes and need.memory_bytes <= had.memory_bytes:
            return True
        fits = not self._line and self._lack(share, need) is None
        if fits:
            share.promised = need
        return fits

    async def waits(self, share: Share, need: Need) -> None:
        """Promise it in its turn.

        Raises:
            errors.Resource: `disk_full`: it does not fit, and nobody here will make room.
        """
        wish = _Wish(share, need)
        self._line.append(wish)
        try:
            self._serve()
            while not wish.answer.done():
                if lack := self._lack(share, need) or self._lack(self._line[0].share, self._line[0].need):
                    share.told(lack)
                await asyncio.wait([wish.answer], timeout=LOOK_EVERY_S)
                self._serve()
            wish.answer.result()
        finally:
            if wish in self._line:  # it was cut off
                self._leaves(wish)
                self._serve()

    def _serve(self) -> None:
        """Let in who is first, again and again. Where all wait: who fits, and where nobody does, the last has to go."""
        while self._line:
            first = self._line[0]
            if self._lack(first.share, first.need) is None:
                self._grant(first)
            elif len(self._line) < len(self._shares):
                return  # somebody works, and will make room
            elif fitting := [wish for wish in self._line if self._lack(wish.share, wish.need) is None]:
                self._grant(fitting[0])
            else:
                self._refuse(self._line[-1])
                return  # its room comes free as it goes

    def _grant(self, wish: _Wish) -> None:
        self._leaves(wish)
        wish.share.promised = wish.need
        wish.answer.set_result(None)

    def _refuse(self, wish: _Wish) -> None:
        self._leaves(wish)
        free, needed = self._free_bytes(), wish.need.scratch_bytes - wish.share.promised.scratch_bytes
        told = f"Scratch has {free} bytes free beside what other work was promised; {needed} more are needed."
        wish.answer.set_exception(errors.Resource("disk_full", told))

    def _leaves(self, wish: _Wish) -> None:
        self._line.remove(wish)
        if not self._line:
            for eased in self._eased:
                eased()

    def _free_bytes(self) -> int:
        unwritten = sum(share.unwritten_bytes for share in self._shares)
        return max(0, self._scratch.free_bytes() - LEAST_FREE_BYTES - unwritten)

    def _lack(self, share: Share, need: Need) -> Lack | None:
        """What is missing; None where it fits."""
        more = need.scratch_bytes - share.promised.scratch_bytes
        if more > 0 and more > (free := self._free_bytes()):
            return Lack(what="scratch", needed_bytes=more, free_bytes=free)
        others = sum(other.promised.memory_bytes for other in self._shares - {share})
        free = max(0, self.memory_bytes - others)
        if others and need.memory_bytes > free:
            return Lack(what="memory", needed_bytes=need.memory_bytes, free_bytes=free)
        return None


@dataclass(eq=False, slots=True)
class Share:
    """What one attempt was promised; `folder`: where it writes."""

    budget: Budget
    folder: Path
    told: Told
    promised: Need = NOTHING
    waited_s: float = 0.0

    @property
    def unwritten_bytes(self) -> int:
        """What it may still write."""
        promised = self.promised.scratch_bytes
        return max(0, promised - used_bytes(self.folder)) if promised else 0

    def takes(self, need: Need) -> bool:
        """Be promised that much in all, if it can be had right now."""
        return self.budget.takes(self, need)

    async def reach(self, need: Need, *, alone: bool = False) -> None:
        """Be promised that much in all, as soon as it can be had. Memory is asked for once, last: who has it works.

        `alone`: all memory that there is, so that no other encodes meanwhile.

        Raises:
            errors.Resource: `disk_full`: it never can, here.
        """
        if alone:
            need = replace(need, memory_bytes=max(need.memory_bytes, self.budget.memory_bytes))
        if not self.takes(need):
            now = asyncio.get_running_loop().time
            began = now()
            await self.budget.waits(self, need)
            self.waited_s += now() - began


@dataclass(eq=False, slots=True)
class _Wish:
    """For `need` in all, not more."""

    share: Share
    need: Need
    answer: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
