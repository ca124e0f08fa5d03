"""Workers that are killed around a publish: what they leave, and what the next attempt makes of it. Lease: 2 s."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lab import audit, media
from tests.lab.platform import Platform, running
from tests.lab.put import Shelf
from tests.lab.turnstile import Turnstile, turnstile

QUICK = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}


@pytest.mark.parametrize("place", ["file", "storage"])
async def test_an_object_that_was_published_but_not_recorded_is_only_written_down(
    place: str, dsn: str, tmp_path: Path
) -> None:
    """L11: the object is what the intent promised. Nothing is encoded: the source is gone by then."""
    async with running(dsn, tmp_path, workers=0) as platform:
        async with killed_at_the_fence(platform, destination(place, tmp_path)) as (job_id, stile):
            await published(stile)
            assert await status(platform, job_id) == "uploading"
        (object_,) = objects(platform)
        before = object_.stat()
        source(platform).unlink()
        await platform.start("worker")
        output = completed(await platform.ended(job_id))
        after = object_.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
        assert (output["attempts"], output["sizeBytes"]) == (2, before.st_size)
        await audit.audit(platform, delivered=platform.storage)


@pytest.mark.parametrize("deed", ["changed", "removed"])
async def test_what_stands_there_and_is_not_what_was_promised_is_made_again(
    deed: str, dsn: str, tmp_path: Path
) -> None:
    """L11: other bytes of the same size are another object."""
    async with running(dsn, tmp_path, workers=0) as platform:
        async with killed_at_the_fence(platform, destination("file", tmp_path)) as (job_id, stile):
            await published(stile)
        (object_,) = objects(platform)
        if deed == "changed":
            object_.write_bytes(bytes(byte ^ 1 for byte in object_.read_bytes()))
        else:
            object_.unlink()
        await platform.start("worker")
        output = completed(await platform.ended(job_id))
        assert (objects(platform), output["attempts"]) == ([object_], 2)
        await audit.audit(platform, delivered=platform.storage)


async def test_an_object_whose_checksum_nobody_tells_is_sent_again(dsn: str, tmp_path: Path) -> None:
    """L11: a size alone proves nothing."""
    async with running(dsn, tmp_path, workers=0) as platform, Shelf() as shelf:
        place = {"kind": "http", "url": shelf.url("/out.mp4"), "method": "PUT"}
        async with killed_at_the_fence(platform, place) as (job_id, stile):
            await published(stile)
            assert list(shelf.objects) == ["/out.mp4"]
        await platform.start("worker")
        output = completed(await platform.ended(job_id))
        assert [request.method for request in shelf.seen if request.method != "HEAD"] == ["PUT", "PUT"]
        assert shelf.digests() == {"/out.mp4": output["sha256"]}
        await audit.audit(platform)


@pytest.mark.parametrize("place", ["file", "storage"])
async def test_what_a_killed_worker_left_half_published_is_removed_by_the_next_attempt(
    place: str, dsn: str, tmp_path: Path
) -> None:
    """L9, L10: all bytes are written, but under no final name. The intent tells under which."""
    async with running(dsn, tmp_path, workers=0) as platform:
        async with killed_at_the_fence(platform, destination(place, tmp_path)) as (job_id, _):
            pass
        (part,) = objects(platform)
        assert part.suffix == ".part"
        await platform.start("worker")
        output = completed(await platform.ended(job_id))
        (object_,) = objects(platform)
        assert (object_.suffix, object_.stat().st_size) == (".mp4", output["sizeBytes"])
        await audit.audit(platform, delivered=platform.storage)


@asynccontextmanager
async def killed_at_the_fence(platform: Platform, place: dict[str, Any] | None) -> AsyncIterator[tuple[int, Turnstile]]:
    """A job whose worker is held up at its last look at the lease before the act that makes the object visible.

    It dies by SIGKILL when the block ends, wherever it is held up by then.
    """
    source(platform).write_bytes(media.clip().read_bytes())
    output = QUICK if place is None else QUICK | {"destination": place}
    job = {"source": {"kind": "file", "path": str(source(platform))}, "outputs": [output]}
    job_id = await platform.submit(job)
    async with turnstile(platform.dsn) as stile:
        worker = await platform.start("worker")

        async def intends() -> bool:
            return await status(platform, job_id) == "uploading"

        await stile.let_pass_until(intends)
        yield job_id, stile
        await worker.kill()


async def published(stile: Turnstile) -> None:
    """Past the fence and the publish, up to the write that would record it."""
    await stile.let_pass()
    await stile.somebody_waits()


def source(platform: Platform) -> Path:
    return platform.folder / "in.mp4"


def destination(place: str, folder: Path) -> dict[str, Any] | None:
    return None if place == "storage" else {"kind": "file", "path": str(folder / "out" / "clip.mp4")}


def objects(platform: Platform) -> list[Path]:
    """All that stands where outputs go, half-written or whole; without what is kept to look at beside them."""
    found = [path for folder in (platform.folder / "out", platform.storage) for path in folder.rglob("*")]
    return [path for path in found if path.is_file() and "evidence" not in path.parts]


async def status(platform: Platform, job_id: int) -> str:
    return str((await platform.job(job_id))["outputs"][0]["status"])


def completed(job: dict[str, Any]) -> dict[str, Any]:
    """The one output of a job that went well."""
    assert job["status"] == "completed", job
    return dict(job["outputs"][0])
