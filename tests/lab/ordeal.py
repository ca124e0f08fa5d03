"""A platform that is asked to keep secrets while its jobs fail, and eyes on all that it leaves behind."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.lab.databases import ask, run
from tests.lab.hook import Hook
from tests.lab.platform import Platform, Role, free_port, running, until
from tests.lab.sentinel import WORD, Watch, watching
from tests.lab.wire import Exchange, Script, Server

Place = dict[str, Any]
QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90}
NOBODY = "127.77.0.99"  # where nothing listens
_HEADERS = {"Authorization": f"Basic {base64.b64encode(f'ann:{WORD}'.encode()).decode()}", "X-Token": f"{WORD}/+ %"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A job, and the code of what its output ends in; None: it stands. `attempts`: after how many."""

    source: Place
    to: Place | None = None
    code: str | None = None
    attempts: int = 1
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Ordeal:
    """`hook`: who is told of each job, at an address that is a secret."""

    platform: Platform
    hook: Hook
    watch: Watch
    metrics_port: int
    jobs: list[int] = field(default_factory=list)

    async def start_worker(self) -> Role:
        return await self.platform.start("worker", ENCODER_METRICS_PORT=str(self.metrics_port))

    async def submit(self, case: Case) -> int:
        output = QUICK | dict(case.output) | ({} if case.to is None else {"destination": case.to})
        receiver = self.hook.url(f"/told?token={WORD}hook")
        job = {"source": case.source, "outputs": [output], "notificationUrl": receiver}
        self.jobs.append(await self.platform.submit(job))
        return self.jobs[-1]

    async def all_end_as_they_must(self, cases: Mapping[str, Case]) -> None:
        """And everybody is told so."""
        jobs = {name: await self.submit(case) for name, case in cases.items()}
        ended = {name: (await self.platform.ended(job))["outputs"][0] for name, job in jobs.items()}
        told = {name: ((output["error"] or {}).get("code"), output["attempts"]) for name, output in ended.items()}
        must = {name: (case.code, case.attempts) for name, case in cases.items()}
        assert told == must, (told, must)
        await until(self.all_is_told, within_s=30)

    async def all_is_told(self) -> bool:
        return await self._count("SELECT count(*) FROM webhook_deliveries WHERE tried_at IS NULL") == 0

    async def nothing_is_seen(self) -> None:
        """Neither now nor since the beginning; what secrets are still needed are sealed."""
        await self.watch.look_everywhere(self.hook, *self.jobs)
        address = f"http://127.0.0.1:{self.metrics_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            self.watch.look_at("metrics of the worker", await response.text())
        assert not self.watch.seen, self.watch.seen
        assert await self._count("SELECT count(*) FROM jobs WHERE sealed IS NULL") == 0

    async def nothing_is_kept(self) -> None:
        """A day after the end of all jobs, of the secrets not even the sealed form is left."""
        await run(self.platform.dsn, "UPDATE jobs SET finished_at = finished_at - INTERVAL '1' DAY")
        await self.platform.start("worker", ENCODER_METRICS_PORT=str(free_port()))  # it sweeps at its start
        sealed = "SELECT count(*) FROM jobs WHERE sealed IS NOT NULL"

        async def none_is_sealed() -> bool:
            return await self._count(sealed) == 0

        await until(none_is_sealed, within_s=20)
        await self.watch.look_everywhere(self.hook, *self.jobs)
        assert not self.watch.seen, self.watch.seen

    async def _count(self, query: str) -> int:
        ((count,),) = await ask(self.platform.dsn, query)
        return int(count)


@asynccontextmanager
async def ordeal(
    dsn: str, folder: Path, *words: str, trusted: Path | None = None, idle: bool = False
) -> AsyncIterator[Ordeal]:
    """`words`: beside the one of the lab, those that may stand nowhere. `trusted`: the file of an authority.

    `idle`: there is no worker yet.
    """
    (folder / "tmp").mkdir()
    port = free_port()
    settings = {"TMPDIR": str(folder / "tmp"), "ENCODER_WORKER_SLOTS": "2", "ENCODER_MAX_ATTEMPTS": "2"}
    if trusted is not None:
        settings["SSL_CERT_FILE"] = str(trusted)
    async with (
        running(dsn, folder, workers=0, hasty=True, **settings) as platform,
        Hook() as hook,
        watching(platform, WORD, *words) as watch,
    ):
        job = Ordeal(platform=platform, hook=hook, watch=watch, metrics_port=port)
        if not idle:
            await job.start_worker()
        yield job


def place(server: Server | str, path: str) -> Place:
    """A file on a web server, with a secret in all that may hold one."""
    url = server + path if isinstance(server, str) else server.url(path)
    return {"kind": "http", "url": f"{url}?key={WORD}query", "headers": _HEADERS}


def repeating(status: int, *, body: bool = True) -> Script:
    """Answers `status`, and with it all that it was told: many servers do so in their pages of errors.

    `body`: whether one is still to be read.
    """

    async def script(exchange: Exchange) -> None:
        if body:
            await exchange.body()
        await exchange.answer(status, exchange.request.head, headers={"X-Heard": exchange.request.target})

    return script
