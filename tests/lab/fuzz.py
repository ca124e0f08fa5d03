"""Throws bytes at the front that are nearly HTTP: `python -m tests.lab.fuzz [--seconds 600] [--seed 7] [--shot 123]`.

Whatever comes in, each connection must be answered in our own form or closed, within the server's limits; no answer is
a 5xx, nothing is logged as an error, and when all have left nobody is still busy with them. Shot N of a seed is always
the same bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import logging
import random
import re
import shutil
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, takewhile
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from unittest import mock

import structlog

from encoder.api import body, inflow, server
from encoder.store.engines import open_store
from tests.lab import postgres
from tests.lab.api import Api, running

SHORT_S = 0.2  # the server's limits meanwhile
ENOUGH_S = 10.0  # for any connection: many times those limits
CROWD = 48  # connections at a time
_HEAD = re.compile(rb"HTTP/1\.[01] (\d{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "")
PATHS = (
    "/jobs", "/jobs/{}", "/jobs/{}/events", "/jobs/{}/cancel", "/jobs/{}/retry", "/jobs/{}/outputs/{}/log", "/probe",
    "/jobs/bulk", "/jobs/{}/timeline", "/jobs/{}/outputs/{}/tail",
    "/upload", "/upload/{}/status", "/presets", "/presets/{}", "/workers", "/stats", "/queues/{}/pause",
    "/queues/{}/resume", "/dead", "/dead/redrive", "/webhooks/deliveries", "/webhooks/deliveries/{}/replay",
    "/storage/{}", "/folders/{}/{}", "/events", "/upload/tus/{}", "/webhooks/endpoints", "/webhooks/endpoints/{}",
    "/ingest/rules", "/ingest/rules/{}", "/compat/elastictranscoder/pipelines/{}",
    "/compat/elastictranscoder/2012-09-25/jobs/{}", "/compat/coconut/jobs/{}", "/quotas", "/tenants/{}/usage",
    "/livez", "/health", "/openapi.json", "/docs/errors", "/metrics", "/", "/ui/jobs/{}", "/static/{}", "/{}", "*",
    "http://{}/jobs", "//{}", "{}",
)  # fmt: skip
TAKING = (  # a body
    "/jobs", "/jobs/bulk", "/probe", "/upload", "/upload/tus", "/ingest/s3", "/compat/elastictranscoder/jobs",
    "/compat/coconut/jobs",
)  # fmt: skip
CALLS = (
    *(f"POST {path}" for path in TAKING * 4),
    *(f"GET {path}" for path in PATHS[: PATHS.index("/ui/jobs/{}") + 1]),
    *(f"PUT {path}" for path in ("/presets/{}", "/webhooks/endpoints/{}", "/ingest/rules/{}")),
    *(f"DELETE {path}" for path in ("/jobs/{}", "/presets/{}", "/webhooks/endpoints/{}", "/ingest/rules/{}")),
    "PATCH /upload/tus/{}",
)
WORDS = (
    "1", "1", "0", "encode", "encoder.css", "0191b2c4-0000-7000-8000-000000000001", "-1", "9" * 18, "9" * 40, "%00",
    "%ff",
    "%ED%A0%80", "..", "%2e%2e%2f", "é", "%F0%9F%8E%AC", "a" * 300, "a" * 9000, "'", "%27%20OR%201=1", "{id}", ";", "*",
    "\x00", "\x7f", "a b", "127.0.0.1", "[::1", "%", "%zz", "?", "#", "\\", "@",
)  # fmt: skip
NAMES = (
    "limit", "status", "q", "tag", "createdAfter", "createdBefore", "cursor", "dryRun", "after", "because", "code",
    "class", "failedAfter", "job", "expires", "name", "signature", "size", "type", "before", "x",
)  # fmt: skip
VALUES = (
    *WORDS, "true", "queued", "queued,failed", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00%2B14:00", "1e9",
    "permanent", "AAAA", "",
)  # fmt: skip
HEADERS = {
    "Host": ("127.0.0.1", "127.0.0.1", "localhost:80", "evil.test", "", "[::1", "a@b", "127.0.0.1, 127.0.0.1"),
    "Content-Type": (
        "application/json",
        "application/json",
        "text/plain",
        "application/json; charset=x",
        "video/mp4",
        ";",
    ),
    "Content-Length": ("0", "2", "5", "100", "-1", "+1", "0x10", "1 1", "9" * 30, "", "16777217"),
    "Transfer-Encoding": ("chunked", "chunked", "gzip, chunked", "chunked, chunked", "identity", "xchunked", ""),
    "Content-Encoding": ("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", ""),
    "Connection": ("close", "keep-alive", "upgrade", "Upgrade, close", ""),
    "Upgrade": ("websocket", "h2c", ""),
    "Expect": ("100-continue", "200-ok", ""),
    "Accept": ("*/*", "application/json", "\xff", ""),
    "Authorization": ("Bearer x", "Bearer ключ", "Basic eA==", "Bearer", "Bearer " + "a" * 7000, "\x00"),
    "Idempotency-Key": ("k", '"k"', "", "ключ", "k" * 256),
    "Range": ("bytes=0-0", "bytes=9-1", "bytes=99999999999999999999-", "bytes=-0", "lines=1", "bytes=0-0,2-3"),
    "If-Range": ('"x"', "Tue, 01 Jan 2030 00:00:00 GMT", "x"),
    "If-Modified-Since": ("Tue, 01 Jan 2030 00:00:00 GMT", "x", "Tue, 01 Jan 99999 00:00:00 GMT"),
    "If-None-Match": ("*", '"x"', "W/x"),
    "Origin": ("http://127.0.0.1", "null", "http://evil.test", "\xff"),
    "Cookie": ("a=b", "=", ";;", "a=" + "b" * 5000),
    "Last-Event-ID": ("1", "-1", "x"),
    "X-Forwarded-For": ("10.0.0.1", "'"),
    "": ("x",),
    "a b": ("x",),
    "a\x00b": ("x",),
    " folded": ("x",),
}
# with these a request may still be right
TAME = ("Accept", "Authorization", "Connection", "Cookie", "If-None-Match", "Last-Event-ID", "Range", "X-Forwarded-For")
JOB = {"source": {"url": "https://media.example.com/a"}, "outputs": [{"preset": "h264"}], "metadata": {"a": [1, "é"]}}
BODIES = (
    json.dumps(JOB).encode(), json.dumps(JOB).encode(), json.dumps({"file_name": "a.mp4"}).encode(), b"", b"{", b"{}",
    b"[" * 5000, b'{"a":1e999}', b'{"a":NaN}', rb'{"a":"\ud800"}', b'{"a":"\x00"}', b"\xff\xfe{\x00}\x00", b"1" * 5000,
    b"null", b'{"source":{},"source":{}}', b"x" * 70_000, gzip.compress(json.dumps(JOB).encode()),
    gzip.compress(b'{"a":"' + b"x" * 2_000_000), gzip.compress(json.dumps(JOB).encode())[:-9],
)  # fmt: skip


def shot(seed: int, number: int) -> list[bytes]:
    """What one connection sends, in the pieces in which it sends it. Some come near to what is right, some do not."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311  # to be repeated, not to be secret
    wild = rng.choice((0.01, 0.05, 0.2, 1.0))
    sent = bytearray(b"".join(_request(rng, wild) for _ in range(rng.choice((1, 1, 1, 2, 5)))))
    if rng.random() < wild:
        for _ in range(rng.choice((1, 1, 2, 8, 40))):
            _bend(rng, sent)
    cuts = sorted(rng.randrange(len(sent) + 1) for _ in range(rng.choice((0, 0, 1, 3))))
    return [bytes(sent[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


def _request(rng: random.Random, wild: float) -> bytes:
    """One request. `wild`: how often a choice is of all that there is, and not of what may be right."""

    def choice(tame: Sequence[str], all_of_them: Sequence[str]) -> str:
        return rng.choice(all_of_them if rng.random() < wild else tame)

    method, path = choice(CALLS, [f"{method} {path}" for method in METHODS for path in PATHS]).split(" ")
    content = rng.choice(BODIES) if path in TAKING or rng.random() < wild else b""
    headers = [("Host", choice(("127.0.0.1",), HEADERS["Host"]))]
    names = [choice(TAME, list(HEADERS)) for _ in range(rng.choice((0, 1, 2, 4)))]
    headers += [(name, rng.choice(HEADERS[name])) for name in dict.fromkeys(names)]
    framing = choice(("length", "length", "chunked"), ("neither",))
    if framing == "length":
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    elif framing == "chunked":
        headers += [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
        content = _chunked(rng, content)
    if rng.random() < 0.02:
        headers += [(f"X-{number}", "a") for number in range(200)]
    rng.shuffle(headers)
    path = re.sub(r"\{\}", lambda _: choice(WORDS[:6], WORDS), path)
    pairs = [f"{rng.choice(NAMES)}={choice(('1', 'true'), VALUES)}" for _ in range(rng.choice((0, 0, 0, 0, 1, 6)))]
    target = f"{path}?{'&'.join(pairs)}" if pairs else path
    version = choice(("HTTP/1.1",), ("HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "http/1.1", "", "HTTP/1.1 "))
    begin = f"{method} {target} {version}"
    end = choice(("\r\n",), ("\n",))
    return end.join((begin, *(f"{name}: {value}" for name, value in headers), "", "")).encode() + content


def _chunked(rng: random.Random, content: bytes) -> bytes:
    size = rng.choice((f"{len(content):x}",) * 6 + ("-1", "zz", "f" * 20, f"{len(content) + 1:x}", "5;a=b", ""))
    return (
        size.encode()
        + b"\r\n"
        + content
        + rng.choice((b"\r\n0\r\n\r\n",) * 6 + (b"0\r\n\r\n", b"\r\n0\r\nA: b\r\n\r\n"))
    )


def _bend(rng: random.Random, wild: bytearray) -> None:
    """One small harm."""
    at = rng.randrange(len(wild))
    match rng.randrange(5):
        case 0:
            wild[at] ^= 1 << rng.randrange(8)
        case 1:
            wild[at : at + rng.choice((1, 2, 10, 100))] = b""
            wild += b"" if wild else b"\n"
        case 2:
            wild[at:at] = rng.choice(
                (b"\x00", b"\r", b"\n", b"\r\n\r\n", b"\xff", b" ", b"\t", b":", b"%", rng.randbytes(9))
            )
        case 3:
            wild[at:at] = wild[at : at + rng.choice((1, 20, 200))]
        case _:
            wild[at] = rng.randrange(256)


@dataclass(kw_only=True)
class Score:
    """What came of the shots. `silent`: closed without an answer; `wrong`: what must not happen, each with its shot."""

    shots: int = 0
    silent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def fire(api: Api, *, seed: int, shots: int | None = None, seconds: float | None = None, first: int = 0) -> Score:
    """Send shots from `first` on, until so many are sent or so long has passed."""
    score, numbers = Score(), count(first)
    ends = time.monotonic() + (seconds or float("inf"))
    left = takewhile(lambda number: time.monotonic() < ends and number < first + (shots or sys.maxsize), numbers)

    async def one_after_the_other() -> None:
        for number in left:
            await _one(api, seed, number, score)

    before = len(asyncio.all_tasks())
    with _heard(score):
        async with asyncio.TaskGroup() as crowd:
            for _ in range(CROWD):
                crowd.create_task(one_after_the_other())
        await _settled(api, before, score)
    return score


async def _one(api: Api, seed: int, number: int, score: Score) -> None:
    pieces = shot(seed, number)
    score.shots += 1
    try:
        async with asyncio.timeout(ENOUGH_S):
            answer = await _exchange(api.port, pieces, leave=number % 16 == 0)
    except TimeoutError:
        answer = b""
        score.wrong.append(f"shot {number}: neither answered nor closed within {ENOUGH_S:.0f} s: {pieces!r:.500}")
    heads = _HEAD.findall(answer)
    score.silent += not heads
    for status, fields in heads:
        score.statuses[int(status)] += 1
        if fault := _fault(int(status), fields, b"".join(pieces)):
            score.wrong.append(f"shot {number}: {fault}: {pieces!r:.500}")


async def _exchange(port: int, pieces: list[bytes], *, leave: bool) -> bytes:
    """All that the server says until it closes, or has time to say before we `leave` without a goodbye."""
    answer = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        with suppress(ConnectionError):  # who is refused in the middle of a body cannot send the rest
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        with suppress(ConnectionError):
            while not leave and (more := await reader.read(65536)):
                answer += more
    finally:
        if leave:
            with suppress(OSError):  # the server was the first to go
                writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()
    return answer


def _fault(status: int, fields: bytes, asked: bytes) -> str | None:
    """What is wrong with the head of an answer; who asks as of another service is answered so."""
    if status == 100:
        return None
    named = dict(line.lower().split(b": ", 1) for line in fields.splitlines())
    told_as = named.get(b"content-type")
    if status >= 500:
        return f"answered {status}"
    if named.get(b"server") != b"encoder" or b"x-request-id" not in named or b"content-security-policy" not in named:
        return f"answered {status} without our headers"
    ours = {b"application/problem+json", b"text/html; charset=utf-8"}  # the latter of a page
    if status >= 400 and told_as not in ours and not (b"/compat/" in asked and told_as == b"application/json"):
        return f"answered {status} as {told_as!r}"
    return None


async def _settled(api: Api, before: int, score: Score) -> None:
    """Afterwards the server is as well as before, and nobody in it is still busy."""
    async with asyncio.timeout(1.0):
        assert (await api.get("/livez"))["status"] == "ok"
    ends = time.monotonic() + ENOUGH_S
    while (tasks := len(asyncio.all_tasks())) > before and time.monotonic() < ends:
        await asyncio.sleep(0.05)
    if tasks > before:
        score.wrong.append(f"{tasks - before} tasks are left of connections that are gone")


@contextmanager
def _heard(score: Score) -> Iterator[None]:
    """Whatever is logged as an error, by us or by a library, is wrong."""

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno >= logging.ERROR or record.exc_info:
                score.wrong.append(f"{record.name} logged: {self.format(record)}")

    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        with structlog.testing.capture_logs() as events:
            yield
    finally:
        logging.getLogger().removeHandler(ear)
    score.wrong += (f"logged: {event}" for event in events if event["log_level"] in {"error", "critical"})


@contextmanager
def hurried() -> Iterator[None]:
    """For servers that start meanwhile: limits of time that are over soon."""
    names = (
        (server, "HEADERS_S"),
        (server, "KEEP_ALIVE_S"),
        (server, "LINGER_S"),
        (body, "IDLE_S"),
        (inflow, "IDLE_S"),
    )
    with ExitStack() as limits:
        for module, name in names:
            limits.enter_context(mock.patch.object(module, name, SHORT_S))
        yield


async def _run(asked: argparse.Namespace, cluster: postgres.Cluster, folder: Path) -> Score:
    async with cluster.ready() as dsn:
        store = await open_store(dsn)
        with hurried():
            async with running(store, folder) as api:
                one = None if asked.shot is None else 1
                score = await fire(api, seed=asked.seed, shots=one, seconds=asked.seconds, first=asked.shot or 0)
        await store.close()
    return score


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311  # it is printed
    parser.add_argument("--shot", type=int, help="this one alone")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="encoder-fuzz-"))
    print(f"fuzz: seed {asked.seed}, {asked.seconds:.0f} s", flush=True)
    with postgres.cluster(folder / "cluster") as cluster:
        score = asyncio.run(_run(asked, cluster, folder))
    shutil.rmtree(folder)
    print(f"{score.shots} connections, {score.silent} closed without an answer, wrong: {len(score.wrong)}")
    print(", ".join(f"{number} × {status}" for status, number in sorted(score.statuses.items())))
    print(*score.wrong[:20], sep="\n")
    return 1 if score.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
