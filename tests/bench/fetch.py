"""A worker that fetches a large file over HTTP: its rate against curl's, and its memory above idle."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from encoder.embedded.postgres import Postgres
from tests.bench.measure import memory_bytes, row
from tests.lab import platform

HOST = "127.77.0.1"
MIB = 1024**2
GIB = 1024**3


async def run(gib: str = "2") -> None:
    """`gib`: how large the file is. It is sparse where it comes from, but not where it arrives, twice."""
    size_bytes = int(gib) * GIB
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        source = folder / "large"
        with source.open("wb") as file:
            file.truncate(size_bytes)  # sparse: the disk is not what is measured
        async with (
            _origin(source) as url,
            Postgres(folder / "db").running() as dsn,
            platform.running(dsn, folder, ENCODER_LEASE_SECONDS="60", ENCODER_LOG_LEVEL="warning") as lab,
        ):
            await _measure(lab, url, size_bytes)


@asynccontextmanager
async def _origin(source: Path) -> AsyncIterator[str]:
    async def serve(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(source)

    app = web.Application()
    app.router.add_get("/in.mp4", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, port := platform.free_port())
    await site.start()
    try:
        yield f"http://{HOST}:{port}/in.mp4"
    finally:
        await runner.cleanup()


async def _measure(lab: platform.Platform, url: str, size_bytes: int) -> None:
    worker = lab.roles[1].process
    await asyncio.sleep(2)
    idle = memory_bytes(worker.pid, "VmRSS")
    job_id = await lab.submit({"source": {"kind": "http", "url": url}, "outputs": [{"preset": "h264"}]})
    begun = time.monotonic()
    job = await lab.ended(job_id, within_s=60 + 120 * size_bytes / GIB)
    seconds = time.monotonic() - begun
    assert job["outputs"][0]["error"]["code"] == "unsupported_format", job
    peak = memory_bytes(worker.pid, "VmHWM")
    curl = await _curl(url, lab.folder / "curl")
    name = f"fetch of {size_bytes // GIB} GiB"
    row(f"{name}: worker, to the end of the job", f"{size_bytes / seconds / MIB:,.0f} MiB/s")
    row(f"{name}: curl", f"{size_bytes / curl / MIB:,.0f} MiB/s")
    row("fetch: ratio", f"{curl / seconds:.2f}")
    row("worker memory: peak above idle", f"{(peak - idle) / MIB:.1f} MiB", f"idle {idle / MIB:.0f} MiB; aim under 64")


async def _curl(url: str, target: Path) -> float:
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec("curl", "-sSf", "-o", str(target), url)
    assert await process.wait() == 0
    return time.monotonic() - begun
