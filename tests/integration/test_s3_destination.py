"""One attempt at an S3 destination whose server fails it: what is tried again, what is left behind, what is told."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations.protocol import Destination, Receipt
from encoder.destinations.registry import Destinations
from encoder.net import s3_multipart, s3_wire
from encoder.net.s3 import S3Access, Sizes
from encoder.net.s3_multipart import abort_open
from encoder.net.side import STORAGE
from encoder.plugins import Surroundings
from encoder.suites.cargo import Gate, noise, parcel
from encoder.suites.destination import look, publish, used
from tests.lab import s3_meddler as meddle
from tests.lab.rgw import Gateway
from tests.lab.s3_meddler import Fault, Meddler
from tests.lab.wire import Exchange, lab_web

pytestmark = pytest.mark.xdist_group("s3")

MEBIBYTE = 1024 * 1024
DATA = noise(11 * MEBIBYTE)  # three parts
IN_PARTS = Sizes(multipart_from_bytes=1, part_bytes=5 * MEBIBYTE)
SMALL = noise(1000, seed=2)
KEY = "out/720p.mp4"


@pytest.fixture
async def server(s3_server: Gateway) -> AsyncIterator[Meddler]:
    async with Meddler(bucket=s3_server.bucket()) as meddler:
        yield meddler


def destination(server: Meddler, *, sizes: Sizes = IN_PARTS, idle_s: float = 5.0, **members: object) -> Destination:
    surroundings = Surroundings(web=lab_web(idle_s=idle_s), s3=S3Access(sizes=sizes, pause_s=0))
    place = {**server.place(KEY), **members}
    return Destinations(surroundings, stored=_no_storage).make(place, "jobs/0191b2c4/0.mp4")  # type: ignore[arg-type]


def _no_storage(_key: str) -> Destination:
    raise AssertionError("the place is given")


def stands_whole(server: Meddler, receipt: Receipt) -> None:
    assert server.bucket.get(KEY) == DATA
    assert server.bucket.listed() == [KEY]
    assert server.bucket.open_uploads() == []
    assert receipt.size_bytes == len(DATA)


def stands_nothing(server: Meddler) -> None:
    assert (server.bucket.listed(), server.bucket.open_uploads()) == ([], [])


BREAKS = [
    pytest.param(meddle.refusing(500, "InternalError"), id="500"),
    pytest.param(meddle.refusing(503, "SlowDown"), id="SlowDown"),
    pytest.param(meddle.refusing(400, "RequestTimeout"), id="RequestTimeout"),
    pytest.param(meddle.refusing(400, "BadDigest"), id="BadDigest"),
    pytest.param(meddle.resetting, id="reset"),
    pytest.param(meddle.swallowing, id="lost answer"),
    pytest.param(meddle.lying, id="wrong ETag"),
]


@pytest.mark.parametrize("fault", BREAKS)
async def test_a_part_that_breaks_is_sent_again(server: Meddler, tmp_path: Path, fault: Fault) -> None:
    """J7, J12"""
    server.faults["part"] = [fault] * 3
    sent: list[int] = []
    async with used(destination(server)) as made:
        receipt = await made.publish(parcel(tmp_path, DATA), sent=sent.append, fence=Gate().fence)
    stands_whole(server, receipt)
    assert server.asked.count("part") == 6
    assert sum(sent) == len(DATA)


@pytest.mark.parametrize("fault", BREAKS)
async def test_an_object_that_is_put_at_once_is_put_again(server: Meddler, tmp_path: Path, fault: Fault) -> None:
    """J7, J12"""
    server.faults["put"] = [fault] * 3
    sent: list[int] = []
    async with used(destination(server, sizes=Sizes())) as made:
        receipt = await made.publish(parcel(tmp_path, DATA), sent=sent.append, fence=Gate().fence)
    stands_whole(server, receipt)
    assert sum(sent) == len(DATA)


@pytest.mark.parametrize("at", ["part", "put"])
async def test_a_server_that_never_has_the_right_bytes_is_given_up(server: Meddler, tmp_path: Path, at: str) -> None:
    """J12"""
    server.faults[at] = [meddle.refusing(400, "BadDigest")] * 20
    sizes = IN_PARTS if at == "part" else Sizes()
    with pytest.raises(errors.Transient, match="integrity_error"):
        await publish(destination(server, sizes=sizes), parcel(tmp_path, DATA))
    stands_nothing(server)


COMPLETE = "complete"


async def test_a_completion_that_answers_200_with_an_error_is_none(server: Meddler, tmp_path: Path) -> None:
    """J8"""
    server.faults[COMPLETE] = [meddle.refusing(200, "InternalError")] * 2
    gate = Gate()
    receipt = await publish(destination(server), parcel(tmp_path, DATA), gate)
    stands_whole(server, receipt)
    assert server.asked.count(COMPLETE) == gate.asked == 3


async def test_a_server_that_never_completes_is_given_up_and_keeps_nothing(server: Meddler, tmp_path: Path) -> None:
    """J8"""
    server.faults[COMPLETE] = [meddle.refusing(200, "InternalError")] * 9
    with pytest.raises(errors.Transient, match=r"destination_unavailable.*InternalError"):
        await publish(destination(server), parcel(tmp_path, DATA))
    stands_nothing(server)


async def test_a_completion_whose_answer_is_lost_is_found_by_what_stands_there(server: Meddler, tmp_path: Path) -> None:
    """J9"""
    server.faults[COMPLETE] = [meddle.swallowing, meddle.refusing(404, "NoSuchUpload")]
    receipt = await publish(destination(server), parcel(tmp_path, DATA))
    stands_whole(server, receipt)
    assert server.asked[-2:] == [COMPLETE, "head"]


@pytest.mark.parametrize("at", ["create", "part"])
async def test_a_success_that_lacks_what_it_must_tell_is_tried_again(server: Meddler, tmp_path: Path, at: str) -> None:
    async def nothing_told(_meddler: Meddler, exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(200)

    server.faults[at] = [nothing_told]
    async with used(destination(server)) as made:
        receipt = await publish(made, parcel(tmp_path, DATA))
    stands_whole(server, receipt)


async def test_an_upload_that_is_gone_and_another_object_there_is_no_success(server: Meddler, tmp_path: Path) -> None:
    """J9"""
    server.bucket.put(KEY, DATA)  # as large, but nobody says that it is what we proved
    server.faults[COMPLETE] = [meddle.refusing(404, "NoSuchUpload")] * 9
    with pytest.raises(errors.Transient, match="NoSuchUpload"):
        await publish(destination(server), parcel(tmp_path, DATA))
    assert server.bucket.open_uploads() == []


@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
async def test_a_completion_that_is_answered_without_a_word_is_looked_after(
    server: Meddler, tmp_path: Path, done: bool
) -> None:
    """J8, J9"""

    async def wordless(meddler: Meddler, exchange: Exchange) -> None:
        await (meddler.answer_of(exchange) if done else exchange.body())
        await exchange.answer(200)

    server.faults[COMPLETE] = [wordless]
    receipt = await publish(destination(server), parcel(tmp_path, DATA))
    stands_whole(server, receipt)
    assert server.asked.count(COMPLETE) == (1 if done else 2)
    assert server.asked.count("head") == 1


async def test_what_may_not_be_looked_at_is_not_believed_to_stand(server: Meddler, tmp_path: Path) -> None:
    """J9: who may not list is told 403 of what is not there."""
    server.faults = {
        COMPLETE: [meddle.refusing(404, "NoSuchUpload")] * 9,
        "head": [meddle.refusing(403, "AccessDenied")] * 9,
    }
    assert await look(destination(server)) is None
    with pytest.raises(errors.Transient, match="NoSuchUpload"):
        await publish(destination(server), parcel(tmp_path, DATA))
    stands_nothing(server)


REFUSALS = [
    ("InvalidAccessKeyId", 403, "destination_auth_failed"),
    ("ExpiredToken", 400, "destination_auth_failed"),
    ("AccessDenied", 403, "destination_auth_failed"),
    ("SignatureDoesNotMatch", 403, "destination_auth_failed"),
    ("NoSuchBucket", 404, "destination_not_found"),
    ("EntityTooLarge", 400, "output_too_large"),
]


@pytest.mark.parametrize("at", ["create", "part", COMPLETE])
@pytest.mark.parametrize(("said", "status", "code"), REFUSALS)
async def test_what_the_server_refuses_is_refused_for_good(
    server: Meddler, tmp_path: Path, at: str, said: str, status: int, code: str
) -> None:
    """J10, P7"""
    server.faults[at] = [meddle.refusing(status, said)] * 9
    with pytest.raises(errors.Permanent) as refused:
        await publish(destination(server), parcel(tmp_path, DATA))
    assert (refused.value.code, refused.value.message) == (code, f"S3 answered {said}.")
    assert "SENTINEL" not in "".join(traceback.format_exception(refused.value))
    assert server.asked.count(COMPLETE) <= 1
    assert ("abort" in server.asked) == (at != "create")
    stands_nothing(server)


async def test_wrong_credentials_are_told_without_them(server: Meddler, tmp_path: Path) -> None:
    """J10, P7: the server itself refuses, and its answer repeats the key."""
    wrong = destination(server, access_key_id="SENTINELID", access_key_secret="SENTINELSECRET")  # a test's
    with pytest.raises(errors.Permanent, match="destination_auth_failed") as refused:
        await publish(wrong, parcel(tmp_path, DATA))
    assert "SENTINEL" not in "".join(traceback.format_exception(refused.value))
    assert "SENTINEL" not in f"{wrong!r} {wrong.uri}"


@pytest.mark.parametrize("aborts", [[], [meddle.refusing(500, "InternalError")] * 3], ids=["aborted", "abort fails"])
@pytest.mark.parametrize("ends", ["cancelled", "failed", "fenced"])
async def test_whatever_ends_it_no_upload_stays_open(
    server: Meddler, tmp_path: Path, ends: str, aborts: list[Fault]
) -> None:
    """J11"""
    reached = asyncio.Event()
    server.faults["abort"] = list(aborts)
    gate = Gate(shut=errors.LeaseLost() if ends == "fenced" else None)
    server.faults["part"] = {
        "cancelled": [meddle.passing, meddle.stalling(reached)],
        "failed": [meddle.refusing(403, "AccessDenied")],
        "fenced": [],
    }[ends]
    async with used(destination(server)) as made:
        task = asyncio.create_task(made.publish(parcel(tmp_path, DATA), sent=_nothing, fence=gate.fence))
        if ends == "cancelled":
            await reached.wait()
            assert server.bucket.open_uploads() == [KEY]
            task.cancel()
        with pytest.raises((asyncio.CancelledError, errors.Permanent, errors.LeaseLost)):
            await task
    stands_nothing(server)


@pytest.mark.parametrize("fault", [meddle.swallowing, meddle.refusing(503, "SlowDown")], ids=["lost answer", "503"])
async def test_an_upload_of_which_we_were_not_told_is_not_left_open(
    server: Meddler, tmp_path: Path, fault: Fault
) -> None:
    """J11: it was begun, and the answer that names it was lost."""
    server.faults["create"] = [fault]
    receipt = await publish(destination(server), parcel(tmp_path, DATA))
    stands_whole(server, receipt)


async def test_cancelled_while_it_begins_it_leaves_no_upload_open(server: Meddler, tmp_path: Path) -> None:
    """J11"""
    reached = asyncio.Event()
    server.faults["create"] = [meddle.telling(reached)]
    async with used(destination(server)) as made:
        task = asyncio.create_task(made.publish(parcel(tmp_path, DATA), sent=_nothing, fence=Gate().fence))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.asked == ["create", "abort"]  # the answer that names it was waited for
    stands_nothing(server)


async def test_cancelled_again_while_it_clears_up_it_still_does(server: Meddler, tmp_path: Path) -> None:
    """J11"""
    at_a_part, at_the_abort = asyncio.Event(), asyncio.Event()
    server.faults = {"part": [meddle.stalling(at_a_part)], "abort": [meddle.telling(at_the_abort)]}
    async with used(destination(server)) as made:
        task = asyncio.create_task(made.publish(parcel(tmp_path, DATA), sent=_nothing, fence=Gate().fence))
        for reached in (at_a_part, at_the_abort):
            await reached.wait()
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    stands_nothing(server)


async def test_what_a_killed_attempt_left_open_is_discarded_and_nothing_else(server: Meddler) -> None:
    """J11"""
    client, bucket = server.bucket.client, server.bucket.name
    for key in (KEY, KEY, f"{KEY}.other", "out/1080p.mp4"):
        client.create_multipart_upload(Bucket=bucket, Key=key)
    async with used(destination(server)) as made:
        await made.discard("7-1")
    assert sorted(server.bucket.open_uploads()) == ["out/1080p.mp4", f"{KEY}.other"]


async def test_uploads_that_are_open_for_long_are_swept(server: Meddler) -> None:
    """J11"""
    server.bucket.client.create_multipart_upload(Bucket=server.bucket.name, Key=KEY)
    access = S3Access(pause_s=0)
    where = server.bucket.at()
    async with access.open(where, lab_web(), STORAGE) as s3:
        assert await abort_open(s3, "out/", begun_before=datetime.now(UTC) - timedelta(hours=24)) == 0
        assert server.bucket.open_uploads() == [KEY]
        assert await abort_open(s3, "out/", begun_before=datetime.now(UTC) + timedelta(minutes=1)) == 1
    stands_nothing(server)


async def test_a_server_that_takes_nothing_more_is_not_waited_for(server: Meddler, tmp_path: Path) -> None:
    server.faults["put"] = [meddle.stalling(asyncio.Event())] * 9
    with pytest.raises(errors.Transient, match="timeout"):
        await publish(destination(server, sizes=Sizes(), idle_s=0.1), parcel(tmp_path, DATA))
    stands_nothing(server)


@pytest.mark.parametrize("at", ["part", COMPLETE, "put"])
async def test_a_server_that_takes_all_and_says_nothing_is_asked_once_more(
    server: Meddler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Each silence costs five minutes, and the stage has tries of its own."""
    monkeypatch.setattr(s3_wire, "ANSWER_S", 0.3)
    server.faults[at] = [meddle.saying_nothing] * 9
    sizes, data = (Sizes(), SMALL) if at == "put" else (IN_PARTS, DATA[: 5 * MEBIBYTE])
    with pytest.raises(errors.Transient, match="timeout"):
        await publish(destination(server, sizes=sizes, idle_s=0.3), parcel(tmp_path, data))
    assert server.asked.count(at) == 2
    stands_nothing(server)


async def test_an_answer_that_drips_is_as_good_as_silence(
    server: Meddler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drips(_meddler: Meddler, exchange: Exchange) -> None:
        await exchange.body()
        await exchange.head(200, {"Content-Length": "1000"})
        while True:
            await exchange.write(b" ")
            await asyncio.sleep(0.05)

    monkeypatch.setattr(s3_wire, "ANSWER_S", 0.3)
    server.faults["put"] = [drips] * 9
    with pytest.raises(errors.Transient, match="timeout"):
        await publish(destination(server, sizes=Sizes()), parcel(tmp_path, SMALL))


async def test_a_server_that_asks_for_a_pause_has_it(server: Meddler, tmp_path: Path) -> None:
    """J6"""
    server.faults["put"] = [meddle.refusing(503, "SlowDown", {"Retry-After": "0.3"})]
    begun = asyncio.get_running_loop().time()
    await publish(destination(server, sizes=Sizes()), parcel(tmp_path, SMALL))
    assert asyncio.get_running_loop().time() - begun >= 0.3
    assert server.asked.count("put") == 2


async def test_a_longer_pause_than_is_waited_here_is_left_to_the_stage(server: Meddler, tmp_path: Path) -> None:
    """J6"""
    server.faults["put"] = [meddle.refusing(503, "SlowDown", {"Retry-After": "40"})] * 9
    with pytest.raises(errors.Transient, match="SlowDown") as raised:
        await publish(destination(server, sizes=Sizes()), parcel(tmp_path, SMALL))
    assert (raised.value.retry_after_s, server.asked.count("put")) == (40, 1)


async def test_what_a_silent_server_keeps_open_is_not_waited_for(
    server: Meddler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J11: an attempt that only wants to begin, or to end, is not held up."""
    monkeypatch.setattr(s3_multipart, "CLEAR_UP_S", 0.3)
    server.faults["list"] = [meddle.saying_nothing] * 9
    async with used(destination(server)) as made:
        with pytest.raises(errors.Transient, match="destination_unavailable"):
            await made.discard("7-1")


async def test_a_redirect_to_elsewhere_is_not_followed(server: Meddler, tmp_path: Path) -> None:
    """C7: S3's own way of telling another region leads to no other server."""

    async def redirect(_meddler: Meddler, exchange: Exchange) -> None:
        await exchange.body()
        await exchange.answer(
            307, headers={"Location": "http://127.66.0.1:9/x", "x-amz-bucket-region": "x.evil.test/#"}
        )

    server.faults["put"] = [redirect] * 9
    with pytest.raises(errors.Failure):
        await publish(destination(server, sizes=Sizes()), parcel(tmp_path, DATA))
    stands_nothing(server)


async def test_an_object_is_dressed_as_asked(server: Meddler, tmp_path: Path) -> None:
    for sizes in (Sizes(), IN_PARTS):
        made = parcel(tmp_path, DATA)
        dressed = destination(
            server,
            sizes=sizes,
            acl="public-read",
            storageClass="STANDARD",
            cacheControl="max-age=60",
            metadata={"orderid": "42"},
        )
        await publish(dressed, made)
        about = server.bucket.about(KEY)
        assert about["ContentType"] == "video/mp4"
        assert about["CacheControl"] == "max-age=60"
        assert about["Metadata"] == {"orderid": "42", "encoder-sha256": made.sha256}
        grants = server.bucket.client.get_object_acl(Bucket=server.bucket.name, Key=KEY)["Grants"]
        assert any("AllUsers" in grant["Grantee"].get("URI", "") for grant in grants)
        seen = await look(destination(server))
        assert seen is not None
        assert seen.sha256 == made.sha256
    await publish(destination(server, contentType="video/x-own"), parcel(tmp_path, DATA))
    assert server.bucket.about(KEY)["ContentType"] == "video/x-own"


def _nothing(_count: int) -> None:
    pass
