"""Live streams of many jobs at once: pushed or polled, nobody misses anything, and nobody hears what is not his."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from encoder import errors
from encoder.api.auth import KNOWN_S, KeyGate
from encoder.api.cors import Origins
from encoder.api.parts import Limits
from encoder.cli import sse
from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.model.state import OutputState
from encoder.queue import seats, watch
from encoder.queue.watch import Watcher
from encoder.store.engines import open_store
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Claim, Live, Sight
from tests.lab import numbers, work
from tests.lab.api import LIMITS, Api, running
from tests.lab.gate import Gate

JOB: dict[str, Any] = {"source": {"url": "https://media.example.com/in.mov"}, "outputs": [{"preset": "h264"}]}
SSE = {"Accept": "text/event-stream"}
FAR_S = 600.0  # looks that never come within a test: what is told all the same was pushed


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


class Heard:
    """The messages of one stream, one at a time, and all together."""

    def __init__(self, response: Any) -> None:  # noqa: ANN401  # aiohttp's own
        self.response = response
        self.all: list[tuple[str, str, Any]] = []
        self._messages = sse.messages(response.content.iter_any())

    async def next(self) -> tuple[str, str, Any]:
        message = await asyncio.wait_for(anext(self._messages), 10)
        self.all.append((message.event, message.id, json.loads(message.data)))
        return self.all[-1]

    async def until(self, event: str, **members: object) -> Any:  # noqa: ANN401  # JSON
        """The data of the next message of that name with these members."""
        while True:
            name, _, data = await self.next()
            if name == event and members.items() <= data.items():
                return data

    async def rest(self) -> list[str]:
        async for message in self._messages:
            self.all.append((message.event, message.id, json.loads(message.data)))
        return [event for event, _, _ in self.all]


@asynccontextmanager
async def stream(api: Api, path: str, **headers: str) -> AsyncIterator[Heard]:
    async with api.ask("GET", path, headers={**SSE, **headers}) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream"), await response.text()
        yield Heard(response)


@asynccontextmanager
async def feed(api: Api, **headers: str) -> AsyncIterator[Heard]:
    """A stream of all jobs that has said `hello`."""
    async with stream(api, "/events", **headers) as heard:
        assert (await heard.next())[0] == "hello"
        yield heard


async def beat(store: Store, claim: Claim, progress: float) -> None:
    heart = store.heart()
    live = {OutputId(0): Live(stage="encoding", progress=progress)}
    beats = [Beat(task_id=claim.task_id, epoch=claim.epoch, stage="encoding", live=live)]
    await heart.beat(work.new_worker().id, beats, lease=work.LEASE)
    await heart.close()


@pytest.mark.both_databases
async def test_a_list_is_told_of_each_job_that_changes(api: Api, store: Store) -> None:
    """New, running, on its way, ended, deleted: as the list would show it, and no progress is a new event."""
    async with feed(api) as heard:
        job = await api.submit(JOB)
        told = await heard.until("job", id=job["id"])
        shown_now = await api.get(f"/jobs/{job['id']}")
        assert {name: told[name] for name in told if name in shown_now and name != "outputs"} == {
            name: shown_now[name] for name in told if name in shown_now and name != "outputs"
        }
        assert (told["status"], told["name"], told["seq"]) == ("queued", "in.mov", 1)
        claim = await work.claim_one(store)
        await store.mark(claim, [work.change(0, OutputState.ENCODING)])
        running_now = await heard.until("job", status="processing")
        await beat(store, claim, 0.5)
        half = await heard.until("job", progress=0.5)
        assert half["seq"] == running_now["seq"]  # only its progress is another
        assert half["outputs"][0]["stage"] == "encoding"
        await store.settle(claim, work.failing())
        assert (await heard.until("job", status="failed"))["error"]["code"] == "source_truncated"
        async with api.ask("DELETE", f"/jobs/{job['id']}"):
            pass
        assert await heard.until("deleted") == {"id": job["id"]}
        assert {seq for _, seq, _ in heard.all} == {""}  # nothing of it can be taken up again


async def test_a_job_that_cannot_be_read_silences_no_other(
    api: Api, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await work.enqueue(store)
    whole = store.sights

    async def sights(seen: Mapping[JobId, int]) -> Sequence[Sight]:
        if bad.id in seen:
            raise errors.Defect("a plan of another release")
        return await whole(seen)

    monkeypatch.setattr(store, "sights", sights)
    good = await work.enqueue(store)
    async with feed(api) as heard, stream(api, f"/jobs/{bad.id}/events"):
        for job in (bad, good):
            await store.cancel(job.id)
        assert await heard.until("job", id=good.id, status="cancelled")


@pytest.mark.both_databases
async def test_what_other_processes_do_is_seen_too(api: Api, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share nothing with the watcher but the database."""
    monkeypatch.setattr(watch, "OVERLAP", timedelta(milliseconds=1))  # so that nothing is found twice for being new
    other = await open_store(dsn)
    try:
        job = (await api.submit(JOB))["id"]
        async with feed(api) as everything, stream(api, f"/jobs/{job}/events") as one:
            await one.until("job.submitted")
            held = await work.claim_one(other)
            await other.mark(held, [work.change(0, OutputState.ENCODING)])
            await one.until("job.processing")
            await everything.until("job", id=job, status="processing")
            new = await work.enqueue(other)
            await everything.until("job", id=new.id)
            claim = await work.claim_one(other)
            await everything.until("job", id=new.id, status="queued", cancelRequested=False)
            await other.mark(claim, [work.change(0, OutputState.ENCODING)])
            await everything.until("job", id=new.id, status="processing")
            await other.settle(claim, work.retrying())  # it runs no more, and is neither new nor over
            assert (await everything.until("job", id=new.id, progress=0.0))["waitingFor"]["reason"] == "backoff"
            await other.cancel(job)
            await everything.until("job", id=job, cancelRequested=True)
            await other.settle(held, work.CANCELLED)
            assert (await one.rest())[-1] == "job.cancelled"
    finally:
        await other.close()


async def test_changes_are_pushed(store: Store, dsn: str, tmp_path: Path) -> None:
    """On PostgreSQL: no look is due for ten minutes, and another process that heard of us says what it did."""
    other = await open_store(dsn)
    ear = asyncio.create_task(other.ear().listen(lambda _hint: None))
    watcher = Watcher(store, look_s=FAR_S, poll_s=0.02)
    try:
        async with running(store, tmp_path, watcher=watcher) as api:
            job = (await api.submit(JOB))["id"]
            async with feed(api) as everything, stream(api, f"/jobs/{job}/events") as one:
                while not watcher.hears or not other._news._clock() < other._news._until:  # type: ignore[attr-defined]
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)  # the last look that was due
                claim = await work.claim_one(other)
                await other.mark(claim, [work.change(0, OutputState.ENCODING)])
                await one.until("job.processing")
                await everything.until("job", status="processing")
                await other.settle(claim, work.failing())
                await everything.until("job", status="failed")
                assert (await one.rest())[-1] == "job.failed"
    finally:
        ear.cancel()
        await asyncio.gather(ear, return_exceptions=True)
        await other.close()


@pytest.mark.both_databases
async def test_a_database_that_was_away_costs_no_event(dsn: str, store: Store, tmp_path: Path) -> None:
    """What happened meanwhile is told when it is back, each once and in order; the list hears of it too."""
    async with Gate(target=dsn) as gate:
        through = await open_store(gate.dsn)
        try:
            async with running(through, tmp_path) as api:
                job = (await api.submit(JOB))["id"]
                async with feed(api) as everything, stream(api, f"/jobs/{job}/events") as one:
                    await one.until("job.submitted")
                    gate.refuse()
                    claim = await work.claim_one(store)
                    await store.mark(claim, [work.change(0, OutputState.ENCODING)])
                    new = await work.enqueue(store)
                    await asyncio.sleep(0.1)  # some looks that fail
                    gate.admit()
                    await one.until("job.processing")
                    await everything.until("job", id=new.id)
                    gate.cut()
                    await store.settle(claim, work.failing())
                    await one.rest()
        finally:
            await through.close()
    numbers = [int(seq) for _, seq, _ in one.all if seq]
    assert numbers == list(range(1, len(await store.events(job)) + 1))


async def test_a_thousand_looks_are_one(api: Api, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many watch, the database is asked for all together."""
    jobs = [(await api.submit(JOB))["id"] for _ in range(40)]
    asked: list[int] = []
    glances = store.glances

    async def counted(some: Any) -> Any:  # noqa: ANN401  # as `glances`
        asked.append(len(some))
        return await glances(some)

    async with asyncio.TaskGroup() as group, asyncio.timeout(20):
        waiting = [group.create_task(ends(api, job)) for job in jobs for _ in range(2)]
        while api.parts.watcher.job_seats < len(waiting):
            await asyncio.sleep(0.01)
        monkeypatch.setattr(store, "glances", counted)
        while len(asked) < 5:
            await asyncio.sleep(0.01)
        assert {*asked[1:]} == {40}  # the first may have been for who came last
        monkeypatch.undo()
        for job in jobs:
            await store.cancel(job)
    assert all(task.result()[-1] == "job.cancelled" for task in waiting)
    assert api.parts.watcher.job_seats == 0


async def ends(api: Api, job: int) -> list[str]:
    async with stream(api, f"/jobs/{job}/events") as heard:
        return await heard.rest()


async def test_who_is_too_far_behind_is_told_to_read_all_anew(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seats, "MOST_CHANGED", 3)
    slow = Limits(stream_check_s=0.02, stream_gather_s=0.3)
    async with running(store, tmp_path, limits=slow) as api, feed(api) as heard:
        await asyncio.gather(*(work.enqueue(store) for _ in range(10)))
        assert await heard.until("reset") == {}
        job = await work.enqueue(store)
        await heard.until("job", id=job.id)


async def test_who_listens_is_counted(api: Api) -> None:
    job = (await api.submit(JOB))["id"]

    async with feed(api), stream(api, f"/jobs/{job}/events") as one:
        await one.until("job.submitted")
        while not (told := await numbers.scraped(api.url)).sum("encoder_event_stream_hints"):
            await asyncio.sleep(0.01)
        assert [told.sum("encoder_event_streams", of=each) for each in ("job", "tenant")] == [1, 1]
    while (await numbers.scraped(api.url)).sum(
        "encoder_event_streams", of="tenant"
    ):  # once it is noticed that they went
        await asyncio.sleep(0.01)


async def test_streams_end_when_the_server_stops(api: Api) -> None:
    async with feed(api) as heard:
        api.parts.stopping.set()
        assert await asyncio.wait_for(heard.rest(), 5) == ["hello"]
    async with stream(api, "/events") as late:
        assert await asyncio.wait_for(late.rest(), 5) == []
    async with api.ask("GET", "/events", headers={"Accept": "text/event-stream"}) as response:
        assert await response.text() == "retry: 1000\r\n\r\n"


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_whoever_waits_for_an_end_is_not_kept(api: Api, accept: str) -> None:
    async with api.ask("GET", "/events", headers={"Accept": accept}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_header")


async def keyed(store: Store, tenant: int) -> tuple[str, Any]:
    text = new_key()
    new = NewKey(tenant_id=TenantId(tenant), name="a", prefix=shown(text), digest=digest(text), scopes=frozenset(Scope))
    return text, (await store.add_key(new)).id


async def test_no_event_crosses_tenants_or_origins(store: Store, tmp_path: Path) -> None:
    """H6: another tenant's key hears nothing of ours, and a page of another origin nothing at all."""
    (ours, _), (theirs, _) = await keyed(store, 1), await keyed(store, 2)
    async with running(
        store,
        tmp_path,
        gate=KeyGate(store),
        loopback_only=False,
        public_host="encoder.example.com",
        origins=Origins(["https://app.example.com"]),
    ) as api:
        mine, his = {"Authorization": f"Bearer {ours}"}, {"Authorization": f"Bearer {theirs}"}
        async with feed(api, **mine) as we, feed(api, **his) as they:
            async with api.ask("POST", "/jobs", json=JOB, headers=mine) as response:
                job = (await response.json())["id"]
            await we.until("job", id=job)
            async with api.ask("GET", f"/jobs/{job}/events", headers={**SSE, **his}) as response:
                assert response.status == 404
            async with api.ask("POST", "/jobs", json=JOB, headers=his) as response:
                own = (await response.json())["id"]
            await they.until("job", id=own)
            assert [data["id"] for event, _, data in they.all if event == "job"] == [own]
        for path in ("/events", f"/jobs/{job}/events"):
            for origin, status in (
                ("https://evil.test", 403),
                ("null", 403),
                ("https://encoder.example.com.evil.test", 403),
                (f"http://127.0.0.1:{api.port}", 200),
                ("https://encoder.example.com", 200),
                ("https://app.example.com", 200),
            ):
                async with api.ask("GET", path, headers={**SSE, **mine, "Origin": origin}) as response:
                    assert response.status == status, (path, origin)
                    if status == 403:
                        assert (await response.json())["code"] == "origin_not_allowed"


async def test_streams_end_with_the_key(store: Store, tmp_path: Path) -> None:
    """B3"""
    now = 0.0
    key, number = await keyed(store, 1)
    async with (
        running(store, tmp_path, gate=KeyGate(store, clock=lambda: now), loopback_only=False, limits=LIMITS) as api,
        feed(api, Authorization=f"Bearer {key}") as heard,
    ):
        await store.revoke_key(number)
        now += 11
        assert await asyncio.wait_for(heard.rest(), 5) == ["hello"]


def test_a_revoked_key_is_noticed_within_half_a_minute() -> None:
    """B3: whoever has a stream is looked at so often, and a key is remembered so long."""
    assert Limits().stream_check_s + KNOWN_S <= 30


async def test_a_reader_that_takes_nothing_is_let_go(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What he does not take piles up nowhere: of each job the last state, and then he is sent away."""
    monkeypatch.setattr("encoder.api.live.SEND_S", 0.3)
    big = JOB | {"outputs": [{"preset": "h264"}] * 50}
    async with running(store, tmp_path) as api, asyncio.timeout(60):
        jobs = [(await api.submit(big))["id"] for _ in range(60)]
        _, writer = await asyncio.open_connection("127.0.0.1", api.port, limit=1024)  # and nothing is read
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
        while not api.parts.watcher.tenant_seats:
            await asyncio.sleep(0.01)
        while api.parts.watcher.tenant_seats:
            await asyncio.gather(*(store.cancel(job) for job in jobs))
            await asyncio.gather(*(store.retry(job, max_attempts=1) for job in jobs))
        writer.close()
