"""A platform with a job of every state, as the dashboard has to show them: real processes, real encodes, tiny clips.

What stands still is to be looked at; who changes anything submits a job of his own, for which a slot is free.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.lab import media
from tests.lab.hook import Hook
from tests.lab.keyed import a_key
from tests.lab.platform import Platform, Role, free_port, running
from tests.lab.processes import PROC, below
from tests.lab.put import Shelf
from tests.lab.wire import Exchange, Script

FAST = {"encoderPreset": "ultrafast", "height": 90}
SHOWN_SHARE = 0.3  # of the encode that goes on and on, when it is first looked at
DRIP_S, PAUSE_S = 0.005, 2.0  # then it runs so long after each pause
MARKUP = '<img src=x onerror="alert(1)">'
ODD = f"{MARKUP}\u202egpj.\u200b&amp;'\"`${{7*7}}{{{{7*7}}}}"  # markup, bidi, what has no width, templates
LONG = "The whole afternoon at the lake with everybody who came, second camera, uncut " * 3
LADDER = {
    "preset": "hls", "encoderPreset": "ultrafast", "segmentSeconds": 1,
    "renditions": [{"resolution": "180p", "videoBitrate": "300k"}, {"resolution": "90p", "videoBitrate": "100k"}],
}  # fmt: skip
STORY = {"preset": "storyboard", "thumbnails": {"every": 0.5, "sprite": {"columns": 2, "rows": 2}}}


@dataclass(frozen=True, kw_only=True)
class Showcase:
    """`jobs`: ids by what each shows. `hook`: takes webhooks at `/good`, and refuses them at `/bad`.

    `worker`: the id of one. `folder`: files below may be named as sources. `locked`: the origin of an API of the same
    platform that asks for keys; `key` opens everything there.
    """

    platform: Platform
    hook: Hook
    jobs: Mapping[str, int]
    worker: str
    folder: Path
    locked: str
    key: str

    @property
    def url(self) -> str:
        return self.platform.url


@asynccontextmanager
async def showcase(
    dsn: str, folder: Path, *, clip: Path | None = None, height: int = 90, **settings: str
) -> AsyncIterator[Showcase]:
    """Seeded, and gone with the block. A worker has been lost, and the queue `archive` is paused.

    `clip`, `height`: what most jobs read, and how high most outputs are, for who wants to see more than that it works.
    """
    queues = {"ENCODER_WORKER_QUEUES": "encode,io,archive", "ENCODER_WORKER_SLOTS": "2"}
    async with (
        Shelf() as shelf,
        Hook() as hook,
        running(dsn, folder, workers=0, hasty=True, **{**queues, **settings}) as platform,
    ):
        shelf.scripts["/refused.mp4"] = _answering(403)
        hook.scripts["/bad"] = _answering(503)
        worker = await platform.start("worker")
        lost = await platform.start("worker", ENCODER_WORKER_QUEUES="io")
        await _settings(platform, hook)
        made = _sources(folder, clip or media.clip(seconds=1.5))
        jobs = await _jobs(platform, made, shelf, hook, height=height)
        jobs["processing"] = await platform.submit(_slow(folder))
        dripping = asyncio.create_task(_drip(await _half_way(platform, worker, jobs["processing"])))
        await lost.kill()
        locked, key = await _locked(platform), await a_key(dsn)
        (first, *_) = (await platform.call("GET", "/workers"))[1]["workers"]
        try:
            yield Showcase(
                platform=platform, hook=hook, jobs=jobs, worker=first["id"], folder=folder, locked=locked, key=key
            )
        finally:
            dripping.cancel()


async def _locked(platform: Platform) -> str:
    """Another API of it, ready."""
    door = replace(platform, port=free_port(), extra={**platform.extra, "ENCODER_AUTH": "keys"})
    await door.start_api()
    return door.url


async def _jobs(
    platform: Platform, sources: Mapping[str, Path], shelf: Shelf, hook: Hook, *, height: int
) -> dict[str, int]:
    """All but the one that goes on."""
    quick = {"preset": "h264", **FAST, "height": height}
    good, bad = hook.url("/good"), hook.url("/bad")
    refused = {"kind": "http", "url": shelf.url("/refused.mp4"), "method": "PUT"}
    wanted: dict[str, dict[str, Any]] = {
        "completed": _job(sources["holiday"], quick, notificationUrl=good)
        | {"tags": ["trailer", "summer"], "metadata": {"orderId": "42", "customer": {"name": "Acme"}}},
        "package": _job(sources["holiday"], LADDER, quick, tags=["trailer"]),
        "storyboard": _job(sources["holiday"], STORY, {"container": "jpg", "width": 160}),
        "failed": _job(sources["broken"], {"preset": "h264"}, notificationUrl=bad, tags=["trailer"]),
        "half": _job(sources["phone"], quick, {**quick, "destination": refused}),
        "hostile": _job(sources["hostile"], quick, tags=[ODD]) | {"metadata": {"said": ODD, "deep": [{"said": ODD}]}},
        "long": _job(sources["long"], *(quick for _ in range(3)), notificationUrl=good)
        | {"tags": [f"tag-{number}" for number in range(20)], "metadata": {"text": LONG}},
        "queued": _job(sources["phone"], {"preset": "h264"}, queue="archive", priority=9),
        "cancelled": _job(sources["phone"], {"preset": "h264"}, queue="archive", notificationUrl=good),
    }
    jobs = {name: await platform.submit(job) for name, job in wanted.items()}
    await _told(platform, "POST", f"/jobs/{jobs['cancelled']}/cancel")
    for name, status in {"failed": "failed", "half": "failed"}.items():
        ended = await platform.ended(jobs[name])
        assert ended["status"] == status, json.dumps(ended, indent=1)
    for name in ("completed", "package", "storyboard", "hostile", "long"):
        ended = await platform.ended(jobs[name])
        assert ended["status"] == "completed", json.dumps(ended["outputs"], indent=1)
    return jobs


async def _settings(platform: Platform, hook: Hook) -> None:
    """What people have set up: a queue that is paused, who is told, presets, rules."""
    bucket = {"bucket": "media", "prefix": "in/", "access_key_id": "AKIDLAB", "access_key_secret": "s3cret"}
    rule = {"source": bucket, "outputs": [{"preset": "hls", "path": "{dir}/{name}_hls/"}]}
    await _told(platform, "PUT", "/presets/studio-90p", {"members": {"preset": "h264", "crf": 21, **FAST}})
    await _told(platform, "PUT", "/webhooks/endpoints/orders", {"url": hook.url("/good"), "events": ["job.completed"]})
    await _told(platform, "PUT", "/webhooks/endpoints/alarm", {"url": hook.url("/bad"), "events": ["job.failed"]})
    await _told(platform, "PUT", "/ingest/rules/videos", rule)
    async with asyncio.timeout(20):  # a queue is known once a worker that takes from it has started
        while (await platform.call("POST", "/queues/archive/pause?because=The%20shelf%20is%20full"))[0] != 200:
            await asyncio.sleep(0.05)


def _job(source: Path, *outputs: dict[str, Any], **members: object) -> dict[str, Any]:
    return {"source": {"kind": "file", "path": str(source)}, "outputs": list(outputs), **members}


def _sources(folder: Path, clip: Path) -> dict[str, Path]:
    named = {
        "holiday": "holiday.mp4",
        "phone": "IMG_2041.mov",
        "hostile": ODD.replace("/", "") + ".mp4",
        "long": f"{LONG[:196]}.mp4",
    }
    made = {name: Path(shutil.copy(clip, folder / file)) for name, file in named.items()}
    broken = folder / "clip-7.mov"
    broken.write_bytes(b"no film at all\n" * 100)
    return {**made, "broken": broken}


def _slow(folder: Path) -> dict[str, Any]:
    clip = media.made(
        "slow.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=60", "-c:v", "libx264", "-preset", "ultrafast"
    )
    source = Path(shutil.copy(clip, folder / "concert.mp4"))
    return _job(source, {"preset": "h264", "encoderPreset": "medium"}, {"preset": "h264", **FAST}, tags=["live"])


async def _half_way(platform: Platform, worker: Role, job_id: int) -> Sequence[int]:
    """The encoders of a job that is so far, and that stand still from now on."""
    async with asyncio.timeout(60):
        while True:
            job = await platform.job(job_id)
            assert job["status"] in {"queued", "processing"}, json.dumps(job, indent=1)
            if (job["outputs"][0].get("progress") or 0) >= SHOWN_SHARE:
                break
            await asyncio.sleep(0.05)
    encoders = [process for process in below(worker.process.pid) if _is_ffmpeg(process)]
    _signal(encoders, signal.SIGSTOP)
    return encoders


async def _drip(encoders: Sequence[int]) -> None:
    """An encode that stands still for two minutes would be ended, and one that is left alone is soon done."""
    while True:
        await asyncio.sleep(PAUSE_S)
        _signal(encoders, signal.SIGCONT)
        await asyncio.sleep(DRIP_S)
        _signal(encoders, signal.SIGSTOP)


def _signal(processes: Sequence[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


def _is_ffmpeg(process: int) -> bool:
    with suppress(OSError):
        return (PROC / str(process) / "exe").readlink().name.startswith("ffmpeg")
    return False


def _answering(status: int) -> Script:
    """With what a page must not take for its own."""

    async def script(exchange: Exchange) -> None:
        if exchange.request.method == "PUT":
            await exchange.body()
        await exchange.answer(status, ODD.encode(), {"Content-Type": "text/html"})

    return script


async def _told(platform: Platform, method: str, path: str, body: object = None) -> None:
    status, answer = await platform.call(method, path, json=body)
    assert status < 300, (status, answer)
