"""One attempt at an HTTP source: what is permanent, what passes, and that nothing is ever spliced."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from encoder import errors
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.suites.cargo import noise, read
from tests.lab.faults import Proxy, Way
from tests.lab.origin import Served, answering, falling_silent, saying
from tests.lab.wire import Exchange, Server, lab_web

DATA = noise(1_500_000)
OTHER = noise(1_000_000, seed=2)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server() as server:
        server.scripts["/in.mov"] = Served(data=DATA)
        yield server


def source(server: Server, *, url: str | None = None, idle_s: float = 5.0, **members: object) -> Source:
    place: Place = {"kind": "http", "url": url or server.url("/in.mov"), **members}  # type: ignore[dict-item]  # as JSON
    return Sources(Surroundings(web=lab_web(idle_s=idle_s))).make(place)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "source_refused"),
        (401, "source_auth_failed"),
        (403, "source_auth_failed"),
        (404, "source_not_found"),
        (410, "source_gone"),
        (407, "source_auth_failed"),
        (418, "source_refused"),
        (451, "source_refused"),
    ],
)
async def test_what_the_server_refuses_is_refused_for_good(server: Server, status: int, code: str) -> None:
    server.scripts["/in.mov"] = answering(status, then=Served(data=DATA))
    with pytest.raises(errors.Permanent, match=f"{code}.*{status}"):
        await read(source(server))
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [204, 205, 304, 408, 425, 429, 500, 502, 503, 504, 599])
async def test_what_passes_is_tried_again_by_the_stage(server: Server, status: int) -> None:
    server.scripts["/in.mov"] = answering(status, then=Served(data=DATA))
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await read(source(server))
    _, data = await read(source(server))
    assert data == DATA


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-1", 0.0),
        ("1.5", 1.5),
        ("abc", None),
        ("nan", None),
        ("1e999", None),
        ("", None),
        ("Fri, 99 Nov 2026", None),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999", None),
    ],
)
async def test_the_server_may_say_how_long_to_wait(server: Server, said: str, seconds: float | None) -> None:
    server.scripts["/in.mov"] = answering(503, then=Served(data=DATA), headers={"Retry-After": said})
    with pytest.raises(errors.Transient) as raised:
        await read(source(server))
    assert raised.value.retry_after_s == seconds


async def test_the_server_may_say_until_when_to_wait(server: Server) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    server.scripts["/in.mov"] = answering(503, then=Served(data=DATA), headers={"Retry-After": later})
    with pytest.raises(errors.Transient) as raised:
        await read(source(server))
    assert raised.value.retry_after_s == pytest.approx(90, abs=5)


async def partial(broken: Source) -> tuple[bytes, str | None]:
    """All bytes that arrive before the transfer breaks, and their validator."""
    have, validator = b"", None
    with pytest.raises(errors.Transient, match="source_unavailable"):  # noqa: PT012  # what came before counts
        async with broken.open() as incoming:
            validator = incoming.validator
            async for chunk in incoming.chunks:
                have += chunk
    return have, validator


async def test_a_transfer_that_was_reset_goes_on_where_it_broke(server: Server) -> None:
    server.scripts["/in.mov"] = Served(data=DATA, resets=[len(DATA) // 2])
    have, validator = await partial(source(server))
    assert 0 < len(have) <= len(DATA) // 2
    incoming, rest = await read(source(server), offset=len(have), validator=validator)
    assert incoming.offset == len(have)
    assert have + rest == DATA
    assert server.seen[1].headers["range"] == f"bytes={len(have)}-"
    assert server.seen[1].headers["if-range"] == '"v1"'


@pytest.mark.parametrize("cut", [Way(cut_after=500_000), Way(reset_after=500_000)], ids=["FIN", "RST"])
async def test_an_end_before_the_content_length_is_no_end(server: Server, cut: Way) -> None:
    async with Proxy(target=(server.host, server.port), down=cut) as proxy:
        url = f"http://{proxy.host}:{proxy.port}/in.mov"
        have, _ = await partial(source(server, url=url))
    assert have == DATA[: len(have)]


async def test_a_chunked_body_that_breaks_off_is_no_end(server: Server) -> None:
    server.scripts["/in.mov"] = saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n8\r\nab")
    have, _ = await partial(source(server))
    assert have.startswith(b"abcd")


@pytest.mark.parametrize(
    "now",
    [
        Served(data=OTHER, etag='"v2"'),
        Served(data=OTHER, etag=None),
        Served(data=OTHER, etag='W/"v1"'),
        Served(data=OTHER, ranges=False),
    ],
    ids=["other version", "no version", "weak version", "no ranges"],
)
async def test_another_version_is_read_from_the_start(server: Server, now: Served) -> None:
    server.scripts["/in.mov"] = now
    incoming, data = await read(source(server), offset=1000, validator='"v1"')
    assert (incoming.offset, data) == (0, OTHER)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 999-1999999/2000000", "ETag": '"v1"'},
        {"Content-Range": "bytes 0-10/2000000", "ETag": '"v1"'},
        {"Content-Range": "bytes 1000-1999999/2000000", "ETag": '"v2"'},
        {"Content-Range": "bytes 1000-1999999/2000000"},
        {"Content-Range": "pages 1000-1999/2000", "ETag": '"v1"'},
        pytest.param({"Content-Range": f"bytes 1000-1999/{'9' * 5000}", "ETag": '"v1"'}, id="more digits than read"),
        {"ETag": '"v1"'},
    ],
)
async def test_a_part_that_was_not_asked_for_is_not_spliced_in(server: Server, headers: dict[str, str]) -> None:
    async def lying(exchange: Exchange) -> None:
        if "range" in exchange.request.headers:
            await exchange.answer(206, b"not what was asked for", headers)
        else:
            await exchange.answer(200, OTHER)

    server.scripts["/in.mov"] = lying
    incoming, data = await read(source(server), offset=1000, validator='"v1"')
    assert (incoming.offset, data) == (0, OTHER)


async def test_an_offset_beyond_the_end_starts_again(server: Server) -> None:
    async def short(exchange: Exchange) -> None:
        ranged = "range" in exchange.request.headers
        await exchange.answer(416 if ranged else 200, b"" if ranged else OTHER, {"Content-Range": "bytes */9"})

    server.scripts["/in.mov"] = short
    incoming, data = await read(source(server), offset=1000, validator='"v1"')
    assert (incoming.offset, data) == (0, OTHER)


async def test_a_part_in_place_of_the_whole_is_not_taken(server: Server) -> None:
    server.scripts["/in.mov"] = answering(206, then=Served(data=DATA), headers={"Content-Range": "bytes 5-9/10"})
    with pytest.raises(errors.Transient, match="source_unavailable"):
        await read(source(server))


async def test_a_weak_etag_promises_nothing(server: Server) -> None:
    server.scripts["/in.mov"] = Served(data=DATA, etag='W/"v1"')
    incoming, _ = await read(source(server))
    assert incoming.validator is None


async def test_a_file_that_was_packed_for_the_way_is_unpacked_and_not_resumed(server: Server) -> None:
    packed = gzip.compress(bytes(10_000_000))
    server.scripts["/in.mov"] = Served(data=packed, headers={"Content-Encoding": "gzip"})
    async with source(server).open() as incoming:
        assert (incoming.size_bytes, incoming.validator) == (None, None)
        sizes = [len(chunk) async for chunk in incoming.chunks]
    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 1024 * 1024


async def test_a_size_is_told_before_anything_is_read(server: Server) -> None:
    server.scripts["/in.mov"] = falling_silent(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000000\r\n\r\n")
    async with source(server).open() as incoming:
        assert incoming.size_bytes == 10_000_000_000_000


async def test_a_source_that_falls_silent_times_out(server: Server) -> None:
    server.scripts["/in.mov"] = falling_silent(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    with pytest.raises(errors.Transient, match="timeout"):
        await read(source(server, idle_s=0.1))


async def test_a_net_that_swallows_everything_is_a_timeout(server: Server) -> None:
    async with Proxy(target=(server.host, server.port), down=Way(hole_after=0)) as proxy:
        with pytest.raises(errors.Transient, match="timeout"):
            await read(source(server, url=f"http://{proxy.host}:{proxy.port}/in.mov", idle_s=0.1))


async def test_a_slow_net_is_none(server: Server) -> None:
    async with Proxy(target=(server.host, server.port), down=Way(latency_s=0.01)) as proxy:
        _, data = await read(source(server, url=f"http://{proxy.host}:{proxy.port}/in.mov", idle_s=0.5))
    assert data == DATA


async def test_the_callers_headers_are_sent(server: Server) -> None:
    await read(source(server, headers={"Authorization": "Bearer x", "x-more": "ü"}))
    assert server.seen[0].headers["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="clip.mov"', "clip.mov"),
        ("attachment; filename*=UTF-8''%C3%BC.mov", "ü.mov"),
        ("attachment", "in.mov"),
        ('attachment; filename=""', "in.mov"),
        ("attachment; filename*=nonsense'x'%ff", "ÿ"),
        (";;=;*", "in.mov"),
        ("attachment; filename*=idna''x%ff", "in.mov"),
        ("attachment; filename*=undefined''x", "in.mov"),
        ("attachment; filename*1=x; filename*=y; filename*0=z", "in.mov"),
        pytest.param(f"attachment; filename*0*=a; filename*{'9' * 5000}*=b", "in.mov", id="more digits than read"),
    ],
)
async def test_the_server_may_name_the_file(server: Server, disposition: str, name: str) -> None:
    server.scripts["/in.mov"] = Served(data=DATA, headers={"Content-Disposition": disposition})
    incoming, _ = await read(source(server))
    assert incoming.file_name == name


async def test_a_name_in_no_known_writing_is_still_text(server: Server) -> None:
    head = b'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Disposition: attachment; filename="\xff.mov"\r\n\r\n'
    server.scripts["/in.mov"] = saying(head + b"x")
    incoming, _ = await read(source(server))
    assert incoming.file_name
    assert incoming.file_name.encode().endswith(b".mov")
