"""The live stream of pages: facts and what is stale, over HTTP and on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from encoder.api.auth import KeyGate
from encoder.dashboard import stream
from encoder.model.ids import JobId, OutputId, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.model.state import OutputState
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Claim, Live, OutputChange, Settlement
from tests.lab import work
from tests.lab.api import Api, running

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def api(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setattr(stream, "FLUSH_S", 0.05)
    monkeypatch.setattr(stream, "COUNTS_S", 0.05)
    async with running(store, tmp_path) as up:
        yield up


class Told:
    """What a stream tells, one event after the other."""

    def __init__(self, response: Any) -> None:  # noqa: ANN401  # aiohttp's
        self._response = response

    async def next(self, *names: str) -> Any:  # noqa: ANN401  # JSON
        """The data of the next event of these names; others are passed over."""
        async with asyncio.timeout(20):
            while True:
                said: dict[str, str] = {}
                while (line := (await self._response.content.readline()).decode()).strip():
                    field, _, value = line.partition(":")
                    said[field] = value.strip()
                assert line, "the stream has ended"
                if said.get("event") in names:
                    return json.loads(said["data"])

    async def end(self) -> None:
        async with asyncio.timeout(20):
            while await self._response.content.readline():
                pass


@asynccontextmanager
async def listening(api: Api, query: str, **more: Any) -> AsyncIterator[Told]:  # noqa: ANN401  # as `Api.ask`
    async with api.ask("GET", f"/ui/stream?{query}", **more) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream"), await response.text()
        yield Told(response)


def failing(*changes: OutputChange) -> Settlement:
    return replace(work.failing(), changes=changes)


async def claimed(store: Store) -> tuple[Claim, Any]:
    worker = work.new_worker("studio-7")
    await store.hello(worker)
    (claim,) = await work.claim(store, worker=worker.id)
    return claim, worker


@pytest.mark.both_databases
async def test_a_list_is_told_of_progress_of_ends_and_of_what_is_new(api: Api) -> None:
    store = api.parts.store
    first, second = await work.enqueue(store), await work.enqueue(store)
    claim, worker = await claimed(store)
    async with listening(api, f"jobs={second.id},{first.id}&new={second.id}") as told:
        version = await told.next("version")
        shapes = await told.next("shapes")
        assert version["static"]
        assert set(shapes) == {str(first.id), str(second.id)}
        facts = await told.next("facts")
        assert facts[str(second.id)] == {"pct": 0.0, "now": facts[str(second.id)]["now"]}
        assert facts[str(second.id)]["now"].startswith("Waits for a free slot")

        live = Live(stage="encoding", progress=0.412, fps=118.2, speed=3.94, eta_seconds=240.0)
        heart = store.heart()
        beats = [Beat(task_id=claim.task_id, epoch=claim.epoch, stage="encoding", live={OutputId(0): live})]
        await store.mark(claim, [work.change(0, OutputState.ENCODING)])
        await heart.beat(worker.id, beats, lease=work.LEASE)
        await heart.close()
        while not (now := (await told.next("facts")).get(str(first.id), {})).get("pct"):
            pass
        assert now == {"pct": 41.2, "now": "118\u202ffps · 3.9× · ~4\u202fmin"}
        async with listening(api, f"job={first.id}") as page:
            whole = (await page.next("facts"))[str(first.id)]
        assert (whole["fps"], whole["speed"], whole["eta"], whole["stage"]) == (118, 3.9, 240, "encoding")
        assert whole["outputs"]["0"]["pct"] == 41.2

        await store.settle(claim, work.failing())
        while str(first.id) not in (stale := await told.next("stale")).get("jobs", ()):
            pass
        while not stale.get("counts"):
            stale = await told.next("stale")
        await work.enqueue(store)
        await work.enqueue(store, tenant=TenantId(2))
        assert await told.next("new") == {"n": 1}
        await store.delete(second.id)
        while str(second.id) not in (await told.next("stale")).get("jobs", ()):
            pass


async def test_a_page_of_one_job_is_told_of_its_outputs_and_of_the_log_from_where_it_was(api: Api) -> None:
    store = api.parts.store
    job, claim = await work.working(store, outputs=2)
    async with listening(api, f"job={job.id}&log=0") as told:
        assert set(await told.next("shapes")) == {str(job.id)}
        facts = (await told.next("facts"))[str(job.id)]
        assert set(facts["outputs"]) == {"0", "1"}
        text = "x" * 3000 + "\nConversion failed!\n"
        await store.settle(claim, failing(work.change(0, OutputState.FAILED, log=text)))
        log = await told.next("log")
        assert (log["out"], log["at"], log["live"]) == (0, len(text) - 2048, False)
        assert text.endswith(log["text"])
    async with api.ask("GET", f"/ui/stream?job={job.id}&log=2") as refused:
        assert refused.status == 400


async def test_the_strip_is_told_when_it_changes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.api.lookout.GOOD_S", 0.05)
    store = api.parts.store
    await store.hello(work.new_worker())
    async with listening(api, "jobs=") as told:
        assert await told.next("health") == {}
        await store.pause("encode", "the shelf is full")
        await work.enqueue(store)
        paused = await told.next("health")
        while "waits" not in paused["text"]:
            paused = await told.next("health")
        assert paused["text"].startswith("Queue encode is paused: the shelf is full, 1 task waits since ")
        assert paused["link"] == "/ui/queues"
        await store.resume("encode")
        while await told.next("health") != {}:
            pass


async def test_who_comes_again_is_told_all_anew(api: Api) -> None:
    job = await work.enqueue(api.parts.store)
    async with listening(api, f"jobs={job.id}") as told:
        before = await told.next("shapes")
    await api.parts.store.cancel(job.id)
    async with listening(api, f"jobs={job.id}", headers={"Last-Event-ID": "7"}) as told:
        after = await told.next("shapes")
    assert set(before) == set(after) == {str(job.id)}
    assert before != after


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
async def test_the_stream_is_closed_to_pages_of_others(store: Store, tmp_path: Path, headers: dict[str, str]) -> None:
    """H6: whatever names a proxy in front may use, and with the cookie of somebody who has logged in."""
    async with running(store, tmp_path, loopback_only=False) as api:
        async with api.ask("GET", "/ui/stream?jobs=1", headers=headers) as refused:
            told = await refused.json()
            assert (refused.status, told["code"]) == (403, "origin_not_allowed")
        async with api.ask("GET", "/ui/stream?jobs=1", headers=OURS) as response:
            assert response.status == 200


async def test_the_stream_ends_with_its_key(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.api.auth.KNOWN_S", 0)
    monkeypatch.setattr(stream, "FLUSH_S", 0.02)
    text = new_key()
    key = NewKey(
        tenant_id=TenantId(1), name="a", prefix=shown(text), digest=digest(text), scopes=frozenset({Scope.READ})
    )
    row = await store.add_key(key)
    foreign = await work.enqueue(store, tenant=TenantId(2))
    async with running(store, tmp_path, gate=KeyGate(store), loopback_only=False) as api:
        async with api.ask("GET", "/ui/stream?jobs=1") as refused:
            assert refused.status == 401
        form = {"key": text, "next": "/"}
        async with api.ask("POST", "/ui/login", data=form, headers=OURS, allow_redirects=False) as entered:
            cookies = {name: morsel.value for name, morsel in entered.cookies.items()}
        async with listening(api, f"jobs={foreign.id}", cookies=cookies) as told:
            assert await told.next("shapes") == {}, "another tenant's"
            await store.revoke_key(row.id)
            await told.end()


async def test_what_is_no_list_of_jobs_is_refused(api: Api) -> None:
    for query in ("jobs=a", "jobs=1,-2", f"jobs={','.join(['1'] * 201)}", "new=1&status=lost"):
        async with api.ask("GET", f"/ui/stream?{query}") as refused:
            assert (refused.status, (await refused.json())["code"]) == (400, "invalid_query"), query
    async with api.ask("GET", f"/ui/stream?job={JobId(10**9)}") as absent:
        assert absent.status == 404
