"""Customers of a fleet that is restarted: each counts how he was answered, and waits for all that he asked for."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.lab import media
from tests.lab.hook import Hook
from tests.lab.platform import ENDED, Platform

LOST_AFTER_S = 180.0
ASK_EVERY_S = 0.3
MOST_WAIT_S = 1.0  # of what Retry-After says: the load must not lie down
CALL_S = 30.0
QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90}
LONG = {"preset": "h264", "encoderPreset": "slow", "width": 640, "height": 360, "upscale": True}  # longer than a drain


@dataclass(kw_only=True)
class Customers:
    """`long`: the share of jobs that outlast a drain. `answers`: how often each status came; `slowest_s`: of all
    answers; `streams`: how many were ended; `wrong`: what no customer may meet.
    """

    platform: Platform
    chance: random.Random
    hook: Hook
    long: float
    over: asyncio.Event = field(default_factory=asyncio.Event)
    answers: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    streams: int = 0
    completed: int = 0
    wrong: list[str] = field(default_factory=list)

    async def run(self, at_once: int) -> None:
        """So many at a time, one job after the other, and one who follows the stream of all, until it is `over`."""
        connector = aiohttp.TCPConnector(force_close=True, limit=0)  # nothing is tried again by the library
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=CALL_S)) as session,
            asyncio.TaskGroup() as group,
        ):
            following = group.create_task(self._follow(session))
            async with asyncio.TaskGroup() as buyers:
                for number in range(at_once):
                    buyers.create_task(self._buy(session, number))
            following.cancel()

    async def _buy(self, session: aiohttp.ClientSession, number: int) -> None:
        turn = 0
        while not self.over.is_set():
            await self._one(session, f"{number}-{turn}")
            turn += 1

    async def _one(self, session: aiohttp.ClientSession, key: str) -> None:
        clip = self.platform.folder / "in.mp4"
        is_long = self.chance.random() < self.long
        job = {
            "source": {"kind": "file", "path": str(clip)}
            if is_long
            else {"kind": "inline", "data": media.inline_picture(), "fileName": "in.mp4"},
            "outputs": [LONG if is_long else QUICK],
            "notificationUrl": self.hook.url("/told"),
        }
        _, accepted = await self._asked(session, "POST", "/jobs", json=job, headers={"Idempotency-Key": key})
        until = time.monotonic() + LOST_AFTER_S
        while time.monotonic() < until:
            _, shown = await self._asked(session, "GET", f"/jobs/{accepted['id']}")
            if shown["status"] in ENDED:
                break
            await asyncio.sleep(ASK_EVERY_S)
        if shown["status"] != "completed":
            self.wrong.append(f"job {accepted['id']} is {shown['status']}: {shown['outputs']}")
        self.completed += shown["status"] == "completed"
        await self._asked(session, "GET", "/jobs?limit=20")

    async def _asked(self, session: aiohttp.ClientSession, method: str, path: str, **more: Any) -> tuple[int, Any]:  # noqa: ANN401  # as aiohttp takes it
        """An answer that is no 503, which alone is asked for again, with the same key."""
        while True:
            began = time.monotonic()
            try:
                async with session.request(method, self.platform.url + path, **more) as response:
                    answer = await response.json(content_type=None)
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                self.wrong.append(f"no answer to {method} {path}: {error!r}")
                await asyncio.sleep(MOST_WAIT_S)
                continue
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            self.answers[response.status] += 1
            if response.status < 300:
                return response.status, answer
            wait = response.headers.get("Retry-After", "")
            if response.status != 503 or not wait.isdecimal():
                self.wrong.append(f"{method} {path}: {response.status} {answer}")
            await asyncio.sleep(min(float(wait or 0), MOST_WAIT_S))

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        """Hear of all jobs; a stream that ends, ends with a last word, and is taken up again."""
        while True:
            try:
                async with session.get(
                    f"{self.platform.url}/events",
                    headers={"Accept": "text/event-stream"},
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as response:
                    self.answers[response.status] += 1
                    said = [line async for line in response.content]
                self.streams += 1
                if not any(line.startswith(b"retry: 1000") for line in said):
                    self.wrong.append(f"a stream ended without a word: {said[-3:]}")
            except (aiohttp.ClientError, TimeoutError) as error:
                self.wrong.append(f"a stream broke off: {error!r}")
            await asyncio.sleep(1.0)
