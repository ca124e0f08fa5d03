"""What befalls a fleet: deaths, freezes, orders to leave, a database that restarts, a network that cuts."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from tests.chaos.database import Database
from tests.lab.databases import AWAY, ask, end_sessions
from tests.lab.gate import Gate
from tests.lab.platform import LEASE_S, REPOSITORY, Platform, Role

EVERY_S = (0.5, 3.5)  # between two deeds
LEAST = 4  # deeds, however slow the machine
POINTS = ("L3", "L4", "L5", "L6", "L8", "L9", "L10", "L11", "L13", "L13b", "L14", "L14b", "L14c")
HELD = """
    SELECT l.task_id, l.epoch FROM task_leases l JOIN workers w ON w.id = l.worker_id WHERE w.pid = {pid}"""
Deed = Callable[[], Coroutine[None, None, None]]


@dataclass(eq=False, kw_only=True)
class Hand:
    """A worker and its way to the database. `busy`: something befalls it at this moment."""

    role: Role
    gate: Gate
    busy: bool = False

    @property
    def works(self) -> bool:
        return self.role.process.returncode is None and not self.busy and self.has_started

    @property
    def has_started(self) -> bool:
        """Until then it listens to no signal."""
        return b"worker.started" in self.role.log.read_bytes()


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A task whose worker was killed while it held it."""

    task_id: int
    epoch: int
    at: float  # time.time()


@dataclass(kw_only=True)
class Nemesis:
    """`size`: how many workers there are; who is gone is replaced. `did`: how often what befell somebody."""

    platform: Platform
    database: Database
    chance: random.Random
    stack: AsyncExitStack
    size: int = 3
    hands: list[Hand] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    losses: list[Loss] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, seconds: float) -> None:
        """Strike again and again, a few times at least; in the end everything stands open and everybody is awake."""
        for _ in range(self.size):
            await self._hire()
        until = time.monotonic() + seconds
        while time.monotonic() < until or self.did.total() < LEAST:
            await asyncio.sleep(self.chance.uniform(*EVERY_S))
            deed, heavy = self._choose()
            if not (heavy and self._restarting.locked()):
                task = asyncio.create_task(deed())
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            await self._replace()
        await asyncio.gather(*self._under_way)
        await self._replace()

    async def dismiss(self) -> None:
        """Everybody leaves in order, and one more comes and goes: who starts clears away what the dead left."""
        for hand in [*self.hands, await self._hire()]:
            async with asyncio.timeout(60):
                while not hand.has_started:
                    await asyncio.sleep(0.1)
            hand.role.signal(signal.SIGTERM)
            code = await hand.role.ended(within_s=60)
            if code != 0:
                self.wrong.append(f"{hand.role.log.stem} left with {code}")

    def _choose(self) -> tuple[Deed, bool]:
        """A deed, and whether it concerns the whole database."""
        deeds: dict[Deed, int] = {
            self._kill: 6, self._strike_at_a_point: 5, self._freeze: 3, self._dismiss_one: 3,
            self._cut: 3, self._half_open: 2, self._black_hole: 2, self._end_sessions: 3, self._restart_database: 1,
        }  # fmt: skip
        deed = self.chance.choices(list(deeds), list(deeds.values()))[0]
        return deed, deed == self._restart_database

    def _victim(self) -> Hand | None:
        there = [hand for hand in self.hands if hand.works]
        return self.chance.choice(there) if there else None

    async def _hire(self, point: str | None = None) -> Hand:
        gate = await self.stack.enter_async_context(Gate(target=self.platform.dsn))
        program = None if point is None else ("-m", "tests.lab.doomed")
        doom = {} if point is None else {"LAB_POINT": point, "PYTHONPATH": str(REPOSITORY)}
        role = await self.platform.start("worker", program=program, ENCODER_DATABASE_URL=gate.dsn, **doom)
        hand = Hand(role=role, gate=gate)
        self.hands.append(hand)
        return hand

    async def _replace(self) -> None:
        """New workers for those who are gone; who went without being told to is a defect."""
        for hand in list(self.hands):
            if hand.role.process.returncode is not None and not hand.busy:
                self.wrong.append(f"{hand.role.log.stem} ended by itself: {hand.role.process.returncode}")
                self.hands.remove(hand)
        while len(self.hands) < self.size:
            await self._hire()

    async def _kill(self) -> None:
        if (hand := self._victim()) is not None:
            self.did["killed"] += 1
            await self._lose(hand)

    async def _lose(self, hand: Hand) -> None:
        hand.busy = True
        try:
            held = await ask(self.platform.dsn, HELD.format(pid=hand.role.process.pid))
        except AWAY:
            held = []
        at = time.time()
        await hand.role.kill()
        self.losses += [Loss(task_id=task_id, epoch=epoch, at=at) for task_id, epoch in held]
        self.hands.remove(hand)

    async def _strike_at_a_point(self) -> None:
        """A worker more, which dies at the very instruction where it hurts; if it comes there."""
        self.did["killed at a point"] += 1
        hand = await self._hire(self.chance.choice(POINTS))
        hand.busy = True
        try:
            await hand.role.ended(within_s=20)
        except TimeoutError:
            await self._lose(hand)
        else:
            self.hands.remove(hand)

    async def _freeze(self) -> None:
        if (hand := self._victim()) is not None:
            self.did["frozen"] += 1
            hand.busy = True
            hand.role.signal(signal.SIGSTOP)
            await asyncio.sleep(self.chance.uniform(0.5, 3) * LEASE_S)
            hand.role.signal(signal.SIGCONT)
            hand.busy = False

    async def _dismiss_one(self) -> None:
        if (hand := self._victim()) is not None:
            self.did["told to stop"] += 1
            hand.busy = True
            hand.role.signal(signal.SIGTERM)
            if self.chance.random() < 0.3:  # in a hurry
                await asyncio.sleep(0.2)
                hand.role.signal(signal.SIGTERM)
            code = await hand.role.ended(within_s=90)
            if code != 0:
                self.wrong.append(f"{hand.role.log.stem} was told to stop and left with {code}")
            self.hands.remove(hand)

    async def _cut(self) -> None:
        if (hand := self._victim()) is not None:
            self.did["cut"] += 1
            hand.gate.cut()

    async def _half_open(self) -> None:
        if (hand := self._victim()) is not None:
            self.did["half-open"] += 1
            hand.gate.deaden()

    async def _black_hole(self) -> None:
        if (hand := self._victim()) is not None:
            self.did["black hole"] += 1
            hand.busy = True
            hand.gate.shut()
            await asyncio.sleep(2 * LEASE_S)
            hand.gate.open()
            hand.busy = False

    async def _end_sessions(self) -> None:
        self.did["sessions ended"] += 1
        with suppress(*AWAY):
            await end_sessions(self.platform.dsn, self.chance.uniform(0.1, 1))

    async def _restart_database(self) -> None:
        async with self._restarting:
            at_once = self.chance.random() < 0.5
            self.did["database stopped at once" if at_once else "database stopped fast"] += 1
            await self.database.stop(at_once=at_once)
            await asyncio.sleep(self.chance.uniform(0, 2) * LEASE_S)
            await self.database.start()
