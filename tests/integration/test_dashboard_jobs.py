"""The list of jobs, what is done to many, and dead letters, as HTML without a script."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import ClientResponse

from encoder import errors
from encoder.api import bulk
from encoder.dashboard.page import SAID
from encoder.errors import CATALOGUE, FailureClass
from encoder.model.ids import JobId, OutputId
from encoder.model.result import Problem
from encoder.model.state import OutputState
from encoder.store.postgres.pool import Pool
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Live
from tests.lab import work
from tests.lab.api import Api, running

OURS = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = '"><img src=x onerror=alert(1)>\u202e{{7*7}}'
LOST = Problem(code="worker_lost", message="Thrice.", kind=FailureClass.CRASH, retryable=True)


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def page(api: Api, path: str) -> str:
    async with api.ask("GET", path) as response:
        text: str = await response.text()
        assert response.status == 200, text
        return text


async def post(api: Api, path: str, *fields: tuple[str, object]) -> ClientResponse:
    data = [(name, str(value)) for name, value in fields]
    response: ClientResponse = await api.ask("POST", path, data=data, headers=OURS, allow_redirects=False)
    return response


def fields_of(text: str) -> list[tuple[str, str]]:
    """The hidden fields of the form that asks."""
    form = text[text.index('<form method="post" class="panel') :]
    return [
        (unescape(name), unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    ]


def said(response: ClientResponse) -> str:
    assert response.status == 303
    return dict(parse_qsl(f"said={response.cookies[SAID].value}"))["said"]


def rows(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="j(\d+)"', text)]


async def failed(store: Store, why: Problem | None = None, **wanted: object) -> JobId:
    job, claim = await work.working(store, **wanted)
    await store.settle(claim, work.failing(why))
    return job.id


async def test_the_list_shows_each_job_as_the_api_tells_it(api: Api) -> None:
    """H1: what callers write is only text."""
    store = api.parts.store
    worker = work.new_worker()
    await store.hello(worker)
    runs = await work.enqueue(store, outputs=2, presets=("hls",), label=HOSTILE)
    (claim,) = await work.claim(store, worker=worker.id)
    await store.mark(claim, [work.change(0, OutputState.ENCODING)])
    heart = store.heart()
    live = {OutputId(0): Live(stage="encoding", progress=0.5, fps=50.0, speed=2.0, eta_seconds=130.0)}
    await heart.beat(worker.id, [Beat(task_id=claim.task_id, epoch=claim.epoch, live=live)], lease=work.LEASE)
    await heart.close()
    lost, waits = await failed(store, LOST), await work.enqueue(store, tags=("trailer",))

    text = await page(api, "/")
    assert rows(text) == [waits.id, lost, runs.id]
    assert "<img" not in text
    assert "{{7*7}}" in text
    assert "\\u202e" in text, "and what turns the line around is seen"
    told = await api.get(f"/jobs/{runs.id}")
    row = text[text.index(f'<tr id="j{runs.id}"') :]
    assert told["progress"] == 0.25
    assert 'width="25.0"' in row
    assert ">Encoding<" in row.replace(" Encoding", ">Encoding")
    assert "50\u202ffps · 2× · ~2\u202fmin" in row
    assert f">{CATALOGUE['worker_lost'].title}<" in text
    assert 'href="/docs/errors#worker_lost"' in text
    assert "Waits for a free slot" in text
    for count in ("All <b>3<", "Queued <b>1<", "Processing <b>1<", "Failed <b>1<", "Completed <b>0<"):
        assert count in text, count
    assert 'http-equiv="refresh"' in text
    part = await page(api, f"/ui/parts/jobs?jobs={lost},{runs.id},999&counts=1")
    for number in (lost, runs.id):
        shape = re.search(rf'<tr id="j{number}"[^>]*>', text)
        assert shape is not None
        assert shape[0] in part, "the fragment is the row"
    assert sorted(rows(part)) == [runs.id, lost]
    assert "Failed <b>1<" in part


async def test_filters_live_in_the_address_and_what_finds_nothing_says_what_to_do(api: Api) -> None:
    store = api.parts.store
    lost = await failed(store, LOST)
    tagged = await work.enqueue(store, tags=("trailer",), presets=("vp9",))
    for query, found in (
        ("status=queued&q=&tag=&since=", [tagged.id]),
        ("tag=trailer&since=1h", [tagged.id]),
        ("preset=vp9", [tagged.id]),
        ("code=worker_lost&status=failed", [lost]),
        ("q=worker&status=", [lost]),
    ):
        text = await page(api, f"/?{query}")
        assert rows(text) == found, query
        assert "Clear all" in text
    assert 'href="/?tag=trailer&amp;status=failed"' in await page(api, "/?tag=trailer&q="), "counts keep the filters"
    nothing = await page(api, "/?status=failed&tag=trailer&since=24h")
    assert "No failed job tagged\u202ftrailer in the last 24 hours." in nothing
    assert "Any state" in nothing
    older = await page(api, "/?status=failed&createdAfter=2999-01-01T00:00:00Z")
    assert "Clear the time filter (1 older)" in older
    assert 'href="/?status=failed"' in older


async def test_whoever_names_a_job_is_led_to_it(api: Api) -> None:
    job = await work.enqueue(api.parts.store, label="holiday.mov", metadata={"order": "A-7"})
    for text in (str(job.id), f"j{job.id}", str(job.uuid), "holiday", "a-7"):
        async with api.ask("GET", "/", params={"q": text}, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, f"/ui/jobs/{job.id}"), text
    assert rows(await page(api, "/?q=holiday&status=")) == [job.id], "from the list's own form the list stays"
    await work.enqueue(api.parts.store, label="holiday.mov")
    assert len(rows(await page(api, "/?q=holiday"))) == 2


async def test_a_search_that_takes_too_long_says_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Pool.search

    async def endless(pool: Pool, *values: Any, most_s: float | None = None) -> Any:  # noqa: ANN401  # as the verb
        if most_s is not None:
            raise errors.TooLong(f"after {most_s} s")
        return await search(pool, *values)

    monkeypatch.setattr(Pool, "search", endless)
    text = await page(api, "/?q=nowhere&status=queued")
    assert "Too much to search." in text
    assert 'href="/?q=nowhere&amp;status=queued&amp;since=1h"' in text


async def test_what_was_selected_is_cancelled_once_it_was_asked(api: Api) -> None:
    store = api.parts.store
    jobs = [(await work.enqueue(store)).id for _ in range(4)]
    await store.cancel(jobs[3])
    form = [("action", "cancel"), *(("ids", job) for job in jobs[1:]), ("after", "/?status=queued")]
    asked = await post(api, "/ui/jobs/bulk", *form)
    text = await asked.text()
    assert (asked.status, "Cancel 3 jobs?" in text, "Keep them" in text) == (200, True, True)
    assert (await api.get(f"/jobs/{jobs[1]}"))["status"] == "queued", "nothing is done yet"
    done = await post(api, "/ui/jobs/bulk", *fields_of(text), ("confirm", 1))
    assert said(done) == "Cancelled 2 jobs; 1 had ended before."
    assert done.headers["Location"] == "/?status=queued"
    assert [(await api.get(f"/jobs/{job}"))["status"] for job in jobs] == ["queued", *["cancelled"] * 3]
    none = await post(api, "/ui/jobs/bulk", ("action", "cancel"))
    assert said(none) == "No job was selected."


async def test_all_that_match_are_done_slice_by_slice_and_taken_up_by_the_address(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    store = api.parts.store
    jobs = [await failed(store, LOST, tags=("trailer",)) for _ in range(5)]
    other = await failed(store)
    list_ = await page(api, "/?tag=trailer&since=24h")
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', list_)
    form = [("action", "retry"), ("all", 1), ("tag", "trailer"), ("since", "24h"), ("seen", seen)]
    asked = await post(api, "/ui/jobs/bulk", *form)
    text = await asked.text()
    assert "Retry 5 jobs?" in text
    first = await post(api, "/ui/jobs/bulk", *fields_of(text), ("confirm", 1))
    address = first.headers["Location"]
    assert (first.status, urlsplit(address).path) == (303, "/ui/jobs/bulk")
    progress = await page(api, address)
    assert "Queued again 2 jobs. 3 left." in progress
    assert "data-go-on" in progress
    fields = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    second = await post(api, "/ui/jobs/bulk", *fields)
    fields = parse_qsl(urlsplit(second.headers["Location"]).query, keep_blank_values=True)
    assert said(await post(api, "/ui/jobs/bulk", *fields)) == "Queued again 5 jobs."
    assert [(await api.get(f"/jobs/{job}"))["status"] for job in (*jobs, other)] == ["queued"] * 5 + ["failed"]
    for changed in ({"action": "delete"}, {"tag": "other"}, {"cursor": "x"}):
        async with api.ask("GET", "/ui/jobs/bulk", params=dict(fields) | changed) as refused:
            assert refused.status == 400, "a cursor is good for what was asked and meant, and nothing else"


async def test_deleting_many_asks_for_their_number(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.dashboard.bulk.TYPED_FROM", 1)
    jobs = [(await work.enqueue(api.parts.store)).id for _ in range(2)]
    form: list[tuple[str, object]] = [("action", "delete"), *(("ids", job) for job in jobs)]
    text = await (await post(api, "/ui/jobs/bulk", *form)).text()
    assert "Type 2 to mean it" in text
    wrong = await post(api, "/ui/jobs/bulk", *fields_of(text), ("confirm", 1), ("typed", 3))
    assert wrong.status == 200
    assert len((await api.get("/jobs"))["jobs"]) == 2
    assert said(await post(api, "/ui/jobs/bulk", *fields_of(text), ("confirm", 1), ("typed", 2))) == "Deleted 2 jobs."
    assert (await api.get("/jobs"))["jobs"] == []


async def test_a_retry_says_what_will_run(api: Api) -> None:
    job, claim = await work.working(api.parts.store, outputs=2, presets=("h264", "hls"), label=HOSTILE)
    await api.parts.store.mark(claim, work.uploaded(0))
    await api.parts.store.settle(claim, work.failing())
    text = await (await post(api, "/ui/jobs/bulk", ("action", "retry"), ("ids", job.id))).text()
    assert f"Retry job j{job.id}?" in text
    assert "runs again: hls; stays: h264." in text
    assert "<img" not in text


async def test_dead_letters_say_the_fix_first_and_run_again_together(api: Api) -> None:
    """H1"""
    store = api.parts.store
    assert "No dead letters." in await page(api, "/ui/dead")
    lost = [await failed(store, LOST) for _ in range(2)]
    other = await failed(
        store, Problem(code="of_a_plug_in", message=HOSTILE, kind=FailureClass.TRANSIENT, retryable=True)
    )
    text = await page(api, "/ui/dead")
    entry = CATALOGUE["worker_lost"]
    for word in (
        entry.title,
        unescape(entry.to_do),
        "Redrive 2…",
        'href="/?status=failed&amp;code=worker_lost"',
        "of_a_plug_in",
    ):
        assert word in unescape(text) or word in text, word
    assert "<img" not in text
    assert "of_a_plug_in" not in await page(api, "/ui/dead?class=crash&since=24h")
    card = text[text.index("worker_lost") :]
    fields = [
        (name, unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', card)[:6]
    ]
    asked = await post(api, "/ui/dead/redrive", *fields)
    question = await asked.text()
    assert "Redrive 2 jobs?" in question
    assert unescape(entry.to_do) in unescape(question)
    late = await failed(store)
    done = await post(api, "/ui/dead/redrive", *fields_of(question), ("confirm", 1))
    assert said(done) == "2 queued again."
    assert [(await api.get(f"/jobs/{job}"))["status"] for job in (*lost, other, late)] == [
        *["queued"] * 2,
        *["failed"] * 2,
    ]
    wrong = await post(api, "/ui/dead/redrive", ("code", "worker_lost"))
    assert wrong.status == 400
