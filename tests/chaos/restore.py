"""The restore drill: `make drill`. A database is lost, and brought back to a moment before work that was done since.

A base backup and the write-ahead log of a private cluster; a worker that is frozen over all of it, in the middle of two
encodes, of which the restored database knows one. Then `encoder doctor --after-restore` (docs/operate/restore.md),
new roles, the audit, and the thaw: what the zombie holds changes no row and no object.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from encoder.embedded import programs
from encoder.embedded.postgres import Postgres
from encoder.store.postgres import upgrade
from tests.lab import audit, databases, media, witness
from tests.lab.hook import Hook
from tests.lab.platform import LEASE_S, Platform, Role, free_port, until
from tests.lab.processes import below

MOMENT = "before"
SLOW: dict[str, Any] = {"preset": "h264", "encoderPreset": "veryslow", "width": 640, "height": 360, "upscale": True}
QUICK: dict[str, Any] = {"preset": "h264", "encoderPreset": "ultrafast", "width": 160, "height": 90}
NOT_OF_JOBS = frozenset({"workers", "schema_version"})  # the zombie lives, and says so


@dataclass(kw_only=True)
class Drill:
    """`seconds`: what each part took. `lost`: jobs that were accepted and ended after the moment."""

    seconds: dict[str, float] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)
    said: str = ""
    epoch: int = 0
    next_job: int = 0

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[what] = round(time.monotonic() - began, 1)


class Cluster:
    """A PostgreSQL whose log is archived as it is written, with one base backup."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive, self.base = folder / "archive", folder / "base"
        self._port = free_port()  # also of what is restored: the zombie is to reach it
        self._postgres = self._server()

    async def start(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.archive.mkdir()
        self.archive.chmod(0o777)  # the server may be another user
        return await self._postgres.start()

    def _server(self, **more: str) -> Postgres:
        kept = {
            "wal_level": "replica",
            "archive_mode": "on",
            "archive_command": f"cp %p {self.archive}/%f.part && mv {self.archive}/%f.part {self.archive}/%f",
            "fsync": "off",  # a drill loses a server, never the machine
        }
        return Postgres(self.folder / "postgres", port=self._port, settings=kept | more)

    async def back_up(self, dsn: str) -> None:
        """As `pg_basebackup -X none` does: what is missing in it comes from the archive."""
        program = str(programs.find(None).folder / "pg_basebackup")
        command = [program, "-D", str(self.base), "-X", "none", "-c", "fast", "-d", dsn]
        done = await asyncio.create_subprocess_exec(*command)
        assert await done.wait() == 0

    async def mark(self, dsn: str) -> None:
        await databases.run(dsn, f"SELECT pg_create_restore_point('{MOMENT}')", "SELECT pg_switch_wal()")

    async def lose(self) -> None:
        """The disk of the server is gone."""
        await self._postgres.stop()
        shutil.rmtree(self.folder / "postgres" / "data")

    async def restore(self) -> str:
        """The base backup, and the log up to the moment."""
        data = self.folder / "postgres" / "data"
        owner = (self.folder / "postgres").stat()
        await asyncio.to_thread(shutil.copytree, self.base, data)
        (data / "recovery.signal").touch()
        for path in (data, *data.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
        data.chmod(0o700)
        self._postgres = self._server(
            restore_command=f"cp {self.archive}/%f %p",
            recovery_target_name=MOMENT,
            recovery_target_action="promote",
            archive_mode="off",
        )
        dsn = await self._postgres.start()
        await until(lambda: _is_primary(dsn), within_s=30)
        return dsn

    async def stop(self) -> None:
        await self._postgres.stop()


async def _is_primary(dsn: str) -> bool:
    return await databases.ask(dsn, "SELECT pg_is_in_recovery()") == [(False,)]


def a_job(source: Path, output: dict[str, Any], hook: str) -> dict[str, Any]:
    return {"source": {"kind": "file", "path": str(source)}, "outputs": [output], "notificationUrl": hook}


async def drill(folder: Path, *, after: int, seconds: float = 6) -> Drill:
    """`after`: jobs that are taken and done after the moment. `seconds`: of the sources that the zombie encodes."""
    found = Drill()
    slow, quick = folder / "slow.mp4", folder / "quick.mp4"
    slow.write_bytes(media.clip(seconds=seconds).read_bytes())
    quick.write_bytes(media.clip().read_bytes())
    cluster = Cluster(folder / "cluster")
    dsn = await cluster.start()
    platform = Platform(dsn=dsn, folder=folder)
    try:
        async with Hook() as hook:
            await upgrade(dsn)
            await witness.install(dsn)
            with found.timed("base backup"):
                await cluster.back_up(dsn)
            api = await platform.start_api()
            zombie = await platform.start("worker", ENCODER_WORKER_SLOTS="2", ENCODER_WORKER_QUEUES="encode")
            known = await platform.submit(a_job(slow, SLOW, hook.url("/hook")))
            await platform.reaches(known, "encoding")
            await cluster.mark(dsn)

            unknown = await platform.submit(a_job(slow, SLOW, hook.url("/hook")))
            await platform.reaches(unknown, "encoding")
            freeze(zombie)
            worker = await platform.start("worker")
            found.lost = [await platform.submit(a_job(quick, QUICK, hook.url("/hook"))) for _ in range(after)]
            for job_id in found.lost:
                assert (await platform.ended(job_id))["status"] == "completed"
            for role in (api, worker):
                await role.kill()

            with found.timed("restore"):
                await cluster.lose()
                platform.dsn = dsn = await cluster.restore()
            with found.timed("doctor --after-restore"):
                doctor = await platform.start("doctor", "--after-restore")
                assert await doctor.ended() == 0, doctor.log.read_text()
            found.said = doctor.log.read_text()

            with found.timed("all that was open is done"):
                await platform.start_api()
                await platform.start("worker")
                assert (await platform.ended(known))["status"] == "completed"
            found.next_job = await platform.submit(a_job(quick, QUICK, hook.url("/hook")))
            assert (await platform.ended(found.next_job))["status"] == "completed"
            held = f"SELECT epoch FROM tasks WHERE job_id = {known} AND name = 't1'"  # noqa: S608  # a number
            ((found.epoch,),) = await databases.ask(dsn, held)

            before = await state(platform)
            with found.timed("thaw"):
                await thawed(zombie)
            assert await state(platform) == before
            await audit.audit(platform, delivered=folder, hook=hook)
    finally:
        await platform.stop()
        await cluster.stop()
    return found


async def state(platform: Platform) -> tuple[list[tuple[str, str]], dict[str, bytes]]:
    """All rows of jobs, and all objects."""
    rows = [(table, row) for table, row in await databases.rows(platform.dsn) if table not in NOT_OF_JOBS]
    files = {str(path): path.read_bytes() for path in platform.storage.rglob("*") if path.is_file()}
    return sorted(rows), files


def freeze(worker: Role) -> None:
    """With all that it has started: a machine that stands still."""
    worker.signal(signal.SIGSTOP)
    for pid in below(worker.process.pid):
        os.kill(pid, signal.SIGSTOP)


async def thawed(worker: Role) -> None:
    """Let it go on, until it has noticed that neither of its tasks is its own."""
    for pid in below(worker.process.pid):
        os.kill(pid, signal.SIGCONT)
    worker.signal(signal.SIGCONT)

    async def noticed() -> bool:
        return worker.log.read_text().count('"lease.lost"') >= 2

    await until(noticed, within_s=30)
    await asyncio.sleep(LEASE_S)  # whatever it may yet do of its own accord


@click.command()
@click.option("--after", default=50, show_default=True, help="Jobs that are done after the moment.")
def main(after: int) -> None:
    """Lose a database, restore it, and print what each part took."""
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        found = asyncio.run(drill(Path(folder), after=after))
    for what, seconds in found.seconds.items():
        print(f"{seconds:6.1f} s  {what}")
    print(f"{len(found.lost)} jobs were done after the moment; the task that was held goes on at epoch {found.epoch:,}")
    print(f"the next job is {found.next_job:,}\n{found.said}")


if __name__ == "__main__":
    main()
