"""The platform as its users meet it: real processes of the roles, HTTP in, files out."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.lab import nursery
from tests.lab.processes import working_in

START_S = 20.0
LEASE_S = 2.0
ENDED = {"completed", "failed", "cancelled"}
REPOSITORY = Path(__file__).parent.parent.parent

# one key and one secret for all roles of a test: 32 bytes each, in base64
SECRET_KEY = "bGFiIGxhYiBsYWIgbGFiIGxhYiBsYWIgbGFiIGxhYiE="
WEBHOOK_SECRET = "whsec_bGFiIGxhYiBsYWIgbGFiIGxhYiBsYWIgbGFiIGxhYiE="


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass(kw_only=True)
class Role:
    """A running process of one role. Its log lies in `log`."""

    process: nursery.Process
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, *, within_s: float = 30.0) -> int:
        """The exit code."""
        return await asyncio.wait_for(self.process.wait(), within_s)

    async def kill(self) -> None:
        """SIGKILL, as a crash or the kernel would."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@dataclass(kw_only=True)
class Platform:
    """Roles on one database. `folder` holds storage, scratch and logs of this test. `program`: what each role is."""

    dsn: str
    folder: Path
    port: int = field(default_factory=free_port)
    extra: Mapping[str, str] = field(default_factory=dict)
    program: Sequence[str] = ("-m", "encoder")
    roles: list[Role] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def environment(self) -> dict[str, str]:
        """What the roles are started with: nothing of ours leaks in."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ENCODER_")}
        ours = {
            "ENCODER_DATABASE_URL": self.dsn,
            "ENCODER_STORAGE": f"file:{self.storage}",
            "ENCODER_SCRATCH_DIR": str(self.scratch),
            "ENCODER_PORT": str(self.port),
            "ENCODER_LEASE_SECONDS": str(LEASE_S),
            "ENCODER_PROGRESS_SECONDS": "0.2",
            "ENCODER_WORKER_SLOTS": "1",
            "ENCODER_SECRET_KEYS": SECRET_KEY,
            "ENCODER_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "ENCODER_ALLOW_ADDRESSES": "127.77.0.0/16",
            "ENCODER_FILE_ROOTS": str(self.folder),
            "ENCODER_LOG_FORMAT": "json",
            "ENCODER_LOG_LEVEL": "debug",
        }
        return kept | ours | dict(self.extra)

    async def start(self, role: str, *arguments: str, program: Sequence[str] | None = None, **environment: str) -> Role:
        """Start one more process of `role`."""
        log = self.folder / f"{role}-{next(self.numbers)}.log"  # several may start at the same time
        words, given = program or self.program, self.environment() | environment
        process: nursery.Process
        with log.open("wb") as output:
            if nursery.bears(words, given):
                process = await asyncio.to_thread(
                    nursery.start, words, (role, *arguments), folder=self.folder, log=log, environment=given
                )
            else:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    *words,
                    role,
                    *arguments,
                    cwd=self.folder,
                    env=given,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                )
        started = Role(process=process, log=log)
        self.roles.append(started)
        return started

    async def start_api(self) -> Role:
        """Start the API and wait until it is ready."""
        role = await self.start("api")
        await until(lambda: self._is_ready(role), within_s=START_S)
        return role

    async def _is_ready(self, role: Role) -> bool:
        assert role.process.returncode is None, role.log.read_text()
        try:
            status, _ = await self.call("GET", "/readyz")
        except aiohttp.ClientError:
            return False
        return status == 200

    async def call(self, method: str, path: str, **request: Any) -> tuple[int, Any]:  # noqa: ANN401  # as aiohttp takes it
        """Status and JSON (or text) of one call."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.url + path, **request) as response,
        ):
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, await (response.json(content_type=None) if is_json else response.text())

    async def submit(self, job: Mapping[str, Any], **headers: str) -> int:
        """Post a job that must be accepted; its id."""
        status, answer = await self.call("POST", "/jobs", json=job, headers=headers)
        assert status == 202, answer
        return int(answer["id"])

    async def job(self, job_id: int) -> dict[str, Any]:
        status, answer = await self.call("GET", f"/jobs/{job_id}")
        assert status == 200, answer
        return dict(answer)

    async def ended(self, job_id: int, *, within_s: float = 90.0) -> dict[str, Any]:
        """The job once it has ended."""

        async def has_ended() -> bool:
            return (await self.job(job_id))["status"] in ENDED

        await until(has_ended, within_s=within_s)
        return await self.job(job_id)

    async def reaches(self, job_id: int, stage: str, *, within_s: float = 60.0) -> None:
        """Wait until an output of the job shows `stage`."""

        async def at_stage() -> bool:
            job = await self.job(job_id)
            assert job["status"] not in ENDED, job
            return any(output.get("stage") == stage for output in job["outputs"])

        await until(at_stage, within_s=within_s)

    async def stop(self) -> None:
        """Kill what still runs."""
        for role in self.roles:
            await role.kill()


async def until(holds: Callable[[], Any], *, within_s: float) -> None:
    """Ask again and again, until it holds; for what no signal tells across processes."""
    async with asyncio.timeout(within_s):
        while not await holds():
            await asyncio.sleep(0.03)


@asynccontextmanager
async def running(
    dsn: str, folder: Path, *, workers: int = 1, hasty: bool = False, **extra: str
) -> AsyncIterator[Platform]:
    """An API and some workers, gone afterwards with all that they began (V8).

    `hasty`: each wait of theirs is the shortest that it may be.
    """
    platform = Platform(dsn=dsn, folder=folder, extra=extra)
    if hasty:
        platform.program = ("-m", "tests.lab.hasty")
        platform.extra = {"PYTHONPATH": str(REPOSITORY), **extra}
    try:
        await platform.start_api()
        for _ in range(workers):
            await platform.start("worker")
        yield platform
    finally:
        await platform.stop()

    async def alone() -> bool:
        return not list(working_in(platform.scratch))

    await until(alone, within_s=10)
