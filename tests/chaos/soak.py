"""Real jobs on a fleet that is struck all the time, and what is true of them afterwards."""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from tests.chaos import database
from tests.chaos.callers import Callers
from tests.chaos.nemesis import Loss, Nemesis
from tests.lab import audit, media, witness
from tests.lab.databases import AWAY, BOTH, ask
from tests.lab.hook import Hook
from tests.lab.invariants import ALWAYS, violations
from tests.lab.origin import Served
from tests.lab.platform import Platform, Role, until
from tests.lab.processes import descriptors, resident_bytes
from tests.lab.put import Shelf
from tests.lab.rgw import Bucket
from tests.lab.wire import Server

AT_ONCE = 6  # jobs
LOOK_EVERY_S = 0.2
WARM_S = 15.0  # until the API is as large as it will be
SLACK_BYTES = 24 * 1024 * 1024  # an interpreter's heap never stands quite still
SLACK_DESCRIPTORS = 12  # of a pool that is idle at one look and not at the other


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What happened, and what is wrong with it."""

    seconds: float
    callers: dict[str, int]
    faults: dict[str, int]
    recovery_s: Sequence[float]
    looks: int
    webhooks: int
    wrong: Sequence[str]

    def recovery(self, share: float) -> float:
        """From a kill to the next claim of the task: the time that such a share of them stays below."""
        return statistics.quantiles(self.recovery_s, n=100)[round(share * 100) - 1] if len(self.recovery_s) > 1 else 0.0


@dataclass(kw_only=True)
class Watcher:
    """Looks at the rows all the time: what must always hold, and when a task that was lost was begun again."""

    dsn: str
    nemesis: Nemesis
    looks: int = 0
    recovered: dict[Loss, float | None] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            with suppress(*AWAY):  # it is being restarted
                await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        broken = await violations(self.dsn, ALWAYS)
        self.nemesis.wrong += [f"seen meanwhile: {each}" for each in broken]
        self.looks += 1
        for loss in self.nemesis.losses:
            if loss not in self.recovered:
                await self._recovered(loss)

    async def _recovered(self, loss: Loss) -> None:
        question = "SELECT epoch, state, started_at FROM tasks WHERE id = {}"
        ((epoch, state, started),) = await ask(self.dsn, question.format(loss.task_id))
        if epoch == loss.epoch + 1:
            self.recovered[loss] = started.replace(tzinfo=UTC).timestamp() - loss.at
        elif epoch > loss.epoch or state in {"done", "failed", "cancelled"}:
            self.recovered[loss] = None  # nobody needed to


async def soak(
    folder: Path, *, seconds: float, seed: int, on: str = BOTH[0], bucket: Bucket | None = None, workers: int = 3
) -> Figures:
    """Run it in the new folder `folder`. What is random follows `seed`; the machine's own timing does not.

    `on`: the database, one of `BOTH`.
    """
    folder.chmod(0o755)  # the database runs as another user
    chance = random.Random(seed)  # noqa: S311  # chance that can be repeated
    begun = time.monotonic()
    server = database.made(on, folder / "db")
    async with AsyncExitStack() as stack:
        dsn = await server.start()
        stack.push_async_callback(server.stop, at_once=True)
        platform = Platform(dsn=dsn, folder=folder, extra={"TMPDIR": _made(folder / "tmp")})
        stack.push_async_callback(platform.stop)
        api = await platform.start_api()
        await witness.install(dsn)
        shutil.copy(media.clip(size="160x90", name="inline.mp4"), folder / "in.mp4")
        origin = await stack.enter_async_context(Server(scripts={"/in.mp4": Served(data=media.clip().read_bytes())}))
        hook = await stack.enter_async_context(Hook())
        callers = Callers(
            platform=platform, chance=random.Random(chance.random()), origin=origin,  # noqa: S311  # as above
            shelf=await stack.enter_async_context(Shelf()), hook=hook, bucket=bucket,
        )  # fmt: skip
        nemesis = Nemesis(
            platform=platform, database=server, chance=random.Random(chance.random()), stack=stack, size=workers,  # noqa: S311  # as above
        )  # fmt: skip
        watcher = Watcher(dsn=dsn, nemesis=nemesis)
        await _struck(callers, nemesis, watcher, api, seconds)
        if not callers.wrong:  # what stands still tells nobody
            await until(lambda: _all_told(dsn), within_s=60)
        await nemesis.dismiss()
        wrong = [*callers.wrong, *nemesis.wrong, *await _left(platform, callers, hook, bucket)]
        return Figures(
            seconds=time.monotonic() - begun,
            callers=dict(callers.did),
            faults=dict(nemesis.did),
            recovery_s=[each for each in watcher.recovered.values() if each is not None],
            looks=watcher.looks,
            webhooks=len(hook.told),
            wrong=wrong,
        )


async def _struck(callers: Callers, nemesis: Nemesis, watcher: Watcher, api: Role, seconds: float) -> None:
    """All of it at the same time, until every job has ended."""
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watcher.run())
        calling = group.create_task(callers.run(AT_ONCE, over))
        striking = group.create_task(nemesis.run(seconds))
        await asyncio.sleep(min(WARM_S, seconds / 2))
        before = descriptors(api.process.pid), resident_bytes(api.process.pid)
        await striking
        over.set()
        await calling
        watching.cancel()
    after = descriptors(api.process.pid), resident_bytes(api.process.pid)
    for what, was, is_, slack in zip(
        ("descriptors", "bytes"), before, after, (SLACK_DESCRIPTORS, SLACK_BYTES), strict=True
    ):
        if is_ > 1.1 * was + slack:
            nemesis.wrong.append(f"V11 the API has {is_} {what}, and had {was}")


async def _left(platform: Platform, callers: Callers, hook: Hook, bucket: Bucket | None) -> list[str]:
    """What is wrong when nothing is to be done any more."""
    known = {id_ for (id_,) in await ask(platform.dsn, "SELECT id FROM jobs")}
    wrong = [f"V1 answered, but not there: {id_}" for id_ in set(callers.accepted.values()) - known]
    wrong += [f"V1 there, but never answered: {id_}" for id_ in known - set(callers.accepted.values())]
    await _retain(platform)
    try:
        await audit.audit(platform, delivered=platform.storage, hook=hook, bucket=bucket)
    except AssertionError as error:
        wrong += str(error).splitlines()
    return wrong


async def _retain(platform: Platform) -> None:
    """As retention will: what killed attempts left half-written of jobs that did not go on to be completed."""
    given_up = """
        SELECT t.id FROM tasks t JOIN jobs j ON j.id = t.job_id
        WHERE j.state <> 'completed' OR j.deleted_at IS NOT NULL"""
    tasks = {id_ for (id_,) in await ask(platform.dsn, given_up)}
    for part in platform.folder.rglob("*.part"):
        token = part.name.rsplit(".", 2)[1]
        if int(token.partition("-")[0]) in tasks:
            part.unlink()


async def _all_told(dsn: str) -> bool:
    try:
        return await ask(dsn, "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'") == [(0,)]
    except AWAY:
        return False


def _made(folder: Path) -> str:
    folder.mkdir()
    return str(folder)
