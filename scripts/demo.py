"""A real job from POST to proven files, and nothing left running: `make demo [INPUT=path-or-url]`.

Starts `encoder up` on a free port with a database of its own, posts one job with two outputs over HTTP, shows how it
gets on, says what stands where and why it is right, and stops everything. The files stay in .encoder/demo.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiohttp
import click
import imageio_ffmpeg

from encoder.cli import exits, place, report, views, watch
from encoder.cli.client import Client
from encoder.cli.refused import Object, Refused, Unreachable
from encoder.cli.session import Out, tell
from encoder.cli.text import clean, count, duration, size
from encoder.model.base import Json, from_json

RESULTS = Path(".encoder/demo").absolute()
START_S = 60
STOP_S = 30


class Broken(Exception):
    """The demo cannot go on; the message says why."""


async def main(asked: str | None) -> int:
    stop_on_signals()
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="encoder-demo-") as folder:
        source = local(asked or str(await make_clip(Path(folder) / "clip.mp4")))
        async with serving(Path(folder) / "data", roots(source)) as url, Client(url) as client:
            return await encode(client, source)


def stop_on_signals() -> None:
    """Ctrl-C, a closed terminal or a kill: what was started is stopped all the same."""
    this = asyncio.current_task()
    assert this  # noqa: S101  # we run in it
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, this.cancel)


async def make_clip(path: Path) -> Path:
    """Ten seconds of a moving test picture with a tone."""
    print("Making a clip of ten seconds …")
    inputs = "-f lavfi -i testsrc2=size=1920x1080:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000"
    codecs = "-t 10 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
    ffmpeg = os.environ.get("ENCODER_FFMPEG") or imageio_ffmpeg.get_ffmpeg_exe()
    process = await asyncio.create_subprocess_exec(
        ffmpeg, "-nostdin", "-v", "error", *inputs.split(), *codecs.split(), str(path)
    )
    if await process.wait() != 0:
        raise Broken("ffmpeg could not make the clip")
    return path


def local(source: str) -> str:
    """A local source without links: the server follows none."""
    return source if place.is_url(source) else str(Path(source).resolve())


def roots(source: str) -> list[Path]:
    """The folders that the server may touch: the results', and the one in which a local source lies."""
    return [RESULTS] if place.is_url(source) else [RESULTS, Path(source).parent]


@asynccontextmanager
async def serving(data: Path, file_roots: list[Path]) -> AsyncIterator[str]:
    """The whole platform in a process of its own, from ready to stopped; its log is shown if it does not start."""
    port = free_port()
    with tempfile.TemporaryFile("w+b") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "encoder", "up", "--port", str(port), "--data", str(data)),
            env={**os.environ, "ENCODER_FILE_ROOTS": ",".join(map(str, file_roots)), "ENCODER_HOST": "127.0.0.1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            await ready(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        except Broken:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-4000:])
            raise
        finally:
            await stop(process)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def ready(url: str, process: asyncio.subprocess.Process) -> None:
    print("Starting: encoder up …")
    began = time.monotonic()
    async with aiohttp.ClientSession() as session:
        while not await answers(session, f"{url}/readyz"):
            if process.returncode is not None:
                raise Broken(f"encoder up ended with {process.returncode}")
            if time.monotonic() - began > START_S:
                raise Broken(f"encoder up is not ready after {START_S} s")
            await asyncio.sleep(0.05)
    print(f"Ready after {duration(time.monotonic() - began)}. Until it ends, the dashboard is at {url}")


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.ok
    except aiohttp.ClientError:
        return False


async def stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGINT)  # as somebody at the keyboard would: no proxy must learn of it first
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Broken(f"encoder up did not stop within {STOP_S} s of SIGINT") from None


def the_job(source: Object) -> Object:
    outputs: list[Json] = [
        {"preset": "h264", "height": 720, "destination": {"kind": "file", "path": str(RESULTS / "720p.mp4")}},
        {"preset": "vp9", "height": 360, "destination": {"kind": "file", "path": str(RESULTS / "360p.webm")}},
    ]
    return {"source": source, "outputs": outputs}


async def encode(client: Client, source: str) -> int:
    job_id = str((await client.submit(the_job(place.source(source, client.url))))["id"])
    print(f"Posted job {job_id}: {clean(source)}")
    out = Out(as_json=False, quiet=False, bars=sys.stderr.isatty(), url=client.url)
    job = from_json(views.Job, await watch.last(client, out, job_id))
    ending = report.ending(job)
    told = ending[:1] if job.status == "completed" else ending  # where it stands is told with its proof
    print("\n".join([*results(job), *report.warnings(job), *told]))
    print("\nTo stay and see it in a browser: make run, then http://127.0.0.1:8080")
    return exits.of_job(job.status) if proven(job) else exits.FAILED


def results(job: views.Job) -> Iterator[str]:
    for output in job.outputs:
        if output.uri and output.proof:
            passed = len(output.proof.checks) - len(output.proof.failed)
            path = unquote(urlsplit(output.uri).path)
            yield f"\n{clean(path)}"
            yield f"  {size(output.size_bytes)}, {output.width}×{output.height}, sha256 {output.sha256}"
            yield f"  proof: {passed} of {count(len(output.proof.checks), 'check')} passed"
            yield f"  times: {report.timings(output.timings)}"
    yield ""


def proven(job: views.Job) -> bool:
    """Each file stands where it was asked for, as large as it was told, and its proof has passed."""
    for output, name in zip(job.outputs, ("720p.mp4", "360p.webm"), strict=True):
        path = RESULTS / name
        if not (output.proof and output.proof.passed and path.is_file() and path.stat().st_size == output.size_bytes):
            return False
    return True


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a text stream; two streams, one order
    try:
        sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None)))
    except asyncio.CancelledError:
        sys.exit(exits.INTERRUPTED)
    except Refused as error:
        sys.exit(tell(error, as_json=False))
    except (Broken, Unreachable, click.UsageError) as error:
        sys.exit(f"demo: {clean(error)}")
