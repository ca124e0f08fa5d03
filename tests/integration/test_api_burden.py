"""What a request may cost those beside it: the loop's time, and the memory of the process."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from math import inf
from pathlib import Path

import aiohttp
import pytest

from encoder.store.postgres import PostgresStore
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.platform import Platform
from tests.lab.platform import running as processes
from tests.lab.processes import peak_bytes

MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}
GOOD = {"source": {"url": "https://media.example.com/a"}, "outputs": [{"preset": "h264"}]}
TURN_S = 0.1


def body(**members: object) -> bytes:
    return json.dumps(GOOD | members).encode()


HEAVY = {
    "a file": body(source={"kind": "inline", "data": "QUJD" * 4_190_000}),
    "a file that is none": body(source={"kind": "inline", "data": "QUJD" * 4_000_000 + "!"}),
    "escapes": b'{"source":{"kind":"inline","data":"' + b"\\u0041" * 2_700_000 + b'"}}',
    "a long text": body(metadata={"a": "é" * 170_000}),
    "many values": body(metadata={"a": [[1]] * 9_900}),
    "many faults": body(outputs=[{f"x{number}": "\x01" for number in range(190)}] * 100),
    "one name": b"{" + b",".join([b'"a":1'] * 19_000) + b"}",
    "a tower": b"[" * MIB,
}


async def longest_pause(busy: Callable[[], Awaitable[object]]) -> float:
    """For how long nobody else had a turn at most while `busy` ran: the least of a few, for machines are busy too."""
    least = inf
    for _ in range(6):
        least = min(least, await _longest_pause(busy))
        if least < TURN_S:
            break
    return least


async def _longest_pause(busy: Callable[[], Awaitable[object]]) -> float:
    longest = 0.0

    async def take_turns() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - before)

    turns = asyncio.create_task(take_turns())
    await busy()
    await asyncio.sleep(0)
    turns.cancel()
    return longest


@pytest.fixture
def settled() -> Iterator[None]:
    """As every role does: what was loaded is not looked through for garbage."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
async def api(settled: None, store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    del settled
    async with running(store, tmp_path) as up:
        yield up


async def test_no_body_takes_the_others_turn(api: Api) -> None:
    """N2: 16 MiB of base64 that are decoded, hashed and stored, and what is hard to read of 1 MiB."""
    for what, data in HEAVY.items():
        for path in ("/jobs", "/probe"):

            async def post(path: str = path, what: str = what, data: bytes = data) -> None:
                headers = JSON | {"Idempotency-Key": what}
                async with api.ask("POST", path, data=io.BytesIO(data), headers=headers) as response:
                    assert response.status < 500

            assert await longest_pause(post) < TURN_S, (what, path)


async def test_a_long_list_takes_nobodys_turn(api: Api, store: PostgresStore) -> None:
    """N2: it failed, with 0.35 s, while all its twenty thousand outputs were read and told in one turn."""
    await asyncio.gather(*(work.enqueue(store, outputs=100) for _ in range(200)))

    async def list_all() -> None:
        async with api.ask("GET", "/jobs?limit=200") as response:
            assert len(await response.read()) > 5 * MIB

    assert await longest_pause(list_all) < TURN_S


async def post(platform: Platform, data: bytes | AsyncIterator[bytes]) -> None:
    about = {"data": io.BytesIO(data) if isinstance(data, bytes) else data, "headers": JSON}
    try:
        status, told = await platform.call("POST", "/jobs", **about)
    except aiohttp.ClientConnectionError:  # it was refused, and closed, while it was still being sent
        return
    assert (status, told["code"]) == (413, "body_too_large")


async def in_chunks(size_bytes: int) -> AsyncIterator[bytes]:
    yield b'{"metadata":"'
    for _ in range(size_bytes // 65_536):
        yield b"x" * 65_536


async def test_large_bodies_leave_the_server_as_small_as_it_was(dsn: str, tmp_path: Path) -> None:
    """A8: of a process of its own, by length and chunked."""
    async with processes(dsn, tmp_path, workers=0) as platform:
        api = platform.roles[0].process.pid
        assert (await platform.call("POST", "/jobs", json=GOOD))[0] == 202
        before = peak_bytes(api, anew=True)
        for _ in range(10):
            await post(platform, b" " * 2_000_000)
            await post(platform, in_chunks(2_000_000))
            await post(platform, in_chunks(64 * MIB))
        assert peak_bytes(api) - before < 8 * MIB


async def test_more_callers_than_there_are_descriptors_wait_outside_and_are_served_when_others_leave(
    dsn: str, tmp_path: Path
) -> None:
    """N1"""
    async with processes(dsn, tmp_path, workers=0) as platform:
        resource.prlimit(platform.roles[0].process.pid, resource.RLIMIT_NOFILE, (64, 64))
        crowd = [await asyncio.open_connection("127.0.0.1", platform.port) for _ in range(200)]
        for _, writer in crowd:
            writer.close()
        async with asyncio.timeout(10):
            assert (await platform.call("GET", "/readyz"))[0] == 200
