"""HTTP destinations that refuse, redirect, stall and break off: stop early, leave no half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.model.job import Place
from encoder.plugins import Surroundings
from encoder.suites.cargo import Gate, noise, parcel
from tests.contracts.test_destinations import no_storage
from tests.lab.canary import Canary
from tests.lab.origin import redirecting
from tests.lab.put import Shelf, refusing_early, refusing_late, resetting, stalling
from tests.lab.wire import Exchange, lab_web

DATA = noise(3_000_000)
LARGE = noise(40_000_000)  # more than the buffers of a connection hold
KEY = "jobs/0191b2c4/0.mp4"


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    async with Shelf() as shelf:
        yield shelf


def destination(url: str, *, key: str = KEY, idle_s: float = 5.0, **members: object) -> Destination:
    place: Place = {"kind": "http", "url": url, **members}  # type: ignore[dict-item]  # as JSON
    return Destinations(Surroundings(web=lab_web(idle_s=idle_s)), stored=no_storage).make(place, key)


async def put(to: Destination, folder: Path, data: bytes = DATA, *, attempt: str = "7-1") -> list[int]:
    """Publish `data`; the bytes that left, in pieces."""
    sent: list[int] = []
    await to.publish(parcel(folder, data, attempt=attempt), sent=sent.append, fence=Gate().fence)
    return sent


async def test_the_request_is_a_plain_put_with_the_callers_headers(shelf: Shelf, tmp_path: Path) -> None:
    await put(
        destination(shelf.url("/out.mp4"), headers={"authorization": "Bearer x", "content-type": "a/b"}), tmp_path
    )
    request = shelf.seen[0]
    assert request.method == "PUT"
    assert request.headers["content-length"] == str(len(DATA))
    assert request.headers["authorization"] == "Bearer x"
    assert request.head.lower().count(b"content-type: a/b") == request.head.lower().count(b"content-type") == 1
    assert "transfer-encoding" not in request.headers


async def test_post_is_sent_where_the_caller_says_so(shelf: Shelf, tmp_path: Path) -> None:
    await put(destination(shelf.url("/out.mp4"), method="POST"), tmp_path)
    assert [request.method for request in shelf.seen] == ["POST"]
    assert shelf.seen[0].headers["content-type"] == "video/mp4"


async def test_all_attempts_at_one_result_carry_one_idempotency_key(shelf: Shelf, tmp_path: Path) -> None:
    """J16"""
    shelf.faults = [refusing_late(500)]
    with pytest.raises(errors.Transient, match="destination_unavailable"):
        await put(destination(shelf.url("/out.mp4")), tmp_path, attempt="7-1")
    await put(destination(shelf.url("/out.mp4")), tmp_path, attempt="7-2")
    await put(destination(shelf.url("/out.mp4")), tmp_path, noise(1000, seed=3), attempt="7-3")
    await put(destination(shelf.url("/out.mp4"), key="jobs/other/0.mp4"), tmp_path)
    keys = [request.headers["idempotency-key"] for request in shelf.seen]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "destination_refused"),
        (401, "destination_auth_failed"),
        (403, "destination_auth_failed"),
        (404, "destination_not_found"),
        (405, "destination_refused"),
        (410, "destination_not_found"),
        (413, "output_too_large"),
    ],
)
async def test_what_the_server_refuses_is_refused_for_good(
    shelf: Shelf, tmp_path: Path, status: int, code: str
) -> None:
    shelf.faults = [refusing_late(status)]
    with pytest.raises(errors.Permanent, match=f"{code}.*{status}"):
        await put(destination(shelf.url("/out.mp4")), tmp_path)


@pytest.mark.parametrize("status", [304, 408, 409, 423, 425, 429, 500, 502, 503, 507])
async def test_what_passes_is_tried_again_by_the_stage(shelf: Shelf, tmp_path: Path, status: int) -> None:
    shelf.faults = [refusing_late(status, {"Retry-After": "7"})]
    with pytest.raises(errors.Transient, match="destination_unavailable") as raised:
        await put(destination(shelf.url("/out.mp4")), tmp_path)
    assert raised.value.retry_after_s == 7


async def test_an_early_refusal_ends_the_upload(shelf: Shelf, tmp_path: Path) -> None:
    """J16"""
    shelf.faults = [refusing_early(413, after=100_000)]
    sent: list[int] = []
    gate = Gate()
    with pytest.raises(errors.Permanent, match="output_too_large"):
        await destination(shelf.url("/out.mp4")).publish(parcel(tmp_path, LARGE), sent=sent.append, fence=gate.fence)
    assert sum(sent) < len(LARGE)
    assert gate.asked == 0


async def test_a_success_before_the_last_byte_is_none(shelf: Shelf, tmp_path: Path) -> None:
    """Seen to fail: without the check the output was `uploaded`, its lease never looked at."""
    shelf.faults = [refusing_early(200, after=100_000)]
    gate = Gate()
    with pytest.raises(errors.Transient, match="integrity_error"):
        await destination(shelf.url("/out.mp4")).publish(
            parcel(tmp_path, LARGE), sent=lambda _count: None, fence=gate.fence
        )
    assert gate.asked == 0


async def test_a_reset_in_the_middle_passes(shelf: Shelf, tmp_path: Path) -> None:
    shelf.faults = [resetting(after=1_000_000)]
    with pytest.raises(errors.Transient, match="destination_unavailable"):
        await put(destination(shelf.url("/out.mp4")), tmp_path, LARGE)
    assert shelf.objects == {}


async def test_a_server_that_takes_no_more_bytes_is_a_timeout(shelf: Shelf, tmp_path: Path) -> None:
    shelf.faults = [stalling]
    with pytest.raises(errors.Transient, match="timeout"):
        await put(destination(shelf.url("/out.mp4"), idle_s=0.2), tmp_path, LARGE)


async def test_an_answer_may_take_longer_than_a_connection_may_be_idle(shelf: Shelf, tmp_path: Path) -> None:
    async def slow(exchange: Exchange) -> None:
        shelf.objects["/out.mp4"] = await exchange.body()
        await asyncio.sleep(0.5)
        await exchange.answer(201)

    shelf.faults = [slow]
    await put(destination(shelf.url("/out.mp4"), idle_s=0.2), tmp_path)
    assert shelf.objects["/out.mp4"] == DATA


async def test_a_redirect_is_followed_with_the_whole_body(shelf: Shelf, tmp_path: Path) -> None:
    """J16"""
    async with Shelf(host="127.77.0.2") as other:
        shelf.faults = [redirecting(other.url("/there.mp4"), status=307)]
        await put(destination(shelf.url("/out.mp4"), headers={"X-Key": "SENTINEL"}), tmp_path, LARGE)
        assert other.objects == {"/there.mp4": LARGE}
        assert b"SENTINEL" not in other.seen[0].head
        assert other.seen[0].headers["idempotency-key"] == shelf.seen[0].headers["idempotency-key"]


async def test_a_body_that_went_whole_to_a_redirect_counts_for_nothing_where_it_leads(
    shelf: Shelf, tmp_path: Path
) -> None:
    """Seen to fail: the second server's early success was taken for a delivery, though it had next to nothing."""
    async with Shelf(host="127.77.0.2") as other:

        async def elsewhere(exchange: Exchange) -> None:
            await exchange.body()
            await exchange.answer(307, headers={"Location": other.url("/there.mp4")})

        shelf.faults = [elsewhere]
        other.faults = [refusing_early(200, after=100_000)]
        with pytest.raises(errors.Transient, match="integrity_error"):
            await put(destination(shelf.url("/out.mp4")), tmp_path, LARGE)


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_would_lose_the_body_is_not_followed(shelf: Shelf, tmp_path: Path, status: int) -> None:
    """J16"""
    shelf.faults = [redirecting("/there.mp4", status=status)]
    with pytest.raises(errors.Permanent, match="redirect_not_allowed"):
        await put(destination(shelf.url("/out.mp4")), tmp_path)


async def test_a_redirect_to_a_forbidden_address_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    """J16"""
    async with Canary() as canary:
        shelf.faults = [redirecting(canary.url(), status=307)]
        with pytest.raises(errors.Permanent, match="redirect_not_allowed"):
            await put(destination(shelf.url("/out.mp4")), tmp_path)


async def test_a_fence_that_shuts_leaves_a_body_without_its_end(shelf: Shelf, tmp_path: Path) -> None:
    gate = Gate(shut=errors.LeaseLost("another worker has it"))
    with pytest.raises(errors.LeaseLost, match="another worker"):
        await destination(shelf.url("/out.mp4")).publish(
            parcel(tmp_path, LARGE), sent=lambda _count: None, fence=gate.fence
        )
    assert gate.asked == 1
    assert shelf.objects == {}


async def test_a_publish_leaves_no_descriptor_open(shelf: Shelf, tmp_path: Path) -> None:
    made = parcel(tmp_path, LARGE)
    shelf.faults = [refusing_early(413), resetting(after=5)]
    for _ in range(2):
        with pytest.raises(errors.Failure):
            await destination(shelf.url("/out.mp4")).publish(made, sent=lambda _count: None, fence=Gate().fence)
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert made.path not in [link.readlink() for link in links]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_a_look_that_is_refused_tells_nothing(shelf: Shelf, status: int) -> None:
    shelf.scripts["/out.mp4"] = refusing_late(status)
    assert await destination(shelf.url("/out.mp4")).look() is None
