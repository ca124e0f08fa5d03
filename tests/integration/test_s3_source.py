"""One attempt at an S3 source whose server fails it: what goes on by itself, what the stage repeats, what is final."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from encoder import errors
from encoder.net.s3 import S3Access, Sizes
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.suites.cargo import noise, read
from tests.lab import s3_meddler as meddle
from tests.lab.rgw import Gateway
from tests.lab.s3_meddler import Fault, Meddler
from tests.lab.wire import Exchange, lab_web

pytestmark = pytest.mark.xdist_group("s3")

MEBIBYTE = 1024 * 1024
DATA = noise(5 * MEBIBYTE + 3)  # six windows
KEY = "in/one.mov"


@pytest.fixture
async def server(s3_server: Gateway) -> AsyncIterator[Meddler]:
    async with Meddler(bucket=s3_server.bucket()) as meddler:
        meddler.bucket.put(KEY, DATA)
        yield meddler


def source(server: Meddler, *, key: str = KEY, idle_s: float = 30.0, **members: str) -> Source:
    access = S3Access(sizes=Sizes(window_bytes=MEBIBYTE), pause_s=0)
    return Sources(Surroundings(web=lab_web(idle_s=idle_s), s3=access)).make(server.place(key, **members))


BREAKS = [
    pytest.param(meddle.refusing(500, "InternalError"), id="500"),
    pytest.param(meddle.refusing(503, "SlowDown"), id="SlowDown"),
    pytest.param(meddle.cutting(2000), id="cut"),
    pytest.param(meddle.swallowing, id="reset"),
    pytest.param(meddle.falling_silent(2000), id="silent"),
]


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_range_that_breaks_goes_on_by_itself(server: Meddler, fault: Fault) -> None:
    """J2, J3, J5, J6: within one attempt; the bytes that had come are not asked for again."""
    server.faults["get"] = [meddle.passing, fault, meddle.passing, fault]
    _, data = await read(source(server, idle_s=0.3))
    assert data == DATA
    assert server.asked.count("get") == 8


async def test_a_first_range_that_breaks_goes_on_by_itself(server: Meddler) -> None:
    server.faults["get"] = [meddle.cutting(2000)]
    _, data = await read(source(server))
    assert data == DATA


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_server_that_goes_on_breaking_is_left_to_the_stage(server: Meddler, fault: Fault) -> None:
    server.faults["get"] = [meddle.passing, *[fault] * 99]
    have, validator = b"", None
    with pytest.raises(errors.Transient, match=r"source_unavailable|timeout"):  # noqa: PT012  # what came before counts
        async with source(server, idle_s=0.3).open() as incoming:
            validator = incoming.validator
            async for chunk in incoming.chunks:
                have += chunk
    assert have == DATA[: len(have)]
    server.faults.clear()
    incoming, rest = await read(source(server), offset=len(have), validator=validator)
    assert incoming.offset == len(have)
    assert have + rest == DATA


async def test_an_object_that_changes_while_it_is_read_is_never_spliced(server: Meddler) -> None:
    """J4"""

    async def change(meddler: Meddler, exchange: Exchange) -> None:
        server.bucket.put(KEY, noise(len(DATA), seed=2))
        await meddle.passing(meddler, exchange)

    server.faults["get"] = [meddle.passing, meddle.passing, change]
    with pytest.raises(errors.Transient, match="changed"):
        await read(source(server))


@pytest.mark.parametrize("told", [b"Content-Range: bytes 1-", b"Content-Range: bytes 0-9/10 ", b"Content-Range: 0-"])
async def test_another_part_than_was_asked_for_is_not_taken(server: Meddler, told: bytes) -> None:
    """J4"""

    async def other(meddler: Meddler, exchange: Exchange) -> None:
        answer = await meddler.answer_of(exchange)
        await exchange.write(answer.replace(b"Content-Range: bytes 0-", told))

    server.faults["get"] = [other]
    with pytest.raises(errors.Transient, match="another part"):
        await read(source(server))


async def test_an_answer_that_does_not_say_how_long_it_is_is_not_taken(server: Meddler) -> None:
    async def endless(_meddler: Meddler, exchange: Exchange) -> None:
        await exchange.head(200, {"ETag": '"v1"'})
        await exchange.write(DATA)

    server.faults["get"] = [endless]
    with pytest.raises(errors.Transient, match="another part"):
        await read(source(server))


@pytest.mark.parametrize("etag", [b'W/"weak"', b'"another"'])
async def test_a_range_of_another_version_is_never_spliced(server: Meddler, etag: bytes) -> None:
    """J4: a server that does not look at If-Match tells the version all the same."""

    async def other(meddler: Meddler, exchange: Exchange) -> None:
        answer = await meddler.answer_of(exchange)
        told = server.bucket.about(KEY)["ETag"].encode()
        await exchange.write(answer.replace(told, etag))

    server.faults["get"] = [meddle.passing, *[other] * 99]
    with pytest.raises(errors.Transient, match="changed"):
        await read(source(server))


@pytest.mark.parametrize("told", [b"Content-Range: bytes 0-", b"Content-Range: bytes 2097153-", b"X-Content-Range: "])
async def test_another_range_than_was_asked_for_is_never_spliced(server: Meddler, told: bytes) -> None:
    """J4: of the right version and length, it would not be noticed by either."""

    async def other(meddler: Meddler, exchange: Exchange) -> None:
        answer = await meddler.answer_of(exchange)
        await exchange.write(re.sub(rb"Content-Range: bytes \d+-", told, answer))

    server.faults["get"] = [meddle.passing, *[other] * 99]
    with pytest.raises(errors.Transient, match="another part"):
        await read(source(server))


async def test_every_range_is_of_the_version_that_came_first(server: Meddler) -> None:
    await read(source(server))
    etag = server.bucket.about(KEY)["ETag"]
    first, *others = server.seen
    assert "if-match" not in first.headers
    assert {request.headers["if-match"] for request in others} == {etag}
    spans = [request.headers["range"] for request in server.seen]
    assert spans[0] == f"bytes=0-{MEBIBYTE - 1}"
    assert f"bytes={5 * MEBIBYTE}-{len(DATA) - 1}" in spans


async def test_a_small_object_takes_one_request(server: Meddler) -> None:
    server.bucket.put("small", DATA[:1000])
    incoming, data = await read(source(server, key="small"))
    assert (data, incoming.size_bytes, server.asked) == (DATA[:1000], 1000, ["get"])


async def test_an_empty_object_has_no_bytes(server: Meddler) -> None:
    server.bucket.put("empty", b"")
    incoming, data = await read(source(server, key="empty"))
    assert (data, incoming.offset, incoming.size_bytes) == (b"", 0, 0)


@pytest.mark.parametrize("offset", [len(DATA), len(DATA) + 1])
async def test_nothing_is_left_after_the_last_byte(server: Meddler, offset: int) -> None:
    """Where there is nothing to go on with, it starts again, as where the bytes have changed."""
    first, _ = await read(source(server))
    incoming, data = await read(source(server), offset=offset, validator=first.validator)
    assert (incoming.offset, data) == (0, DATA)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ("NoSuchKey", 404, "source_not_found"),
        ("NoSuchBucket", 404, "source_not_found"),
        ("AccessDenied", 403, "source_auth_failed"),
        ("InvalidAccessKeyId", 403, "source_auth_failed"),
        ("ExpiredToken", 400, "source_auth_failed"),
        ("InvalidObjectState", 403, "source_auth_failed"),
    ],
)
async def test_what_the_server_refuses_is_refused_for_good(server: Meddler, said: str, status: int, code: str) -> None:
    """J1, P7"""
    server.faults["get"] = [meddle.refusing(status, said)]
    with pytest.raises(errors.Permanent) as refused:
        await read(source(server))
    assert (refused.value.code, refused.value.message) == (code, f"S3 answered {said}.")
    assert server.asked == ["get"]


@pytest.mark.parametrize("said", ["<script>", "A" * 100, "No Such", "", "ключ"])
async def test_a_code_that_is_none_is_not_repeated(server: Meddler, said: str) -> None:
    """P7: what a server says is a stranger's text."""
    server.faults["get"] = [meddle.refusing(403, said.replace("<", "&lt;"))]
    with pytest.raises(errors.Permanent, match=r"^source_auth_failed: S3 answered 403\.$"):
        await read(source(server))


async def test_an_answer_without_end_is_not_listened_to(server: Meddler) -> None:
    """E8: an error may be no larger than an error."""

    async def endless(_meddler: Meddler, exchange: Exchange) -> None:
        await exchange.head(403, {"Content-Type": "application/xml"})
        while True:
            await exchange.write(b" " * MEBIBYTE)

    server.faults["get"] = [endless]
    with pytest.raises(errors.Transient, match="more than an answer holds"):
        await read(source(server))
