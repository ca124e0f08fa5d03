"""The roles of a fleet, each of which is restarted in its turn."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import aiohttp

from tests.lab.platform import Platform, Role, until

STOP_S = 60.0
START_S = 60.0


@dataclass(eq=False, kw_only=True)
class Member:
    """`port`: where it answers probes; `busy`: it is being restarted."""

    kind: str
    port: int
    role: Role
    busy: bool = False

    async def is_ready(self) -> bool:
        assert self.role.process.returncode is None, self.role.log.read_text()
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self.port}/readyz?scope=local") as response,
            ):
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


@dataclass(kw_only=True)
class Crew:
    """`stops_s`: by kind, from SIGTERM to the end of the process; `wrong`: who did not end well."""

    platform: Platform
    chance: random.Random
    members: list[Member] = field(default_factory=list)
    stops_s: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)

    async def start(self, kind: str, ports: Sequence[int]) -> None:
        """One of this kind at each port."""
        members = [Member(kind=kind, port=port, role=await self._begin(kind, port)) for port in ports]
        self.members += members
        for member in members:
            await until(member.is_ready, within_s=START_S)

    async def _begin(self, kind: str, port: int) -> Role:
        setting = "ENCODER_PORT" if kind == "api" else "ENCODER_METRICS_PORT"
        return await self.platform.start(kind, **{setting: str(port)})

    async def roll(self, seconds: float, every_s: float) -> None:
        """One after the other for so long; one API at most and half of the workers are down at a time."""
        began, turn = time.monotonic(), 0
        self.chance.shuffle(self.members)
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < began + seconds:
                if (member := self._next()) is not None:
                    self.members.remove(member)
                    self.members.append(member)
                    member.busy = True
                    group.create_task(self.restart(member))
                turn += 1
                await asyncio.sleep(max(0.0, began + turn * every_s - time.monotonic()))

    def _next(self) -> Member | None:
        """The one who was restarted longest ago, of those who may be."""
        busy = Counter(member.kind for member in self.members if member.busy)
        most = {"api": 1, "worker": sum(member.kind == "worker" for member in self.members) // 2}
        return next((each for each in self.members if not each.busy and busy[each.kind] < most[each.kind]), None)

    async def once(self) -> None:
        """One of each kind, at the same time."""
        await asyncio.gather(*(self.restart(member) for member in {each.kind: each for each in self.members}.values()))

    async def restart(self, member: Member) -> None:
        began = time.monotonic()
        member.role.signal(signal.SIGTERM)
        code = await member.role.ended(within_s=STOP_S)
        self.stops_s[member.kind].append(time.monotonic() - began)
        if code != 0:
            self.wrong.append(f"{member.role.log.stem} left with {code}")
        member.role = await self._begin(member.kind, member.port)
        await until(member.is_ready, within_s=START_S)
        member.busy = False
