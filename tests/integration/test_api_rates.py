"""Callers that come too often, over HTTP, by a clock of the test's: who is refused, with what, and who is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from encoder import errors
from encoder.api.addresses import Addresses
from encoder.api.auth import KNOWN_S, KeyGate, OpenGate
from encoder.api.rates import Buckets, Rates
from encoder.model.key import Scope, new_key
from encoder.store.protocol import Store
from tests.integration.test_api_keys import JOB, Door
from tests.lab.api import running

BEHIND_A_PROXY = Addresses([ip_network("127.0.0.0/8")])


@pytest.fixture
async def door(store: Store, tmp_path: Path) -> AsyncIterator[Door]:
    """A key has five reads and two writes a minute, an address three bad keys; of each twice as many at once."""
    made: Door

    def clock() -> float:
        return made.now

    gate = KeyGate(store, addresses=BEHIND_A_PROXY, bad_keys=Buckets(3, clock=clock), clock=clock)
    rates = Rates(reads=Buckets(5, clock=clock), writes=Buckets(2, clock=clock))
    async with running(store, tmp_path, gate=gate, rates=rates, loopback_only=False) as api:
        made = Door(api=api, store=store)
        yield made


async def shown(door: Door, key: str, *, address: str = "192.0.2.1") -> tuple[int, str | None]:
    """The status of a read with this key from an address, and when to come again."""
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": address}
    async with door.api.ask("GET", "/presets", headers=headers) as response:
        if response.status == 429:
            assert (await response.json())["code"] == "rate_limited"
        return response.status, response.headers.get("Retry-After")


async def test_a_key_that_comes_too_often_is_told_when_to_come_again(door: Door) -> None:
    """N9: seen to fail where nobody counts, and where all are counted together."""
    (often, _), (seldom, _) = await door.key(*Scope), await door.key(*Scope)
    told = [await door.ask(often, "POST", "/jobs", json=JOB) for _ in range(8)]
    assert [status for status, _, _ in told] == [202] * 4 + [429] * 4
    _, headers, problem = told[-1]
    assert (headers["Content-Type"], headers["Retry-After"]) == ("application/problem+json", "30")
    assert (problem["status"], problem["code"], problem["detail"]) == (
        429,
        "rate_limited",
        "No more than 2 writes a minute.",
    )
    assert (await door.ask(often, "DELETE", "/jobs/1"))[0] == 429
    assert len((await door.ask(often, "GET", "/jobs"))[2]["jobs"]) == 4
    assert (await door.ask(seldom, "POST", "/jobs", json=JOB))[0] == 202
    door.now += 30
    assert [(await door.ask(often, "POST", "/jobs", json=JOB))[0] for _ in range(2)] == [202, 429]


async def test_each_counted_answer_tells_what_is_left(door: Door) -> None:
    """N9. So does a stream, and a refusal of what was asked; not what is public, nor what lets nobody in."""
    key, _ = await door.key(Scope.READ, Scope.WRITE)

    async def told(method: str, path: str, shown: str = key) -> tuple[int, str | None, str | None]:
        status, headers, _ = await door.ask(shown, method, path)
        return status, headers.get("RateLimit-Policy"), headers.get("RateLimit")

    reads, writes = '"reads";q=10;w=120', '"writes";q=4;w=120'
    assert await told("GET", "/presets") == (200, reads, '"reads";r=9;t=12')
    door.now += 5
    assert await told("GET", "/jobs/1") == (404, reads, '"reads";r=8;t=19')
    writing = [await told("DELETE", "/jobs/1") for _ in range(5)]
    assert [status for status, _, _ in writing] == [404] * 4 + [429]
    assert {policy for _, policy, _ in writing} == {writes}
    assert [left for _, _, left in writing] == [
        '"writes";r=3;t=30', '"writes";r=2;t=60', '"writes";r=1;t=90', '"writes";r=0;t=120', '"writes";r=0;t=120'
    ]  # fmt: skip
    door.now += 120
    assert await told("DELETE", "/jobs/1") == (404, writes, '"writes";r=3;t=30')
    for path, shown in (("/livez", key), ("/jobs", "enc_live_x"), ("/workers", key)):
        assert (await told("GET", path, shown))[1:] == (None, None), path
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    job = (await door.ask(key, "POST", "/jobs", json=JOB))[2]["id"]
    async with door.api.ask("GET", f"/jobs/{job}/events", headers=headers) as stream:
        assert stream.headers["RateLimit"] == '"reads";r=9;t=12'


async def test_reads_are_counted_too_and_what_is_public_is_not(door: Door) -> None:
    """N9"""
    key, _ = await door.key(*Scope)
    assert [(await shown(door, key)) for _ in range(11)] == [(200, None)] * 10 + [(429, "12")]
    assert [(await door.ask(key, "GET", "/livez"))[0] for _ in range(20)] == [200] * 20


async def test_a_stream_is_one_read_however_long_it_goes_on(door: Door) -> None:
    key, _ = await door.key(*Scope)
    job = (await door.ask(key, "POST", "/jobs", json=JOB))[2]["id"]
    for _ in range(9):
        await shown(door, key)
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    async with door.api.ask("GET", f"/jobs/{job}/events", headers=headers) as stream:
        await stream.content.readline()
        assert (await shown(door, key))[0] == 429
        await door.ask(key, "POST", f"/jobs/{job}/cancel")
        async with asyncio.timeout(30):
            assert b"job.cancelled" in await stream.read()


async def test_bad_keys_close_an_address_to_keys_that_nobody_knows(door: Door) -> None:
    """B7: seen to fail where bad keys are not counted, and where the address is closed to known keys too."""
    (known, number), (new, _) = await door.key(*Scope), await door.key(*Scope)
    assert await shown(door, known) == (200, None)
    bad = [await shown(door, key) for key in [new_key(), "what", "enc_live_x", *(new_key() for _ in range(197))]]
    assert bad == [(401, None)] * 6 + [(429, "20")] * 194
    assert await shown(door, new) == (429, "20")
    assert await shown(door, new, address="192.0.2.2") == (200, None)
    door.now += KNOWN_S
    assert await shown(door, known) == (200, None), "looked up anew, and let in"
    door.now += 10
    assert [await shown(door, key) for key in (new_key(), new_key())] == [(401, None), (429, "20")]
    await door.store.revoke_key(number)
    assert (await shown(door, known))[0] == 401
    assert (await shown(door, known))[0] == 429, "it is a bad one now"


async def test_of_many_bad_keys_at_once_no_more_are_looked_at(door: Door) -> None:
    """B7. Seen to fail, with fifty 401, when a key was charged after its look-up."""
    answers = await asyncio.gather(*(shown(door, new_key()) for _ in range(50)))
    assert Counter(code for code, _ in answers) == {401: 6, 429: 44}


async def test_a_good_key_that_comes_first_on_many_connections_at_once_is_let_in_on_all(door: Door) -> None:
    """B7: seen to fail where each of them is charged until one is known."""
    key, _ = await door.key(*Scope)
    answers = await asyncio.gather(*(door.ask(key, "GET", "/presets") for _ in range(10)))
    assert [status for status, _, _ in answers] == [200] * 10


async def test_a_refused_key_is_not_looked_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """B7"""
    for _ in range(6):
        await shown(door, new_key())

    async def away(_digest: bytes) -> None:
        raise errors.StoreUnavailable("nobody is to ask")

    monkeypatch.setattr(door.store, "key", away)
    assert (await shown(door, new_key()))[0] == 429
    assert (await shown(door, new_key(), address="192.0.2.2"))[0] == 503


async def test_a_call_without_a_key_costs_its_address_nothing(door: Door) -> None:
    key, _ = await door.key(*Scope)
    assert [(await door.ask("", "GET", "/presets"))[0] for _ in range(20)] == [401] * 20
    assert (await shown(door, key, address="127.0.0.1"))[0] == 200


async def test_where_no_keys_are_asked_for_each_address_is_counted_but_this_machine(
    store: Store, tmp_path: Path
) -> None:
    """N9"""
    rates = Rates(reads=Buckets(2, clock=lambda: 0.0), writes=Buckets(2, clock=lambda: 0.0))
    async with running(store, tmp_path, gate=OpenGate(BEHIND_A_PROXY), rates=rates, loopback_only=False) as api:
        door = Door(api=api, store=store)
        for address in ("192.0.2.1", "192.0.2.2"):
            assert [(await shown(door, "", address=address))[0] for _ in range(5)] == [200] * 4 + [429]
        assert [(await shown(door, "", address="127.0.0.1"))[0] for _ in range(9)] == [200] * 9
