"""Real processes that sweep: killed at any moment, and several at once. Rows and objects are compared both ways."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.lab import ended
from tests.lab.databases import ask
from tests.lab.platform import Platform

LOOKED_AT = 1000  # jobs of which each object is looked for, of those that are there
WITHIN_S = 600.0


@dataclass(frozen=True, kw_only=True)
class Swept:
    """A sweep that ended by itself. `report`: as its command printed it."""

    code: int
    report: dict[str, Any]

    @property
    def jobs(self) -> int:
        return int(self.report["removed"].get("jobs", 0))


async def killed(platform: Platform, times: int, *, chance: random.Random, most_s: float) -> None:
    """Start a sweep and kill it, `most_s` seconds after its first jobs went at the latest; so many times."""
    for _ in range(times):
        before = await jobs_left(platform)
        role = await platform.start("retention")
        while role.process.returncode is None and await jobs_left(platform) == before:
            await asyncio.sleep(0.02)
        await asyncio.sleep(chance.uniform(0, most_s))
        assert role.process.returncode is None, f"it had ended before it was killed: {role.log.read_text()}"
        await role.kill()
        await agree(platform, chance)


async def swept(platform: Platform, *arguments: str, at_once: int = 1) -> tuple[Sequence[Swept], float]:
    """Sweeps that are let be, started at the same moment, and how many seconds they took, starts and all."""
    begun = time.perf_counter()
    roles = [await platform.start("retention", "--json", *arguments, ENCODER_LOG_LEVEL="error") for _ in range(at_once)]
    codes = [await role.ended(within_s=WITHIN_S) for role in roles]
    took_s = time.perf_counter() - begun
    return [
        Swept(code=code, report=json.loads(role.log.read_text())) for code, role in zip(codes, roles, strict=True)
    ], took_s


async def agree(platform: Platform, chance: random.Random) -> None:
    """No object is there without its row, and no row that is not marked without its objects."""
    found = await ask(platform.dsn, "SELECT id, uuid, purging_at IS NULL FROM jobs")
    jobs = [(ended.EndedJob(id=id_, uuid=UUID(str(uuid))), bool(kept)) for id_, uuid, kept in found]
    folders = ended.folders(platform.storage)
    assert folders <= {str(job.uuid) for job, _ in jobs}
    kept = [job for job, is_kept in jobs if is_kept]
    assert {str(job.uuid) for job in kept} <= folders
    for job in chance.sample(kept, min(len(kept), LOOKED_AT)):
        assert all((platform.storage / key).is_file() for key in job.keys), job


async def jobs_left(platform: Platform) -> int:
    return int((await ask(platform.dsn, "SELECT count(*) FROM jobs"))[0][0])


async def told(platform: Platform) -> dict[str, int]:
    """What all sweeps together say that they removed."""
    return {what: int(removed) for what, removed in await ask(platform.dsn, "SELECT what, removed FROM swept")}
