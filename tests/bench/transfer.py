"""1 GiB from and to an S3 server, against boto3's s3transfer and the AWS CLI; HTTP and FTP, against curl."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from aiohttp import web

from encoder.model.job import Place
from tests.bench.measure import median, row
from tests.lab import ftpd, platform, rgw
from tests.lab.wire import PUBLIC

SIZE_BYTES = 1024**3
ROUNDS = 3
MIB = 1024 * 1024
PEER = Path(__file__).parent / "peer"
REPOSITORY = Path(__file__).parents[2]
IN_MEMORY = Path("/dev/shm")  # a disk that writes back when it likes is not what is measured
AWS_CLI = "awscli==1.46.2"  # from PyPI, with a botocore of its own

# Seconds that one move of the file takes.
Move: TypeAlias = Callable[[], Awaitable[float]]


async def run() -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = folder / "one-gib"
        await asyncio.to_thread(_fill, file)
        with rgw.gateway(folder / "rgw") as gateway:
            await _s3(gateway, file)
        async with _http_server(folder / "served") as url:
            await _http(url, file)
        with ftpd.ftpd(folder / "ftp") as server:
            await _ftp(server, file)


def _fill(file: Path) -> None:
    """Bytes that nothing on the way can make smaller."""
    with file.open("wb") as out:
        for _ in range(SIZE_BYTES // MIB):
            out.write(os.urandom(MIB))


async def _s3(gateway: rgw.Gateway, file: Path) -> None:
    bucket = gateway.bucket()
    place: Place = {"kind": "s3", "bucket": bucket.name, "path": "one", "region": "us-east-1", **bucket.credentials}
    environ = {
        "AWS_ACCESS_KEY_ID": rgw.KEY_ID,
        "AWS_SECRET_ACCESS_KEY": rgw.KEY_SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": gateway.url,
    }
    far = f"s3://{bucket.name}/one"
    aws = await _aws_cli(file.parent)
    for verb, near in (("put", file), ("get", file.with_name("got"))):
        boto = (sys.executable, str(PEER / "boto.py"), verb, bucket.name, "one", str(near))
        peers: dict[str, Move] = {"s3transfer": partial(_own_words, *boto, environ=environ)}
        if aws is not None:
            names = (str(near), far) if verb == "put" else (far, str(near))
            peers["aws CLI"] = partial(_timed, str(aws), "s3", "cp", "--quiet", *names, environ=environ)
        await _compare(f"S3 {verb} of 1 GiB", verb, place, near, peers, "1.0")


async def _http(url: str, file: Path) -> None:
    got = file.with_name("got")
    for verb, near, curl in (("put", file, ("-T", str(file))), ("get", got, ("-o", str(got)))):
        place: Place = {"kind": "http", "url": url}
        peers = {"curl": partial(_timed, "curl", "-sSf", *curl, url, environ={})}
        await _compare(f"HTTP {verb} of 1 GiB", verb, place, near, peers, "0.9")


async def _ftp(server: ftpd.Ftpd, file: Path) -> None:
    got, netrc = file.with_name("got"), file.with_name("netrc")
    netrc.write_text(f'machine {server.host} login {ftpd.USER} password "{ftpd.PASSWORD}"')
    place = server.members("one.mp4") | {"host": server.host}
    url = f"ftp://{server.host}:{server.plain}/one.mp4"
    for verb, near, curl in (("put", file, ("-T", str(file))), ("get", got, ("-o", str(got)))):
        peers = {"curl": partial(_timed, "curl", "-sSf", "--netrc-file", str(netrc), *curl, url, environ={})}
        await _compare(f"FTP {verb} of 1 GiB", verb, place, near, peers, "0.9")


async def _compare(  # one line of the report
    what: str, verb: str, place: Place, near: Path, peers: Mapping[str, Move], aim: str
) -> None:
    """Rounds of all, one after the other: what drifts meets each of them."""
    ours: list[float] = []
    above_idle: list[int] = []
    theirs: dict[str, list[float]] = {peer: [] for peer in peers}
    for _ in range(ROUNDS):
        _clear(verb, near)
        moved = json.loads(await _output(sys.executable, "-m", "tests.bench.mover", verb, json.dumps(place), str(near)))
        ours.append(moved["seconds"])
        above_idle.append(moved["above_idle"])
        for peer, move in peers.items():
            _clear(verb, near)
            theirs[peer].append(await move())
    _clear(verb, near)
    row(f"{what}: ours", f"{SIZE_BYTES / median(ours) / MIB:,.0f} MiB/s")
    for peer, seconds in theirs.items():
        ratio = median([other / own for own, other in zip(ours, seconds, strict=True)])
        row(f"{what}: {peer}", f"{SIZE_BYTES / median(seconds) / MIB:,.0f} MiB/s", f"ratio {ratio:.2f}, aim {aim}")
    row(f"{what}: memory above idle", f"{max(above_idle) / MIB:.0f} MiB", "aim under 96")


def _clear(verb: str, near: Path) -> None:
    if verb == "get":
        near.unlink(missing_ok=True)


@asynccontextmanager
async def _http_server(held: Path) -> AsyncIterator[str]:
    """An address that keeps what is put there, and serves it."""

    async def put(request: web.Request) -> web.Response:
        with held.open("wb") as out:
            async for piece in request.content.iter_chunked(MIB):
                out.write(piece)
        return web.Response(status=201)

    async def get(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(held)

    app = web.Application(client_max_size=2 * SIZE_BYTES)
    app.router.add_put("/one.mp4", put)
    app.router.add_get("/one.mp4", get)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, PUBLIC, port := platform.free_port()).start()
    try:
        yield f"http://{PUBLIC}:{port}/one.mp4"
    finally:
        await runner.cleanup()


async def _aws_cli(folder: Path) -> Path | None:
    """The CLI in an environment of its own; None where it cannot be had."""
    room = folder / "aws"
    try:
        await _output(sys.executable, "-m", "venv", "--without-pip", str(room))
        await _output(sys.executable, "-m", "pip", "--python", str(room / "bin" / "python"), "install", "-qq", AWS_CLI)
    except ChildProcessError:
        row("aws CLI", "not measured", "it could not be installed")
        return None
    return room / "bin" / "aws"


async def _timed(*argv: str, environ: Mapping[str, str]) -> float:
    """Seconds of a whole command, its start included."""
    begun = time.perf_counter()
    await _output(*argv, environ=environ)
    return time.perf_counter() - begun


async def _own_words(*argv: str, environ: Mapping[str, str]) -> float:
    """Seconds as the command itself measures them, its start left out."""
    return float(await _output(*argv, environ=environ))


async def _output(*argv: str, environ: Mapping[str, Any] | None = None) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=REPOSITORY, env=os.environ | (environ or {}), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise ChildProcessError(f"{argv[0]} ended with {process.returncode}")
    return output
