"""A net that cuts, resets, swallows or slows down in the middle of a transfer, to and from real servers of each kind.

The next try has every byte; what was half-written never has the final name, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations import http as http_destination
from encoder.net import ftp as ftp_client
from encoder.net import s3_download, s3_multipart, s3_upload, s3_wire
from encoder.net.s3 import Sizes
from encoder.sources.protocol import Source
from encoder.suites.cargo import noise, parcel, read
from encoder.suites.destination import publish, used
from tests.lab.far import DATA, Far, ftp, http, s3, sftp
from tests.lab.faults import Way
from tests.lab.rgw import Gateway

MEBIBYTE = 1024 * 1024
MIDDLE = 300_000
IDLE_S = 0.5

BREAKS = ["cut", "reset", "black hole"]
SLOW = Way(bytes_a_second=4_000_000)

IN_PARTS = Sizes(multipart_from_bytes=1, part_bytes=5 * MEBIBYTE, window_bytes=400_000)
PARTS = noise(10 * MEBIBYTE)  # two; S3 takes no smaller ones


def breaking(fault: str, after: int = MIDDLE) -> Way:
    return {"cut": Way(cut_after=after), "reset": Way(reset_after=after), "black hole": Way(hole_after=after)}[fault]


def behind_a_net(request: pytest.FixtureRequest, kind: str, *, gives: bool) -> AbstractAsyncContextManager[Far]:
    if kind == "http":
        return http(gives=gives)
    if kind == "sftp":
        return sftp(request.getfixturevalue("sftp_servers"), gives=gives)
    if kind == "s3":
        return s3(request.getfixturevalue("s3_server"), gives=gives)
    if kind == "s3 in parts":
        return s3(request.getfixturevalue("s3_server"), gives=gives, sizes=IN_PARTS, data=DATA if gives else PARTS)
    return ftp(request.getfixturevalue("ftp_server"), kind, gives=gives)


KINDS = [
    "http",
    *(pytest.param(kind, marks=pytest.mark.xdist_group("ftp")) for kind in ("ftp", "ftps", "sftp")),
    *(pytest.param(kind, marks=pytest.mark.xdist_group("s3")) for kind in ("s3", "s3 in parts")),
]


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has taken a whole file may think about it for five minutes, and S3 is asked five times: not here."""
    for module in (http_destination, ftp_client, s3_wire):
        monkeypatch.setattr(module, "ANSWER_S", 1.0)
    for module in (s3_upload, s3_multipart, s3_download):
        monkeypatch.setattr(module, "TRIES", 1)


@pytest.fixture(params=KINDS)
async def giver(request: pytest.FixtureRequest) -> AsyncIterator[Far]:
    async with behind_a_net(request, request.param, gives=True) as far:
        yield far


@pytest.fixture(params=KINDS)
async def taker(request: pytest.FixtureRequest) -> AsyncIterator[Far]:
    async with behind_a_net(request, request.param, gives=False) as far:
        yield far


async def as_far_as_it_goes(asked: Source) -> tuple[bytes, str | None, errors.Transient]:
    """What a source gave before it broke, its version, and how it broke."""
    have, validator = bytearray(), None
    try:
        async with asked.open() as incoming:
            validator = incoming.validator
            async for chunk in incoming.chunks:
                have.extend(chunk)
    except errors.Transient as broken:
        return bytes(have), validator, broken
    raise AssertionError("the fault did not show")


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_source_that_breaks_off_goes_on_at_the_next_try(giver: Far, fault: str) -> None:
    """J3, J5"""
    giver.is_now(down=breaking(fault), idle_s=IDLE_S)
    have, validator, broken = await as_far_as_it_goes(giver.source())
    assert broken.code in {"source_unavailable", "timeout"}
    assert giver.data.startswith(have)
    giver.is_now()
    incoming, rest = await read(giver.source(), offset=len(have), validator=validator)
    assert have[: incoming.offset] + rest == giver.data
    assert incoming.offset == len(have)


async def test_a_source_behind_a_slow_net_is_none(giver: Far) -> None:
    giver.is_now(down=SLOW)
    _, data = await read(giver.source())
    assert data == giver.data


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_destination_that_breaks_off_has_the_file_at_the_next_try(
    taker: Far, fault: str, tmp_path: Path
) -> None:
    """J7, J11, J14"""
    taker.is_now(up=breaking(fault), idle_s=IDLE_S)
    made = parcel(tmp_path, taker.data)
    with pytest.raises(errors.Transient) as raised:
        await publish(taker.destination(), made)
    assert raised.value.code in {"destination_unavailable", "integrity_error", "timeout"}
    assert (taker.stands(), taker.left_over()) == (None, [])
    taker.is_now()
    await publish(taker.destination(), made)
    assert (taker.stands(), taker.left_over()) == (taker.data, [])


async def test_a_destination_behind_a_slow_net_has_the_file(taker: Far, tmp_path: Path) -> None:
    taker.is_now(up=SLOW)
    await publish(taker.destination(), parcel(tmp_path, taker.data))
    assert (taker.stands(), taker.left_over()) == (taker.data, [])


# What of an upload in parts breaks: the words of its request from which on, and how much then passes
STAGES = {
    "first part": (b"partNumber=1", MIDDLE),
    "later part": (b"partNumber=2", MIDDLE),
    "completion": (b"<CompleteMultipartUpload", 0),
}
LATER_RANGE = b"bytes=400000-"


@pytest.fixture
async def bucket(s3_server: Gateway) -> AsyncIterator[Far]:
    async with s3(s3_server, gives=False, sizes=IN_PARTS, data=PARTS) as far:
        yield far


@pytest.mark.xdist_group("s3")
@pytest.mark.parametrize("fault", ["reset", "black hole"])
@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("stage", STAGES)
async def test_an_upload_in_parts_leaves_none_open_wherever_it_breaks_off(
    bucket: Far, stage: str, way: str, fault: str, tmp_path: Path
) -> None:
    """J7, J9, J11"""
    mark, after = STAGES[stage]
    bucket.breaks(way, breaking(fault, after if way == "up" else 0), mark=mark, idle_s=IDLE_S)
    made = parcel(tmp_path, PARTS)
    with pytest.raises(errors.Transient) as raised:
        await publish(bucket.destination(), made)
    assert raised.value.code == ("timeout" if fault == "black hole" else "destination_unavailable")
    stood = PARTS if (stage, way) == ("completion", "down") else None  # only the answer was lost
    assert (bucket.stands(), bucket.left_over()) == (stood, [])
    bucket.is_now()
    await publish(bucket.destination(), made)
    assert (bucket.stands(), bucket.left_over()) == (PARTS, [])


@pytest.mark.xdist_group("s3")
@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("stage", ["later part", "completion"])
async def test_what_of_an_upload_in_parts_breaks_once_is_made_good_within_it(
    bucket: Far, stage: str, way: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """J7, J9"""
    monkeypatch.setattr(s3_multipart, "TRIES", 2)
    mark, after = STAGES[stage]
    bucket.breaks(way, breaking("reset", after if way == "up" else 0), mark=mark, spoiled=1)
    await publish(bucket.destination(), parcel(tmp_path, PARTS))
    assert (bucket.stands(), bucket.left_over()) == (PARTS, [])
    assert bucket.proxies[0].came == 2


@pytest.mark.xdist_group("s3")
async def test_an_upload_in_parts_that_a_net_keeps_from_clearing_up_is_cleared_up_by_the_next(
    bucket: Far, tmp_path: Path
) -> None:
    """J11: what is open of it is no object, and costs until somebody aborts it."""
    bucket.is_now(up=breaking("cut", 0), mark=b"uploadId=", idle_s=IDLE_S)
    made = parcel(tmp_path, PARTS)
    with pytest.raises(errors.Transient):
        await publish(bucket.destination(), made)
    assert (bucket.stands(), bucket.left_over()) == (None, ["file.mp4"])
    bucket.is_now()
    async with used(bucket.destination()) as destination:
        await destination.discard(made.token)
    assert bucket.left_over() == []


@pytest.mark.xdist_group("s3")
async def test_an_upload_in_parts_whose_answers_come_late_is_whole(bucket: Far, tmp_path: Path) -> None:
    bucket.is_now(down=Way(latency_s=0.1))
    await publish(bucket.destination(), parcel(tmp_path, PARTS))
    assert (bucket.stands(), bucket.left_over()) == (PARTS, [])


@pytest.mark.xdist_group("s3")
@pytest.mark.parametrize("fault", BREAKS)
@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_source_whose_later_range_breaks_off_goes_on_where_that_broke(
    s3_server: Gateway, way: str, fault: str
) -> None:
    """J3, J5: ranges are read side by side, and given on in order."""
    async with s3(s3_server, gives=True, sizes=IN_PARTS) as far:
        far.breaks(way, breaking(fault, 0 if way == "up" else MIDDLE), mark=LATER_RANGE, idle_s=IDLE_S)
        have, validator, broken = await as_far_as_it_goes(far.source())
        assert broken.code == ("timeout" if fault == "black hole" else "source_unavailable")
        assert 400_000 <= len(have) < 800_000
        assert far.data.startswith(have)
        far.is_now()
        incoming, rest = await read(far.source(), offset=len(have), validator=validator)
    assert (incoming.offset, bytes(have + rest) == far.data) == (len(have), True)
