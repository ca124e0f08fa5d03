"""A job's timeline, as a list and live: nothing is missed, nothing told twice, and the stream ends with the job."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from encoder.api import fleet
from encoder.cli import sse
from encoder.errors import Permanent
from encoder.model.event import EventType
from encoder.model.ids import OutputId, WorkerId
from encoder.model.plan import Note
from encoder.model.proof import Check, Proof
from encoder.model.result import Delivered, Problem, Timings
from encoder.model.state import OutputState
from encoder.model.trail import LogTail, Step, Trail
from encoder.queue import settle
from encoder.store.fleet import WorkerInfo
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Aside, Beat, Claim, Live, OutputChange
from encoder.store.statements import Statement
from tests.lab.api import Api, running
from tests.lab.command import encoder

JOB: dict[str, Any] = {
    "source": {"url": "https://media.example.com/in.mov"},
    "outputs": [
        {"preset": "h264"},
        {"preset": "vp9", "destination": {"url": "https://media.example.com/out?sig=S3cret"}},
    ],
}
WORKER = WorkerId(uuid4())
LEASE = timedelta(seconds=60)


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


class Stream:
    """Reads one event stream, a message at a time."""

    def __init__(self, messages: AsyncIterator[sse.Message]) -> None:
        self._messages = messages

    async def next(self) -> tuple[str, str, Any]:
        """Event, id and data of the next message."""
        message = await asyncio.wait_for(anext(self._messages), 5)
        return message.event, message.id, json.loads(message.data)

    async def until(self, event: str) -> tuple[str, Any]:
        """Id and data of the next message of that name."""
        while True:
            name, seq, data = await self.next()
            if name == event:
                return seq, data

    async def rest(self) -> list[tuple[str, str]]:
        """Events and ids to the end of the stream."""
        return [(message.event, message.id) async for message in self._messages]


def listen(api: Api, job: int, last_id: str | None = None) -> Any:  # noqa: ANN401  # aiohttp's own context
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id is not None else {})}
    return api.ask("GET", f"/jobs/{job}/events", headers=headers)


def stream(response: Any) -> Stream:  # noqa: ANN401  # as above
    assert response.content_type == "text/event-stream"
    return Stream(sse.messages(response.content.iter_any()))


async def claimed(store: PostgresStore) -> Claim:
    (claim,) = await store.claim("encode", WORKER, limit=1, lease=LEASE, deadline=timedelta(hours=1))
    return claim


def output(number: int, state: OutputState, **more: Any) -> OutputChange:  # noqa: ANN401  # members of a change
    return OutputChange(id=OutputId(number), state=state, **more)


async def encoding(store: PostgresStore, claim: Claim, *, progress: float) -> None:
    """One beat that tells how far the first output is."""
    live = Live(stage="encoding", progress=progress, fps=48.0, speed=2.0, eta_seconds=3.0)
    heart = store.heart()
    beat = Beat(task_id=claim.task_id, epoch=claim.epoch, stage="encoding", live={OutputId(0): live})
    await heart.beat(WORKER, [beat], lease=LEASE)
    await heart.close()


async def complete(store: PostgresStore, claim: Claim, api: Api) -> None:
    """Both outputs made: one into the platform's storage, one away."""
    job = await store.load(claim)
    key = f"jobs/{job.uuid}/0.mp4"
    file = api.storage._root / key
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(256)) * 40)
    proof = Proof(checks=(Check(name="run", passed=True), Check(name="decode", passed=True)))
    for number, uri in ((0, f"storage:{key}"), (1, "https://media.example.com/out")):
        for state in (OutputState.ENCODING, OutputState.VERIFYING, OutputState.UPLOADING):
            await store.mark(claim, [output(number, state)])
        made = Delivered(
            uri=uri, size_bytes=10240, sha256="ab" * 32, files=(uri.rsplit("/", 1)[-1],), width=1280, height=720
        )
        warnings = (Note(code="no_audio", message="The source has no audio."),)
        change = output(
            number, OutputState.UPLOADED, delivered=made, proof=proof, warnings=warnings, timings=Timings(encode=1.5),
            log="frame= 42\n", command=("ffmpeg", "-i", "source"),
        )  # fmt: skip
        await store.mark(claim, [change])
    await store.settle(claim, settle.done())


async def test_the_timeline_is_a_list(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    await complete(store, await claimed(store), api)
    told = (await api.get(f"/jobs/{job}/events"))["events"]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert (told[0]["type"], told[-1]["type"]) == ("job.submitted", "job.completed")
    rest = (await api.get(f"/jobs/{job}/events?after=1&limit=2"))["events"]
    assert rest == told[1:3]


async def test_a_listener_is_told_the_job_as_it_is_then_all_that_happens_until_it_ends(
    api: Api, store: PostgresStore
) -> None:
    job = (await api.submit(JOB))["id"]
    async with listen(api, job) as response:
        live = stream(response)
        event, seq, data = await live.next()
        assert (event, seq, data) == ("snapshot", "", await api.get(f"/jobs/{job}"))
        assert (await live.next())[:2] == ("job.submitted", "1")
        claim = await claimed(store)
        await store.mark(claim, [output(0, OutputState.ENCODING)])
        assert (await live.until("job.processing"))[0] == "2"
        await encoding(store, claim, progress=0.5)
        seq, data = await live.until("progress")
        while data["outputs"][0]["progress"] != 0.5:
            seq, data = await live.until("progress")
        assert seq == ""  # progress is not kept: no reconnect may name it
        assert (data["progress"], data["outputs"][0]["speed"], data["outputs"][0]["etaSeconds"]) == (0.25, 2.0, 3.0)
        await complete_from_encoding(store, claim, api)
        rest = await live.rest()
    assert rest[-1][0] == "job.completed"
    kept = [int(seq) for _, seq in rest if seq]
    assert kept == list(range(3, 3 + len(kept)))


async def complete_from_encoding(store: PostgresStore, claim: Claim, api: Api) -> None:
    await store.mark(claim, [output(0, OutputState.QUEUED)])
    await complete(store, claim, api)


async def test_nothing_follows_the_event_that_ends_the_job(
    api: Api, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job is read while it still runs, its events when it has ended: as a busy server may well do."""
    job = (await api.submit(JOB))["id"]
    claim = await claimed(store)
    await store.mark(claim, [output(0, OutputState.ENCODING)])
    read = store._pool.rows
    failure = Problem.of(Permanent("source_gone", "It is gone."))

    async def rows(statement: Statement, *values: Any) -> Any:  # noqa: ANN401  # as `rows`
        if statement is Statement.EVENTS_OF_JOBS:
            monkeypatch.undo()
            await encoding(store, claim, progress=0.75)
            await store.settle(claim, settle.failed(failure))
        return await read(statement, *values)

    async with listen(api, job) as response:
        live = stream(response)
        await live.until("job.processing")
        while api.parts.watcher._views[job].job is None:  # as all see it: the first look is over
            await asyncio.sleep(0.01)
        monkeypatch.setattr(store._pool, "rows", rows)
        await encoding(store, claim, progress=0.5)
        told = await live.rest()
    assert (told[-1][0], [event for event, _ in told].count("job.failed")) == ("job.failed", 1)


async def test_a_stream_that_broke_goes_on_after_the_last_event_seen(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    await complete(store, await claimed(store), api)
    events = (await api.get(f"/jobs/{job}/events"))["events"]
    async with listen(api, job, "2") as response:
        told = await stream(response).rest()
    assert told == [("snapshot", "")] + [(event["type"], str(event["seq"])) for event in events[2:]]
    async with listen(api, job, str(len(events))) as response:
        assert await stream(response).rest() == [("snapshot", "")]


@pytest.mark.parametrize("last_id", ["99", "abc", "-1", "1.5", "9" * 30])
async def test_an_id_that_names_no_event_starts_again(api: Api, last_id: str) -> None:
    job = (await api.submit(JOB))["id"]
    await api.ask("POST", f"/jobs/{job}/cancel")
    async with listen(api, job, last_id) as response:
        told = await stream(response).rest()
    assert told[0] == ("reset", "")
    assert [seq for _, seq in told[1:]] == [str(seq) for seq in range(1, len(told))]
    assert (told[1][0], told[-1][0]) == ("job.submitted", "job.cancelled")


async def test_a_stream_does_not_stop_at_the_end_of_an_earlier_run(api: Api) -> None:
    job = (await api.submit(JOB))["id"]
    for verb in ("cancel", "retry"):
        async with api.ask("POST", f"/jobs/{job}/{verb}") as response:
            assert response.status == 202
    async with listen(api, job) as response:
        live = stream(response)
        await live.until("job.retried")
        async with api.ask("POST", f"/jobs/{job}/cancel") as answer:
            assert answer.status == 202
        assert (await live.rest())[-1][0] == "job.cancelled"


async def test_streams_end_when_the_server_stops(api: Api) -> None:
    job = (await api.submit(JOB))["id"]
    async with listen(api, job) as response:
        live = stream(response)
        await live.until("job.submitted")
        api.parts.stopping.set()
        assert await asyncio.wait_for(live.rest(), 5) == []


async def test_a_stream_of_a_deleted_job_ends(api: Api) -> None:
    job = (await api.submit(JOB))["id"]
    async with listen(api, job) as response:
        live = stream(response)
        await live.until("job.submitted")
        async with api.ask("DELETE", f"/jobs/{job}") as answer:
            assert answer.status == 204
        await asyncio.wait_for(live.rest(), 5)


async def test_what_became_of_an_output_is_told_whole(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    await complete(store, await claimed(store), api)
    shown = await api.get(f"/jobs/{job}")
    here, away = shown["outputs"]
    assert (shown["status"], shown["progress"], shown["waitingFor"]) == ("completed", 1, None)
    assert (here["status"], here["sizeBytes"], here["width"], here["files"]) == ("uploaded", 10240, 1280, ["0.mp4"])
    assert [check["name"] for check in here["proof"]["checks"]] == ["run", "decode"]
    assert (here["warnings"][0]["code"], here["timings"]["encode"], here["error"]) == ("no_audio", 1.5, None)
    assert here["command"] == ["ffmpeg", "-i", "source"]
    assert (away["uri"], away["url"]) == ("https://media.example.com/out", None)
    assert "S3cret" not in str(shown)
    async with api.ask("GET", f"/jobs/{job}/outputs/0/log") as response:
        assert (await response.text(), response.content_type) == ("frame= 42\n", "text/plain")
    for wrong in ("2", "100", "x", "-1"):
        async with api.ask("GET", f"/jobs/{job}/outputs/{wrong}/log") as response:
            assert response.status == 404
    assert await api.get(f"/jobs/{job}/outputs/0/tail") == {"live": False, "at": 0, "text": "frame= 42\n"}


async def test_a_timeline_tells_each_attempt_and_who_was_told(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB | {"notificationUrl": "https://media.example.com/hook"}))["id"]
    path = f"/jobs/{job}/timeline"
    (run,) = (await api.get(path))["runs"]
    assert (run["waitingSince"], run["attempts"], run["endedAt"]) == (run["startedAt"], [], None)
    claim = await claimed(store)
    released = settle.released(claim, uniform=lambda low, _high: low)
    steps = (Step(stage="fetching", at=0.0), Step(stage="encoding", at=0.1))
    await store.settle(claim, replace(released, trail=Trail(worker="w3", steps=steps)))
    await complete(store, await claimed(store), api)
    told = await api.get(path)
    ((first, second),) = (run["attempts"] for run in told["runs"])
    assert [(each["outcome"], each["worker"]) for each in (first, second)] == [("released", "w3"), ("done", None)]
    assert [(span["output"], span["stage"]) for span in first["spans"]] == [(None, "fetching")]
    assert first["queuedAt"] < first["startedAt"] < first["endedAt"] == second["queuedAt"] < second["endedAt"]
    assert (told["complete"], told["runs"][0]["endedAt"]) == (True, second["endedAt"])
    types = [each["type"] for each in told["webhooks"]]
    assert (types[0], types[-1]) == ("job.submitted", "job.completed")


async def test_whoever_reads_a_log_makes_its_worker_tell_it(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    claim = await claimed(store)
    await store.mark(claim, [OutputChange(id=OutputId(0), state=OutputState.ENCODING)])
    ear, heard = store.ear(), asyncio.Queue[str]()
    listener = asyncio.create_task(ear.listen(heard.put_nowait))
    try:
        async with asyncio.timeout(20):
            assert await heard.get() == "reconnected"
            path = f"/jobs/{job}/outputs/0/tail"
            async with api.ask("GET", path) as response:
                assert response.status == 404
            while await heard.get() != f"log:{job}":
                pass
        await tell(store, claim, "Stream #0", left_s=60.0)
        assert await api.get(path) == {"live": True, "at": 3, "text": "Stream #0"}
        await store.hint("ready:nothing")
        assert await asyncio.wait_for(heard.get(), 20) == "ready:nothing", "it was asked lately"
    finally:
        listener.cancel()
        await asyncio.wait({listener})


async def tell(store: PostgresStore, claim: Claim, text: str, *, left_s: float) -> None:
    heart = store.heart()
    log = LogTail(outputs=(OutputId(0),), at=3, text=text, left_s=left_s)
    live = {OutputId(0): Live(stage="encoding", aside=Aside(log=log))}
    await heart.beat(WORKER, [Beat(task_id=claim.task_id, epoch=claim.epoch, live=live)], lease=LEASE)
    await heart.close()


async def test_a_link_gives_the_file_whole_or_in_ranges_and_to_nobody_without_it(
    api: Api, store: PostgresStore
) -> None:
    job = (await api.submit(JOB))["id"]
    await complete(store, await claimed(store), api)
    link = (await api.get(f"/jobs/{job}"))["outputs"][0]["url"].removeprefix("http://lab")
    async with api.ask("GET", link) as response:
        body = await response.read()
        assert (response.status, body) == (200, bytes(range(256)) * 40)
        assert response.headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{job}-0.mp4"
        assert (response.content_type, response.headers["X-Content-Type-Options"]) == ("video/mp4", "nosniff")
        etag = response.headers["ETag"]
    async with api.ask("HEAD", link) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, "10240")
    for wanted, content_range in (("bytes=10-19", "bytes 10-19/10240"), ("bytes=-5", "bytes 10235-10239/10240")):
        async with api.ask("GET", link, headers={"Range": wanted}) as response:
            assert (response.status, response.headers["Content-Range"]) == (206, content_range)
            first = int(content_range.split()[1].partition("-")[0])
            assert body.startswith(await response.read(), first)
    async with api.ask("GET", link, headers={"If-None-Match": etag}) as response:
        assert response.status == 304
    for headers, status in (
        ({"If-Match": f'"other", {etag}'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": '"other"'}, 412),
        ({"If-Match": f"W/{etag}"}, 412),
        ({"If-Unmodified-Since": "Thu, 01 Jan 2099 00:00:00 GMT"}, 200),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1998 00:00:00 GMT"}, 412),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1998 00:00:00 GMT", "If-Match": etag}, 200),
    ):
        async with api.ask("GET", link, headers=headers) as response:
            told = await response.read()
            assert response.status == status, headers
            assert status == 200 or json.loads(told)["code"] == "precondition_failed"
    for wanted in ("bytes=10240-", "bytes=9-3", "lines=1-2"):
        async with api.ask("GET", link, headers={"Range": wanted}) as response:
            told = json.loads(await response.read())
            assert (response.status, told["code"]) == (416, "range_not_satisfiable")
    bare = link.partition("?")[0]
    changed = (link.replace("0.mp4", "1.mp4", 1), link.replace("expires=1", "expires=2"), link[:-1] + "x")
    for wrong in (*changed, bare, f"{bare}?expires=1", f"{link}&more=1", f"{link}&{link.partition('?')[2]}"):
        async with api.ask("GET", wrong) as response:
            assert (response.status, json.loads(await response.read())["code"]) == (404, "not_found")


async def test_a_link_that_was_ours_says_whether_it_or_its_file_is_gone(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    await complete(store, await claimed(store), api)
    output = (await api.get(f"/jobs/{job}"))["outputs"][0]
    past = datetime.now(UTC) - timedelta(seconds=5)
    late = await api.storage.link(output["uri"].removeprefix("storage:"), expires=past, file_name="a")
    async with api.ask("GET", late.removeprefix("http://lab")) as response:
        assert (response.status, (await response.json())["code"]) == (403, "link_expired")
    async with api.ask("DELETE", f"/jobs/{job}") as response:
        assert response.status == 204
    async with api.ask("GET", output["url"].removeprefix("http://lab")) as response:
        assert (response.status, (await response.json())["code"]) == (404, "not_found")


async def test_the_page_of_a_job_leads_to_the_file_in_our_storage_and_to_no_other(
    api: Api, store: PostgresStore
) -> None:
    job = (await api.submit(JOB))["id"]
    await complete(store, await claimed(store), api)
    async with api.ask("GET", f"/ui/jobs/{job}") as response:
        (link,) = re.findall(r'href="([^"]+)" rel="noreferrer noopener">', await response.text())
    async with api.ask("GET", html.unescape(link).removeprefix("http://lab")) as response:
        assert (response.status, await response.read()) == (200, bytes(range(256)) * 40)


async def test_a_failed_output_says_why(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    claim = await claimed(store)
    failure = Problem.of(Permanent("source_truncated", "The file says 40.0 s, only 24.0 s could be decoded."))
    await store.settle(claim, settle.failed(failure))
    shown = await api.get(f"/jobs/{job}")
    assert shown["status"] == "failed"
    assert shown["error"] == {
        "code": "source_truncated",
        "message": "The file says 40.0 s, only 24.0 s could be decoded.",
        "class": "permanent",
        "retryable": False,
        "check": None,
    }
    assert {output["error"]["code"] for output in shown["outputs"]} == {"source_truncated"}


async def test_workers_are_shown_with_what_they_run(api: Api, store: PostgresStore) -> None:
    info = WorkerInfo(
        id=WORKER, host="lab", pid=7, version="0.1", queues=("encode",), slots={"encode": 1}, encoders=("libx264",)
    )
    await store.hello(info)
    job = (await api.submit(JOB))["id"]
    await claimed(store)
    (worker,) = (await api.get("/workers"))["workers"]
    assert (worker["id"], worker["host"], worker["slots"], worker["draining"]) == (
        str(WORKER),
        "lab",
        {"encode": 1},
        False,
    )
    assert [task["jobId"] for task in worker["running"]] == [job]
    stats = await api.get("/stats")
    assert stats["jobs"] == {"queued": 1, "processing": 0, "completed": 0, "failed": 0, "cancelled": 0}
    assert [(queue["queue"], queue["running"]) for queue in stats["queues"] if queue["queue"] == "encode"] == [
        ("encode", 1)
    ]


async def test_what_jobs_of_a_time_have_used_is_told(
    api: Api, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = (await api.submit(JOB))["id"]
    claim = await claimed(store)
    delivered = Delivered(uri="file:a", size_bytes=1000, sha256="ab", duration_seconds=90.0)
    change = OutputChange(
        id=OutputId(0), state=OutputState.UPLOADED, delivered=delivered, timings=Timings(encode_cpu=3.5)
    )
    await store.mark(claim, [change])
    created = (await api.get(f"/jobs/{job}"))["createdAt"]
    assert (await api.get("/stats"))["usage"] is None
    used = (await api.get(f"/stats?createdAfter={created}"))["usage"]
    assert (used.pop("since"), used.pop("until") > created) == (created, True)
    sums = {"outputs": 1, "outputMinutes": 1.5, "cpuSeconds": 3.5, "deliveredBytes": 1000}
    assert used == {"jobs": 1, **sums, "presets": [{"preset": "h264", **sums}]}
    mine, theirs = [await api.get(f"/tenants/{tenant}/usage?createdAfter={created}") for tenant in (1, 2)]
    assert (await api.get("/tenants/1/usage"))["since"][7:] == "-01T00:00:00Z"
    assert (mine["presets"], mine["jobs"]) == ([{"preset": "h264", **sums}], 1)
    assert (theirs["presets"], theirs["jobs"], theirs["outputMinutes"]) == ([], 0, 0)
    for tenant in ("0", "1e3", "-1", "9" * 19):
        assert (await api.told("GET", f"/tenants/{tenant}/usage"))[0] == 404, tenant
    shown = await encoder("stats", "--since", created, url=api.url)
    assert "used by 1 job: 1 output, 1:30 long, 3.5 s of CPU, 1 kB\n  h264             1 output, 1:30 long" in shown.out
    monkeypatch.setattr(fleet, "MOST_USED", 0)
    after, before = f"createdAfter={created}", f"createdBefore={created}"
    for asked in (after, before, f"{after}&{before}"):
        async with api.ask("GET", f"/stats?{asked}") as response:
            assert (response.status, (await response.json())["code"]) == (400, "invalid_query")


async def test_deliveries_are_listed_and_told_again(api: Api, store: PostgresStore) -> None:
    job = await api.submit(JOB | {"notificationUrl": "https://hook.example.com/in?token=S3cret"})
    await api.submit(JOB)
    (delivery,) = (await api.get(f"/webhooks/deliveries?job={job['uuid']}"))["deliveries"]
    assert (delivery["type"], delivery["status"], delivery["tries"]) == (EventType.JOB_SUBMITTED, "pending", 0)
    assert "S3cret" not in str(delivery)
    assert (await api.get("/webhooks/deliveries"))["deliveries"] == [delivery]
    async with api.ask("POST", f"/webhooks/deliveries/{delivery['id']}/replay") as response:
        assert response.status == 202
    for wrong in ("0", "x", "9" * 18):
        async with api.ask("POST", f"/webhooks/deliveries/{wrong}/replay") as response:
            assert response.status == 404
    async with api.ask("GET", "/webhooks/deliveries?job=77") as response:
        assert response.status == 404
