"""Dead letters over HTTP and the command line: told by what went wrong, and run again together."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from encoder.api import dead
from encoder.errors import CATALOGUE, FailureClass
from encoder.model.ids import JobId
from encoder.model.result import Problem
from encoder.store.postgres import PostgresStore
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.command import encoder

LOST = Problem(code="worker_lost", message="Thrice.", kind=FailureClass.CRASH, retryable=True)
FOREIGN = Problem(code="of_a_plug_in", message="Odd.", kind=FailureClass.TRANSIENT, retryable=True)


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def failed(api: Api, why: Problem = LOST, **wanted: object) -> JobId:
    job, claim = await work.working(api.parts.store, **wanted)
    await api.parts.store.settle(claim, work.failing(why))
    return job.id


async def redriven(api: Api, query: str) -> tuple[int, int, int]:
    async with api.ask("POST", f"/dead/redrive?{query}") as response:
        told = await response.json()
        assert response.status == 200, told
        return told["redriven"], told["skipped"], told["left"]


async def statuses(api: Api, *jobs: JobId) -> list[str]:
    return [(await api.get(f"/jobs/{job}"))["status"] for job in jobs]


async def test_dead_letters_are_told_with_what_to_do(api: Api) -> None:
    assert await api.get("/dead") == {"groups": []}
    jobs = [await failed(api), await failed(api), await failed(api, FOREIGN)]
    first, last, other = [(await api.get(f"/jobs/{job}"))["finishedAt"] for job in jobs]
    alike = {"code": "worker_lost", "class": "crash", "jobs": 2, "firstAt": first, "lastAt": last}
    foreign = {"code": "of_a_plug_in", "class": "transient", "jobs": 1, "firstAt": other, "lastAt": other}
    assert (await api.get("/dead"))["groups"] == [
        alike | {"advice": CATALOGUE["worker_lost"].to_do},
        foreign | {"advice": None},
    ]


async def test_a_redrive_runs_again_what_was_meant_and_nothing_else(api: Api) -> None:
    lost, foreign = await failed(api), await failed(api, FOREIGN)
    cancelled = (await work.enqueue(api.parts.store)).id
    await api.parts.store.cancel(cancelled)

    assert await redriven(api, "code=source_truncated") == (0, 0, 0)
    assert await redriven(api, "code=worker_lost&class=transient") == (0, 0, 0)
    assert await redriven(api, "class=crash") == (1, 0, 0)
    assert await statuses(api, lost, foreign, cancelled) == ["queued", "failed", "cancelled"]
    at = quote((await api.get(f"/jobs/{foreign}"))["finishedAt"])
    assert await redriven(api, f"class=transient&failedBefore={at}") == (0, 0, 0)
    assert await redriven(api, f"failedAfter={at}") == (1, 0, 0)
    await failed(api, FOREIGN)
    assert await redriven(api, "code=of_a_plug_in") == (1, 0, 0)


async def test_a_redrive_passes_over_what_cannot_run_again_and_tells_what_is_left(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    erased = await failed(api, sealed=b"secret")
    await api.parts.store.erase_secrets(ended_for=timedelta(0), look=10)
    jobs = [await failed(api) for _ in range(4)]

    monkeypatch.setattr(dead, "MOST_S", 0.0)
    assert await redriven(api, "code=worker_lost") == (0, 0, 4)
    monkeypatch.undo()
    assert await redriven(api, "code=worker_lost&limit=2") == (2, 1, 2)
    assert await statuses(api, erased, *jobs) == ["failed", "queued", "queued", "failed", "failed"]
    assert await redriven(api, "code=worker_lost") == (2, 1, 0)


async def test_what_ran_again_or_was_deleted_since_it_was_seen_is_skipped(
    api: Api, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, deleted, left = [await failed(api) for _ in range(3)]
    look = store.dead_jobs

    async def overtaken(*args: Any, **more: Any) -> Any:  # noqa: ANN401  # as the verb
        page = await look(*args, **more)
        await store.retry(again, max_attempts=3)
        await store.delete(deleted)
        return page

    monkeypatch.setattr(store, "dead_jobs", overtaken)
    assert await redriven(api, "code=worker_lost") == (1, 2, 0)
    assert (await api.get(f"/jobs/{again}"))["run"] == (await api.get(f"/jobs/{left}"))["run"] == 2


async def test_a_redrive_must_say_what_it_means(api: Api) -> None:
    job = await failed(api)
    for query, told in (
        ("", "One of"),
        ("limit=5", "One of"),
        ("failedBefore=2999-01-01T00:00:00Z", "One of"),
        ("class=fatal", "`class` must be one of"),
        ("class=crash&limit=1001", "`limit` must be"),
        ("code=worker_lots", "`code` is not known; did you mean `worker_lost`?"),
        ("code=nope", "`code` is not known: GET /docs/errors"),
        ("failedAfter=2001-01-01T00:00:00Z&failedBefore=2000-12-31T23:00:00-01:00", "`failedBefore` must be later"),
    ):
        async with api.ask("POST", f"/dead/redrive?{query}") as response:
            answer = await response.json()
            assert (response.status, answer["code"]) == (400, "invalid_query")
            assert answer["detail"].startswith(told)
    assert await statuses(api, job) == ["failed"]


async def test_the_command_line_lists_dead_letters_and_runs_them_again(api: Api) -> None:
    jobs = [await failed(api) for _ in range(2)]
    at = (await api.get(f"/jobs/{jobs[0]}"))["finishedAt"]

    told = await encoder("dead", url=api.url)
    assert "2  worker_lost" in told.out
    assert CATALOGUE["worker_lost"].to_do in told.out
    assert f"encoder redrive --code worker_lost --url {api.url}" in told.err
    options = ("--class", "crash", "--since", at, "--until", "2999-01-01T00:00:00Z", "--limit", "1", "--yes")
    done = await encoder("redrive", *options, url=api.url)
    assert (done.code, done.out) == (0, "1 queued again, 0 skipped, 1 left\n")
    done = await encoder("redrive", "--code", "worker_lost", "--yes", "--json", url=api.url)
    assert json.loads(done.out) == {"redriven": 1, "skipped": 0, "left": 0}
