"""Workers that are killed around the publishing of a package. Lease: 2 s."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

from tests.lab import audit, media
from tests.lab.packages import files_below
from tests.lab.platform import running
from tests.lab.put import Shelf
from tests.lab.turnstile import turnstile
from tests.lab.wire import Exchange

RUNGS = [{"resolution": "180p", "videoBitrate": "300k"}, {"resolution": "90p", "videoBitrate": "100k"}]
LADDER = {"container": "hls", "encoderPreset": "ultrafast", "renditions": RUNGS, "segmentSeconds": 2}


async def test_a_package_that_was_published_but_not_recorded_is_only_written_down(dsn: str, tmp_path: Path) -> None:
    """L11, of many files: nothing is encoded again, for the source is gone by then."""
    out = tmp_path / "out"
    async with running(dsn, tmp_path, workers=0) as platform:
        job_id = await platform.submit(_job(tmp_path, {"kind": "file", "path": f"{out}/"}))
        async with turnstile(platform.dsn) as stile:
            worker = await platform.start("worker")

            async def all_but_one_stand() -> bool:
                return all((out / f"{rung}/iframes.m3u8").exists() for rung in ("180p", "90p"))

            await stile.let_pass_until(all_but_one_stand)
            if not (out / "master.m3u8").exists():  # or its fence was the last that was passed
                await stile.let_pass()
                await stile.somebody_waits()
            await worker.kill()
        (tmp_path / "in.mp4").unlink()
        before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
        await platform.start("worker")
        job = await platform.ended(job_id)
        assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 2)
        assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
        assert files_below(out).keys() == set(job["outputs"][0]["files"])
        await audit.audit(platform)


async def test_a_worker_killed_among_the_segments_leaves_no_manifest_and_is_replaced(dsn: str, tmp_path: Path) -> None:
    """L9, of many files: no player finds a package that is not whole, and the next attempt makes it so."""
    met = asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        await exchange.body(10)
        met.set()
        await exchange.until_closed()

    async with running(dsn, tmp_path) as platform, Shelf() as shelf:
        shelf.scripts["/show/90p/00002.m4s"] = silent
        job_id = await platform.submit(_job(tmp_path, {"kind": "http", "url": shelf.url("/show/"), "method": "PUT"}))
        await met.wait()
        await platform.roles[-1].kill()
        assert not [name for name in shelf.objects if name.endswith(".m3u8")]
        del shelf.scripts["/show/90p/00002.m4s"]
        await platform.start("worker")
        job = await platform.ended(job_id)
        (output,) = job["outputs"]
        assert (job["status"], output["attempts"]) == ("completed", 2)
        assert {name.removeprefix("/show/") for name in shelf.objects} == set(output["files"])
        await audit.audit(platform)


def _job(folder: Path, destination: dict[str, Any]) -> dict[str, Any]:
    source = folder / "in.mp4"
    shutil.copy(media.clip(seconds=5), source)
    return {"source": {"kind": "file", "path": str(source)}, "outputs": [LADDER | {"destination": destination}]}
