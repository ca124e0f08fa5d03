"""A source that comes over HTTP, onto the disk: resumed, never spliced, bounded in size, time and room."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.metrics.transfer import Transfers
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.suites.cargo import noise
from encoder.worker.fetch import TRIES, Fetch, FetchLimits
from encoder.worker.scratch import LEAST_FREE_BYTES, Scratch
from tests.lab.origin import Served, answering, falling_silent, saying
from tests.lab.wire import Exchange, Script, Server, lab_web

DATA = noise(1_500_000)
OTHER = noise(1_000_000, seed=2)
GIB = 1024**3


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        yield server


class Steps:
    """A clock that goes on by `step_s` each time it is read."""

    def __init__(self, step_s: float) -> None:
        self._ticks = itertools.count()
        self._step_s = step_s

    def __call__(self) -> float:
        return next(self._ticks) * self._step_s


class Room(Scratch):
    """A scratch folder on a disk of which so much is free."""

    def __init__(self, folder: Path, free: int) -> None:
        super().__init__(folder, uuid4())
        self._free = free

    def free_bytes(self) -> int:
        return self._free


async def fetched(  # noqa: PLR0913  # each is what some test is about
    server: Server,
    folder: Path,
    script: Script,
    *,
    url: str | None = None,
    limits: FetchLimits | None = None,
    clock: Callable[[], float] = lambda: 0.0,
    idle_s: float = 5.0,
    free: int = 100 * GIB,
) -> bytes:
    """What lies on the disk in the end. The source's path is `folder / "source"`."""
    server.scripts["/in.mov"] = script
    place: Place = {"kind": "http", "url": url or server.url("/in.mov")}
    fetch = Fetch(
        Room(folder, free),
        Transfers(clock=clock),
        limits=limits or FetchLimits(),
        clock=clock,
        uniform=lambda _low, _high: 0.0,
    )
    source = Sources(Surroundings(web=lab_web(idle_s=idle_s))).make(place)
    arrived = await fetch(source, folder / "source", kind="http", told=lambda _have, _size: None)
    data = (folder / "source").read_bytes()
    assert arrived.size_bytes == len(data)
    return data


def on_disk(folder: Path) -> int:
    return (folder / "source").stat().st_size


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "source_auth_failed"), (403, "source_auth_failed"), (404, "source_not_found"), (410, "source_gone")],
)
async def test_what_is_refused_is_asked_once(server: Server, tmp_path: Path, status: int, code: str) -> None:
    """J1"""
    with pytest.raises(errors.Permanent, match=f"{code}.*{status}"):
        await fetched(server, tmp_path, answering(*[status] * 9, then=Served(data=DATA)))
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_what_passes_is_waited_for(server: Server, tmp_path: Path, status: int) -> None:
    """J2"""
    data = await fetched(server, tmp_path, answering(status, status, then=Served(data=DATA)))
    assert data == DATA
    assert len(server.seen) == 3


async def test_a_reset_in_the_middle_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    """J3"""
    data = await fetched(server, tmp_path, Served(data=DATA, resets=[len(DATA) // 2, len(DATA) // 4]))
    assert hashlib.sha256(data).digest() == hashlib.sha256(DATA).digest()
    first, second, third = server.seen
    assert "range" not in first.headers
    for request in (second, third):
        assert request.headers["range"].startswith("bytes=")
        assert request.headers["range"] != "bytes=0-"
        assert request.headers["if-range"] == '"v1"'


@pytest.mark.parametrize(
    ("then", "whole"),
    [
        (Served(data=OTHER, etag='"v2"'), OTHER),
        (Served(data=DATA, ranges=False), DATA),
        (Served(data=OTHER, etag=None), OTHER),
    ],
    ids=["changed", "no ranges", "no version"],
)
async def test_what_cannot_be_resumed_begins_anew(server: Server, tmp_path: Path, then: Served, whole: bytes) -> None:
    """J4"""
    first = Served(data=DATA, resets=[len(DATA) // 2])

    async def script(exchange: Exchange) -> None:
        await (first if first.resets else then)(exchange)

    assert await fetched(server, tmp_path, script) == whole


async def test_a_part_of_another_place_is_not_spliced_in(server: Server, tmp_path: Path) -> None:
    """J4: a wrong Content-Range."""
    first = Served(data=DATA, resets=[len(DATA) // 2])

    async def script(exchange: Exchange) -> None:
        if "range" in exchange.request.headers:
            wrong = {"Content-Range": f"bytes 1-{len(OTHER) - 1}/{len(DATA)}", "ETag": '"v1"'}
            await exchange.answer(206, OTHER[1:], wrong)
        else:
            await first(exchange)

    assert await fetched(server, tmp_path, script) == DATA


async def test_an_end_before_its_time_passes(server: Server, tmp_path: Path) -> None:
    """J5"""
    short = [True]

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, {"Content-Length": str(len(DATA))})
        await exchange.write(DATA[:1000] if short else DATA)
        short.clear()

    assert await fetched(server, tmp_path, script) == DATA


async def test_an_end_before_its_time_each_time_is_the_end(server: Server, tmp_path: Path) -> None:
    """J5: the length was a lie, or the file was cut where it lies."""
    script = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + DATA[:1000])
    with pytest.raises(errors.Permanent, match="source_truncated: The source ends after 1000 bytes"):
        await fetched(server, tmp_path, script)
    assert len(server.seen) == TRIES


async def test_what_comes_after_the_declared_end_is_not_of_the_file(server: Server, tmp_path: Path) -> None:
    """J5: the lie the other way round. Who says where it ends and goes on is not believed at all."""
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await fetched(server, tmp_path, saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + DATA))
    assert on_disk(tmp_path) <= 1000


async def test_a_byte_each_five_seconds_is_as_good_as_silence(server: Server, tmp_path: Path) -> None:
    """J6: it is never silent for the 30 s that a connection may be idle."""
    with pytest.raises(errors.Transient, match=r"timeout.*less than 65536 bytes/s"):
        await fetched(server, tmp_path, dripping(b"x"), clock=Steps(5.0))
    assert len(server.seen) == TRIES


async def test_silence_is_not_waited_for(server: Server, tmp_path: Path) -> None:
    """J6"""
    silent = falling_silent(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    with pytest.raises(errors.Transient, match="timeout"):
        await fetched(server, tmp_path, silent, idle_s=0.05)
    assert len(server.seen) == TRIES


async def test_a_trickle_that_is_just_fast_enough_ends_some_day(server: Server, tmp_path: Path) -> None:
    """J6: the time for all of it is bounded; here to a fifth of a second, of bytes that come all the time."""
    with pytest.raises(errors.Transient, match=r"timeout.*longer than .* h to arrive"):
        await fetched(server, tmp_path, dripping(b"x" * 1000), limits=FetchLimits(total_s=0.2))


@pytest.mark.parametrize("declared", [True, False])
async def test_a_packed_bomb_is_measured_by_what_comes_out(server: Server, tmp_path: Path, declared: bool) -> None:
    """E7: nobody asked for packing, and the declared length is that of the packed bytes."""
    packed = gzip.compress(bytes(50_000_000))
    headers = {"Content-Encoding": "gzip"} | ({"Content-Length": str(len(packed))} if declared else {})

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, headers)
        await exchange.write(packed)

    with pytest.raises(errors.Permanent, match="source_too_large"):
        await fetched(server, tmp_path, script, limits=FetchLimits(size_bytes=3_000_000))
    assert server.seen[0].headers["accept-encoding"] == "identity"
    assert on_disk(tmp_path) <= 3_000_000
    assert len(server.seen) == 1


async def test_a_body_without_an_end_is_cut_at_the_limit(server: Server, tmp_path: Path) -> None:
    """E8"""
    with pytest.raises(errors.Permanent, match="source_too_large"):
        await fetched(server, tmp_path, dripping(bytes(100_000)), limits=FetchLimits(size_bytes=3_000_000))
    assert on_disk(tmp_path) <= 3_000_000


async def test_ten_terabytes_are_refused_before_the_first_byte_is_read(server: Server, tmp_path: Path) -> None:
    """E8"""
    silent = falling_silent(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000000\r\n\r\n")
    with pytest.raises(errors.Permanent, match="source_too_large"):
        await fetched(server, tmp_path, silent)
    assert on_disk(tmp_path) == 0


async def test_what_has_no_room_is_refused_before_the_first_byte_is_read(server: Server, tmp_path: Path) -> None:
    """M2: 20 GiB for which there are 5: the task goes back at once, and says why."""
    silent = falling_silent(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (20 * GIB))
    with pytest.raises(errors.Resource, match=f"disk_full: .*{5 * GIB} bytes free; {20 * GIB + LEAST_FREE_BYTES}"):
        await fetched(server, tmp_path, silent, free=5 * GIB)
    assert on_disk(tmp_path) == 0


async def test_what_does_not_say_how_large_it_is_leaves_room_for_others(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M2"""
    monkeypatch.setattr("encoder.worker.fetch.LOOK_BYTES", 200_000)
    with pytest.raises(errors.Resource, match="disk_full"):
        await fetched(server, tmp_path, dripping(bytes(100_000)), free=LEAST_FREE_BYTES - 1)
    assert on_disk(tmp_path) < 1_000_000


def dripping(drop: bytes) -> Script:
    """A body without an end, drop by drop."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(200, {"Transfer-Encoding": "chunked"})
        while True:
            await exchange.write(b"%x\r\n%s\r\n" % (len(drop), drop))
            await asyncio.sleep(0.002)

    return script
