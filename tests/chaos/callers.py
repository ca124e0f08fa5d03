"""People who send jobs and want something of them: each job through its whole life, whatever answers on the way."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.lab import media
from tests.lab.hook import Hook
from tests.lab.platform import ENDED, Platform
from tests.lab.put import Shelf
from tests.lab.rgw import Bucket
from tests.lab.wire import Server

LOST_AFTER_S = 60.0  # a job that has not ended so long after the last fault is lost
ASK_EVERY_S = 0.25
QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90}


@dataclass(kw_only=True)
class Callers:
    """`accepted`: the number that was answered for each key. `wrong`: what must not be."""

    platform: Platform
    chance: random.Random
    origin: Server
    shelf: Shelf
    hook: Hook
    bucket: Bucket | None
    accepted: dict[str, int] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    did: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def run(self, at_once: int, over: asyncio.Event) -> None:
        """So many at a time, each with one job after the other, until it is `over` and the last one has ended."""
        async with asyncio.TaskGroup() as group:
            for number in range(at_once):
                group.create_task(self._one(number, random.Random(self.chance.random()), over))  # noqa: S311  # repeatable

    async def _one(self, number: int, chance: random.Random, over: asyncio.Event) -> None:
        for turn in range(1_000_000):
            if over.is_set():
                return
            await self._life(f"{number}-{turn}", chance, over)

    async def _life(self, key: str, chance: random.Random, over: asyncio.Event) -> None:
        job = self._job(key, chance)
        job_id = await self._submitted(key, job)
        if chance.random() < 0.12:  # in the middle of it
            await asyncio.sleep(chance.uniform(0, 2))
            await self._told("POST", f"/jobs/{job_id}/cancel", then="asked to cancel")
        ended = await self._ended(job_id, over)
        for _ in range(2):
            if ended is None or ended["status"] == "completed" or chance.random() < 0.3:
                break
            if await self._told("POST", f"/jobs/{job_id}/retry", then="retried") == 202:
                ended = await self._ended(job_id, over)
        if ended is not None:
            self._judge(job_id, ended, job)
        if chance.random() < 0.05:
            self.deleted.add(job_id)
            await self._told("DELETE", f"/jobs/{job_id}", then="deleted")

    def _job(self, key: str, chance: random.Random) -> dict[str, Any]:
        sources: list[dict[str, Any]] = [
            {"kind": "inline", "data": media.inline_picture(), "fileName": "in.mp4"},
            {"kind": "http", "url": self.origin.url("/in.mp4")},
            {"kind": "file", "path": str(self.platform.folder / "in.mp4")},
        ]
        outputs = [QUICK | self._place(f"{key}-{n}", chance) for n in range(chance.choice((1, 1, 2)))]
        receiver = {"notificationUrl": self.hook.url("/told")} if chance.random() < 0.5 else {}
        return {"source": chance.choice(sources), "outputs": outputs, **receiver}

    def _place(self, name: str, chance: random.Random) -> dict[str, Any]:
        places: list[dict[str, Any] | None] = [
            None,
            {"kind": "file", "path": str(self.platform.folder / "out" / f"{name}.mp4")},
            {"kind": "http", "url": self.shelf.url(f"/{name}.mp4"), "method": "PUT"},
        ]
        if self.bucket is not None:
            places.append(self.bucket.place(f"{name}.mp4"))
        place = chance.choice(places)
        return {} if place is None else {"destination": place}

    async def _submitted(self, key: str, job: dict[str, Any]) -> int:
        """The number of the job; its key is repeated until there is an answer."""
        while True:
            status, answer = await self._call("POST", "/jobs", json=job, headers={"Idempotency-Key": key})
            if status == 202:
                self.did["submitted"] += 1
                self.accepted[key] = int(answer["id"])
                return self.accepted[key]
            if status not in {0, 503}:
                raise AssertionError(f"{status} {answer}")
            self.did["asked again"] += 1
            await asyncio.sleep(ASK_EVERY_S)

    async def _ended(self, job_id: int, over: asyncio.Event) -> dict[str, Any] | None:
        """The job once it has ended; None when it is lost."""
        quiet_since: float | None = None
        while True:
            status, job = await self._call("GET", f"/jobs/{job_id}")
            if status == 200 and job["status"] in ENDED:
                return dict(job)
            if status not in {0, 200, 503}:
                raise AssertionError(f"{status} {job}")
            if over.is_set():
                quiet_since = quiet_since or time.monotonic()
                if time.monotonic() - quiet_since > LOST_AFTER_S:
                    self.wrong.append(f"lost: job {job_id} stands {status} {job}")
                    return None
            await asyncio.sleep(ASK_EVERY_S)

    async def _told(self, method: str, path: str, *, then: str) -> int:
        """The answer to a wish, once there is one; 404 and 409 are answers."""
        while True:
            status, answer = await self._call(method, path)
            if status in {202, 204}:
                self.did[then] += 1
            if status in {202, 204, 404, 409}:
                return status
            if status not in {0, 503}:
                raise AssertionError(f"{method} {path}: {status} {answer}")
            await asyncio.sleep(ASK_EVERY_S)

    async def _call(self, method: str, path: str, **request: Any) -> tuple[int, Any]:  # noqa: ANN401  # as the platform's
        try:
            return await self.platform.call(method, path, **request)
        except (aiohttp.ClientError, TimeoutError) as error:
            return 0, repr(error)

    def _judge(self, job_id: int, ended: dict[str, Any], asked: dict[str, Any]) -> None:
        """What ended well stands where it was asked for; what did not has a reason that the faults explain."""
        self.did[ended["status"]] += 1
        codes = {(output["error"] or {}).get("code") for output in ended["outputs"] if output["status"] == "failed"}
        if codes - {"worker_lost"}:
            self.wrong.append(f"job {job_id} failed by itself: {codes}")
        for output, wanted in zip(ended["outputs"], asked["outputs"], strict=True):
            stands = self._standing(wanted) if output["status"] == "uploaded" else None
            if stands is not None and hashlib.sha256(stands).hexdigest() != output["sha256"]:
                self.wrong.append(f"other bytes than proven: job {job_id}, {wanted['destination']}")

    def _standing(self, wanted: dict[str, Any]) -> bytes | None:
        """What stands at a server; the audit looks into folders by itself."""
        place = wanted.get("destination", {"kind": "storage"})
        look: dict[str, Callable[[], bytes | None]] = {
            "http": lambda: self.shelf.objects.get(place["url"].removeprefix(self.shelf.url("")), b"absent"),
            "s3": lambda: (self.bucket and self.bucket.get(place["path"])) or b"absent",
        }
        return look.get(place["kind"], lambda: None)()
