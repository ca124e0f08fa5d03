"""Jobs whose sources and destinations misbehave, seen from outside: what they end in, and at which attempt."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from encoder.ffmpeg import box
from tests.lab import audit, media
from tests.lab.canary import Canary
from tests.lab.databases import ask, is_mysql
from tests.lab.hook import Hook
from tests.lab.origin import Served, answering, redirecting
from tests.lab.platform import REPOSITORY, WEBHOOK_SECRET, running, until
from tests.lab.put import Shelf, refusing_late
from tests.lab.wire import Script, Server

QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}

needs_landlock = pytest.mark.skipif(not box.landlock_abi(), reason="this kernel offers no Landlock")


async def test_what_no_further_try_can_cure_fails_at_attempt_1_and_says_what_it_is(dsn: str, tmp_path: Path) -> None:
    """J1, C7"""
    ends: dict[str, tuple[Script, str]] = {
        "/401": (answering(401, then=_never), "source_auth_failed"),
        "/403": (answering(403, then=_never), "source_auth_failed"),
        "/404": (answering(404, then=_never), "source_not_found"),
        "/410": (answering(410, then=_never), "source_gone"),
        "/loop": (redirecting("/loop"), "too_many_redirects"),
    }
    async with Canary() as canary, running(dsn, tmp_path) as platform, Server() as origin:
        ends["/away"] = (redirecting(canary.url()), "redirect_not_allowed")
        ends["/file"] = (redirecting("file:///etc/passwd"), "redirect_not_allowed")
        origin.scripts = {path: script for path, (script, _) in ends.items()}
        jobs = {path: await platform.submit(_job(origin.url(path), QUICK)) for path in ends}
        for path, job_id in jobs.items():
            (output,) = (await platform.ended(job_id))["outputs"]
            assert (output["error"]["code"], output["attempts"]) == (ends[path][1], 1), path
        assert len(origin.seen) == len(ends) + 5
    await audit.audit(platform)


async def _never(_exchange: object) -> None:
    pytest.fail("it was asked again")


async def test_what_passes_is_waited_for_within_the_attempt(dsn: str, tmp_path: Path) -> None:
    """J2, and the same at the destination."""
    served, statuses = Served(data=media.clip().read_bytes()), (429, 500, 502, 503)
    async with (
        running(dsn, tmp_path, ENCODER_WORKER_SLOTS="4") as platform,
        Server(scripts={f"/{status}": answering(status, status, then=served) for status in statuses}) as origin,
        Shelf(faults=[refusing_late(503)]) as shelf,
    ):
        jobs = [
            await platform.submit(_job(origin.url(f"/{status}"), {**QUICK, **_put(shelf, f"{status}.mp4")}))
            for status in statuses
        ]
        for job_id in jobs:
            job = await platform.ended(job_id)
            assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 1), job["outputs"][0]["error"]
        assert sorted(shelf.digests()) == [f"/{status}.mp4" for status in statuses]
    await audit.audit(platform)


async def test_one_of_three_outputs_fails_for_good_and_everybody_is_told_which(dsn: str, tmp_path: Path) -> None:
    """J17"""
    async with (
        running(dsn, tmp_path) as platform,
        Server(scripts={"/in.mp4": Served(data=media.clip().read_bytes())}) as origin,
        Shelf(scripts={"/1.mp4": refusing_late(403)}) as shelf,
        Hook() as hook,
    ):
        outputs = [{**QUICK, "width": 320 - 2 * n, **_put(shelf, f"{n}.mp4")} for n in range(3)]
        job_id = await platform.submit(_job(origin.url("/in.mp4"), *outputs) | {"notificationUrl": hook.url("/told")})
        job = await platform.ended(job_id)

        async def all_are_told() -> bool:
            return len(hook.told) == len({"submitted", "processing", "uploaded", "uploaded again", "failed", "job"})

        await until(all_are_told, within_s=20)
    assert job["status"] == "failed"
    assert [output["status"] for output in job["outputs"]] == ["uploaded", "failed", "uploaded"]
    assert job["outputs"][1]["error"]["code"] == "destination_auth_failed"
    assert shelf.digests() == {f"/{n}.mp4": job["outputs"][n]["sha256"] for n in (0, 2)}
    told = {told.id: told.verified(WEBHOOK_SECRET) for told in hook.told}.values()
    for type_, numbers in (("output.uploaded", [0, 2]), ("output.failed", [1])):
        assert sorted(event["data"]["output"] for event in told if event["type"] == type_) == numbers
    (last,) = (event["data"]["job"] for event in told if event["type"] == "job.failed")
    assert [output["status"] for output in last["outputs"]] == ["uploaded", "failed", "uploaded"]
    await audit.audit(platform)


@needs_landlock
@pytest.mark.both_databases
async def test_a_worker_writes_nowhere_but_into_its_scratch_and_what_it_delivers_to(dsn: str, tmp_path: Path) -> None:
    """G9 of security.md: a whole job by a worker that could not write elsewhere."""
    source = tmp_path / "in.mp4"
    source.write_bytes(media.clip().read_bytes())
    async with running(dsn, tmp_path, workers=0) as platform:
        folders = (platform.scratch, platform.storage)
        for folder in folders:
            folder.mkdir(exist_ok=True)
        walled = ("-m", "tests.lab.walled", ":".join(map(str, folders)))
        address = await by_socket(dsn)  # the walls let no TCP through
        await platform.start("worker", program=walled, PYTHONPATH=str(REPOSITORY), ENCODER_DATABASE_URL=address)
        place = {"kind": "file", "path": str(source)}
        job = await platform.ended(await platform.submit({"source": place, "outputs": [QUICK]}))
        assert job["status"] == "completed", job
        elsewhere = {"destination": {"kind": "file", "path": str(tmp_path / "elsewhere.mp4")}}
        job = await platform.ended(await platform.submit({"source": place, "outputs": [QUICK | elsewhere]}))
        assert job["outputs"][0]["error"]["code"] == "destination_auth_failed"  # the wall stands
    await audit.audit(platform, delivered=platform.storage)


async def by_socket(dsn: str) -> str:
    """The same database, reached without TCP."""
    parts = urlsplit(dsn)
    if is_mysql(dsn):
        ((_, socket),) = await ask(dsn, "SHOW VARIABLES LIKE 'socket'")
        return parts._replace(query=urlencode({"socket": socket})).geturl()
    ((folder,),) = await ask(dsn, "SHOW unix_socket_directories")
    query = urlencode({"host": folder, "port": parts.port})
    return parts._replace(netloc=f"{parts.username}:{parts.password}@", query=query).geturl()


def _job(url: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"source": {"kind": "http", "url": url}, "outputs": list(outputs)}


def _put(shelf: Shelf, name: str) -> dict[str, Any]:
    return {"destination": {"kind": "http", "url": shelf.url(f"/{name}")}}
