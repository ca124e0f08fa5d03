"""The release before this one beside it, on one database: the way of an upgrade, and the way back.

They run side by side; the steps keep no table for longer than a second while both work.
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from encoder.store.engines import check, upgrade
from encoder.store.steps import HOT
from tests.lab import audit, databases, media, previous, witness
from tests.lab.locks import watched
from tests.lab.platform import REPOSITORY, START_S, Platform, Role, free_port, until
from tests.lab.postgres import Cluster

pytestmark = [pytest.mark.timeout(120), pytest.mark.xdist_group("upgrade")]  # a group begins early

HOT_S, COLD_S = 1.0, 3.0
ASIDE = "aside"  # a queue that no worker takes
ASIDE_IS_KNOWN = "INSERT INTO queues (queue) VALUES ('aside')"
PAGE = (REPOSITORY / "docs/operate/upgrades.md").read_text()
RIGHTS = re.findall(r"^(?:CREATE ROLE|GRANT|ALTER DEFAULT) .*(?=;$)", PAGE, re.MULTILINE)
QUICK: dict[str, Any] = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return previous.unpack(tmp_path_factory.mktemp("previous"))


def a_job(folder: Path) -> dict[str, Any]:
    source = folder / "in.mp4"
    source.write_bytes(media.clip().read_bytes())
    return {"source": {"kind": "file", "path": str(source)}, "outputs": [QUICK]}


@asynccontextmanager
async def both(dsn: str, folder: Path, tree: Path) -> AsyncIterator[tuple[Platform, Platform]]:
    """The platform as it was and as it is, before any of their roles."""
    old = Platform(dsn=dsn, folder=folder, extra={"PYTHONPATH": str(tree)})
    new = replace(
        old, port=free_port(), extra={"ENCODER_AUTO_MIGRATE": "false", "ENCODER_METRICS_PORT": str(free_port())}
    )
    try:
        yield old, new
    finally:
        await old.stop()  # they share their list of roles


async def done(platform: Platform, *arguments: str) -> tuple[int, str]:
    """Exit code and words of a command that ends."""
    command, *more = arguments
    role = await platform.start(command, *more)
    return await role.ended(), role.log.read_text()


async def told(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def answers(platform: Platform, path: str, status: int) -> str:
    """What a door says once it answers so."""
    said = ""

    async def does() -> bool:
        nonlocal said
        try:
            seen, said = await told(platform.url + path)
        except aiohttp.ClientError:
            return False
        return seen == status

    await until(does, within_s=START_S)
    return said


async def leaves(worker: Role) -> None:
    worker.signal(signal.SIGTERM)
    assert await worker.ended() == 0


@pytest.mark.parametrize("database", databases.BOTH)
async def test_two_releases_work_on_one_database_while_its_schema_is_brought_from_one_to_the_other(
    request: pytest.FixtureRequest, database: str, tree: Path, tmp_path: Path
) -> None:
    """K14: old roles before, during and after the steps; new ones wait, work, and make room for the old again."""
    before = previous.schema(tree)
    async with databases.of(request, database).empty() as dsn, both(dsn, tmp_path, tree) as (old, new):
        await old.start_api()
        await witness.install(dsn)
        await databases.run(dsn, ASIDE_IS_KNOWN)
        assert (await check(dsn)).version == before
        old_worker = await old.start("worker")
        job = a_job(tmp_path)
        first = await old.submit(job)

        # the new ones, which may not change tables, wait and say for what
        await new.start("api")
        new_worker = await new.start("worker")
        need = f"schema {before}, need {(await check(dsn)).ours}"
        assert need in await answers(new, "/readyz", 503)
        assert (await told(f"{new.url}/livez"))[0] == 200
        status, said = await told(f"{new.url}/jobs")
        assert (status, "database_unavailable" in said) == (503, True)
        door = replace(new, port=int(new.extra["ENCODER_METRICS_PORT"]))
        assert need in await answers(door, "/readyz", 503)
        assert (await told(f"{door.url}/livez"))[0] == 200

        # the steps, while the old ones work and are asked
        async with watched(dsn) as seen, pressed(old, job) as pressure:
            code, said = await done(new, "migrate")
            await asyncio.sleep(0.2)
        assert code == 0, said
        assert pressure.refused == []
        assert pressure.jobs
        assert seen.looks > 10
        assert seen.longest_wait_s < HOT_S, seen
        for table, kept_s in seen.kept_s.items():
            assert kept_s < (HOT_S if table in HOT else COLD_S), seen

        # the new ones are ready by themselves; each works for the other
        await answers(new, "/readyz", 200)
        second = await new.submit(job)
        for job_id in (first, second):
            assert (await old.ended(job_id))["status"] == "completed"
        await leaves(old_worker)
        assert (await old.ended(await old.submit(job)))["status"] == "completed"  # made by the new one

        # and back: the old image on the new schema
        await leaves(new_worker)
        await old.start("worker")
        third = await new.submit(job)
        assert (await new.ended(third))["status"] == "completed"
        assert (await old.job(third))["outputs"][0]["uri"] == (await new.job(third))["outputs"][0]["uri"]
        assert (await check(dsn)).compatible_from <= before
        await audit.audit(old, delivered=tmp_path)


@dataclass(kw_only=True)
class Pressure:
    """Jobs that were taken, and answers that were none of a healthy server."""

    jobs: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


@asynccontextmanager
async def pressed(platform: Platform, job: dict[str, Any]) -> AsyncIterator[Pressure]:
    """Jobs come, are looked at and cancelled, as fast as one caller can, until the block ends."""
    pressure, enough = Pressure(), asyncio.Event()

    aside = {**job, "queue": ASIDE}  # so that the machine has time for what is measured

    async def press() -> None:
        while not enough.is_set():
            status, answer = await platform.call("POST", "/jobs", json=aside)
            if status != 202:
                pressure.refused.append(status)
                continue
            pressure.jobs.append(int(answer["id"]))
            calls = (("GET", "/jobs"), ("POST", f"/jobs/{answer['id']}/cancel"))
            for method, path in calls:
                status, _ = await platform.call(method, path)
                if status >= 500:  # one that has ended already may not be cancelled
                    pressure.refused.append(status)

    pressing = asyncio.create_task(press())
    try:
        yield pressure
    finally:
        enough.set()  # each job that was begun is cancelled, too
        await pressing


async def test_a_schema_for_newer_programs_alone_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    """After a contract step: an old image waits, not ready, in place of writing what nobody reads any more."""
    async with cluster.ready() as dsn:
        await databases.run(dsn, "INSERT INTO schema_version (version, compatible_from) VALUES (99, 98)")
        platform = Platform(dsn=dsn, folder=tmp_path)
        try:
            await platform.start("api")
            assert "for programs from schema 98 on" in await answers(platform, "/readyz", 503)
            code, said = await done(platform, "migrate", "--check")
            assert (code, "for programs from schema 98 on" in said) == (2, True)
            await databases.run(dsn, "DELETE FROM schema_version WHERE version = 99")
            await answers(platform, "/readyz", 200)
        finally:
            await platform.stop()


async def test_a_role_that_may_not_change_tables_waits_until_somebody_did(cluster: Cluster, tmp_path: Path) -> None:
    """With the rights on rows alone, beside a role that makes the tables: as `docs/operate/upgrades.md` gives them."""
    async with cluster.empty() as dsn:
        user = f"rows_{uuid4().hex[:8]}"
        owner = f"{user}_migrate"
        limited, owners = (
            urlsplit(dsn)._replace(netloc=f"{name}:change-me@{urlsplit(dsn).hostname}:{urlsplit(dsn).port}").geturl()
            for name in (user, owner)
        )
        await databases.run(dsn, *(re.sub(r"\bencoder(?=_migrate\b|\b)", user, each) for each in RIGHTS))
        platform = Platform(dsn=limited, folder=tmp_path, extra={"ENCODER_AUTO_MIGRATE": "false"})
        try:
            await platform.start("api")
            assert "schema 0, need" in await answers(platform, "/readyz", 503)
            await upgrade(owners)
            await answers(platform, "/readyz", 200)
            await platform.start("worker")
            job = await platform.ended(await platform.submit(a_job(tmp_path)))
            assert job["status"] == "completed"
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await databases.run(limited, "ALTER TABLE jobs ADD COLUMN more integer")
        finally:
            await platform.stop()
            await databases.run(dsn, f"DROP OWNED BY {user}, {owner}", f"DROP ROLE {user}, {owner}")
