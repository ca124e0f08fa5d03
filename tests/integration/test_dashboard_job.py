"""The page of one job over HTTP, and those of its outputs: what they say is what the API tells, and only text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from encoder.blame import Blame
from encoder.errors import CATALOGUE, FailureClass, Permanent, Transient
from encoder.model.ids import OutputId, WorkerId
from encoder.model.plan import Note, OutputPlan
from encoder.model.proof import Check, Proof
from encoder.model.result import Delivered, Intent, Piece, Problem, Timings
from encoder.model.state import OutputState
from encoder.model.trail import LogTail, Step, Trail
from encoder.queue import settle
from encoder.store.postgres import PostgresStore
from encoder.store.rows import Aside, Beat, Claim, DeliveryTry, Live, OutputChange
from tests.contracts.store_chunks import split, taken
from tests.lab import work
from tests.lab.api import Api, running

HOSTILE = "\"'><img src=x onerror=alert(1)>{{7*7}}\u202e"
JOB: dict[str, Any] = {
    "source": {"kind": "inline", "data": "QUJD", "fileName": "holiday.mov"},
    "outputs": [{"preset": "h264"}, {"container": "webm"}],
}
FAILURES = [(entry, entry.kind) for entry in CATALOGUE.values() if entry.kind is not None]
LEASE = timedelta(minutes=1)
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def claimed(store: PostgresStore, queue: str = "encode") -> Claim:
    (claim,) = await store.claim(queue, WorkerId(uuid4()), limit=1, lease=LEASE, deadline=timedelta(hours=1))
    return claim


async def beat(store: PostgresStore, claim: Claim, *lives: Live, lease: timedelta = LEASE) -> None:
    heart = store.heart()
    live = {OutputId(number): each for number, each in enumerate(lives)}
    await heart.beat(WorkerId(uuid4()), [Beat(task_id=claim.task_id, epoch=claim.epoch, live=live)], lease=lease)
    await heart.close()


async def page(api: Api, path: str, status: int = 200) -> str:
    """What it shows, each blank as one."""
    async with api.ask("GET", path) as response:
        assert (response.status, response.content_type) == (status, "text/html"), path
        text: str = await response.text()
    assert not re.search(r"<style|\sstyle=|<[^>]*\son\w+=|\|safe", text.replace("onerror=alert", ""))
    return unescape(re.sub(r"[\u202f\s]+", " ", text))


def words(text: str) -> str:
    """What stands there without its markup."""
    return re.sub(r"\s+([.,:])", r"\1", re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


async def failed(api: Api, store: PostgresStore, problem: Problem, **more: object) -> int:
    job: int = (await api.submit(JOB | more))["id"]
    await store.settle(await claimed(store), settle.failed(problem))
    return job


async def proven(store: PostgresStore, claim: Claim, output: int = 0, *, checks: tuple[Check, ...] = ()) -> None:
    """An output as a worker leaves it."""
    job = await store.load(claim)
    uri = f"storage:jobs/{job.uuid}/{output}.mp4"
    made = Delivered(uri=uri, size_bytes=18_200_000, sha256="ab" * 32, files=(f"{output}.mp4",), width=1280, height=720)
    piece = Piece(name="", size_bytes=18_200_000, sha256="ab" * 32)
    plan = OutputPlan(
        output=output,
        container="mp4",
        muxer="mp4",
        extension="mp4",
        content_type="video/mp4",
        reasons=(Note(code="fps", message="The rate of the source was kept."),),
    )
    for state, members in (
        (OutputState.ENCODING, {"plan": plan, "command": ("ffmpeg", "-i", "it's mine.mov", "&&", "ffmpeg", "$HOME")}),
        (OutputState.VERIFYING, {"log": "Stream #0\nError while decoding <b>x</b>\nconversion done\n"}),
        (
            OutputState.UPLOADING,
            {
                "proof": Proof(checks=checks or (Check(name="run", passed=True),)),
                "intent": Intent(token=f"{claim.task_id}-{claim.epoch}", promised=made, pieces=(piece,)),
                "warnings": (Note(code="rotated", message="It was recorded turned."),),
            },
        ),
        (OutputState.UPLOADED, {"delivered": made, "timings": Timings(encode=31.0, verify=2.0, upload=0.5)}),
    ):
        await store.mark(claim, [OutputChange(id=OutputId(output), state=state, **members)])


async def test_each_failure_has_a_card_with_cause_and_next_step(api: Api, store: PostgresStore) -> None:
    """Each code of the catalogue, at an output of its own."""
    job = (
        await api.submit(JOB | {"outputs": [{"preset": "h264", "width": 100 + 2 * n} for n in range(len(FAILURES))]})
    )["id"]
    claim = await claimed(store)
    told = ((entry.code, kind) for entry, kind in FAILURES)
    problems = [Problem(code=code, message=f"Said of {code}.", kind=kind, retryable=False) for code, kind in told]
    await store.mark(
        claim,
        [
            OutputChange(id=OutputId(number), state=OutputState.FAILED, problem=problem)
            for number, problem in enumerate(problems)
        ],
    )
    await store.settle(claim, settle.done())
    text = await page(api, f"/ui/jobs/{job}")
    cards = [words(card) for card in re.findall(r'<section class="card bad.*?</section>', text)]
    assert len(cards) == len(FAILURES)
    for (entry, kind), card in zip(FAILURES, cards, strict=True):
        fault = "source" if entry.blame is Blame.PLACE else str(entry.blame)
        words_of_it = (
            entry.title,
            f"Said of {entry.code}.",
            str(entry.about),
            f"fault: {fault}",
            f"Do now: {entry.to_do}",
        )
        for said in (*words_of_it, str(kind), "tried 1 time"):
            assert said in card, entry.code
        assert f'href="/docs/errors#{entry.code}"' in text


async def test_a_code_of_a_plug_in_has_a_card_too(api: Api, store: PostgresStore) -> None:
    problem = Problem(code="tape_torn", message="The tape is torn.", kind=FailureClass.PERMANENT, retryable=False)
    text = words(await page(api, f"/ui/jobs/{await failed(api, store, problem)}"))
    assert "The tape is torn." in text
    assert "tape_torn" in text


async def test_a_failed_job_says_what_stands_what_was_tried_and_what_comes(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    claim = await claimed(store)
    await proven(store, claim)
    refused = Permanent("destination_auth_failed", "s3://acme-out answered 403 AccessDenied.")
    first = settle.after_failure(
        claim, Transient("timeout", "No answer."), encoded=True, uniform=lambda _low, _high: 0.0
    )
    await store.settle(claim, replace(first, delay=timedelta(0)))
    await store.due()
    again = await claimed(store)
    trail = Trail(worker="w1", steps=(Step(stage="encoding", at=0.0, output=OutputId(1)),))
    await store.settle(again, replace(settle.failed(Problem.of(refused)), trail=trail))
    text = await page(api, f"/ui/jobs/{job}")
    told = words(text)
    assert "1 of 2 outputs stands." in told
    assert "tried 2 times" in told
    assert "A new run makes 1 · webm. 1 that stands stays as it is." in told
    assert "Retry failed (1)" in told
    assert f'action="/ui/jobs/{job}/retry"' in text
    assert f'href="/ui/jobs/new?from={job}"' in text
    assert "failed, tried again" in told
    assert "encode" in told


async def test_all_of_an_output_is_told_as_the_api_tells_it(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB | {"metadata": {"orderId": "42"}, "tags": ["trailer"]}))["id"]
    claim = await claimed(store)
    picture = Check(name="picture", passed=False, fault="width", expected={"width": 1280}, measured={"width": 1279})
    await proven(store, claim)
    shown = await api.get(f"/jobs/{job}")
    for path in (f"/ui/jobs/{job}", f"/ui/jobs/{job}/outputs/0"):
        text = await page(api, path)
        assert "18.2 MB" in text
        assert "Proven: 1 check passed, 17 do not apply." in text
        assert "The rate of the source was kept." in text
        assert "ffmpeg -i 'it'\"'\"'s mine.mov' && ffmpeg '$HOME'" in text
        assert shown["outputs"][0]["uri"] in text
        assert shown["outputs"][0]["url"].partition("?")[0] in text
        assert "It was recorded turned." in text
        assert "encode 31 s" in text
        assert f'href="/ui/jobs/{job}/outputs/0/watch"' in text
    text = await page(api, f"/ui/jobs/{job}")
    assert '"orderId": "42"' in text
    assert 'href="/?tag=trailer"' in text
    assert re.sub(r"\s+", " ", (await api.get(f"/jobs/{job}/request"))["curl"]) in text
    log = await page(api, f"/ui/jobs/{job}/outputs/0/log")
    assert '<mark id="error">Error while decoding <b>x</b> </mark>conversion done' in log
    assert "<b>x" not in (await raw(api, f"/ui/jobs/{job}/outputs/0/log"))
    await proven(store, claim, 1, checks=(Check(name="run", passed=True), picture))
    proof = await page(api, f"/ui/jobs/{job}/outputs/1/proof?faults=1")
    assert "Not proven: picture failed; 1 check passed, 16 do not apply." in proof
    row = words(re.findall(r'<tr class="wrong">.*?</tr>', proof)[0])
    assert [part for part in row.split() if part in ("1,280", "1,279")] == ["1,280", "1,279"]
    assert "Encoder's end" not in proof
    async with api.ask("GET", f"/ui/jobs/{job}/json") as response:
        assert unsigned(await response.json()) == unsigned(await api.get(f"/jobs/{job}"))
    async with api.ask("GET", f"/ui/jobs/{job}/outputs/0/log/raw") as response:
        assert (response.content_type, (await response.text())[:9]) == ("text/plain", "Stream #0")


def unsigned(job: dict[str, Any]) -> dict[str, Any]:
    """Without the links, each of which is made anew."""
    return job | {"outputs": [output | {"url": None} for output in job["outputs"]]}


async def raw(api: Api, path: str) -> str:
    async with api.ask("GET", path) as response:
        text: str = await response.text()
        return text


async def test_a_job_under_way_says_how_far_how_fast_and_when_it_was_heard_of(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    claim = await claimed(store)
    await store.mark(claim, [OutputChange(id=OutputId(each), state=OutputState.ENCODING) for each in (0, 1)])
    begun = Step(stage="encoding", at=0.2, output=OutputId(0))
    steps = (Step(stage="fetching", at=0.1), Step(stage="encoding", at=0.2), begun)
    log = LogTail(outputs=(OutputId(0),), at=40, text="Stream mapping:\n", left_s=50.0)
    encodes = Live(
        stage="encoding", progress=0.412, fps=118.2, speed=3.94, eta_seconds=240.0, aside=Aside(steps=steps, log=log)
    )
    uploads = Live(stage="uploading", progress=0.96, transferred_bytes=12_000_000, bytes_per_second=3_041_592.6)
    await beat(store, claim, encodes, replace(uploads, total_bytes=240_000_000))
    text = words(await page(api, f"/ui/jobs/{job}"))
    progress = (await api.get(f"/jobs/{job}"))["progress"]
    assert f"{int(progress * 100)} % done, about 4 min left." in text
    assert "Last sign of life" in text
    assert re.search(r"encoding\s+41 %\s+118 fps · 3.9× · ~4 min left", text)
    assert re.search(r"uploading\s+96 %\s+12 MB of 240 MB · 3.04 MB/s", text)
    assert "encode" in text
    assert "so far" in text
    assert f'action="/ui/jobs/{job}/cancel"' in await page(api, f"/ui/jobs/{job}")
    tail = await page(api, f"/ui/jobs/{job}/outputs/0/log")
    assert "Stream mapping:" in tail
    assert "40 letters came before" in tail
    await beat(store, claim, encodes, lease=timedelta(seconds=1))
    await asyncio.sleep(0.5)
    assert re.search(r"Silent for 0\.\d s of 1\.0 s allowed", words(await page(api, f"/ui/jobs/{job}")))


async def test_a_job_that_waits_says_for_what(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    assert "Waits for a free slot" in words(await page(api, f"/ui/jobs/{job}"))
    claim = await claimed(store)
    failure = Transient("source_unavailable", "No answer within 10 s.")
    await store.settle(claim, settle.after_failure(claim, failure, encoded=False, uniform=lambda _low, high: high))
    waits = (await api.get(f"/jobs/{job}"))["waitingFor"]
    text = words(await page(api, f"/ui/jobs/{job}"))
    assert f"Waits before its next attempt: {waits['detail']}." in text
    assert "No answer within 10 s." in text
    assert CATALOGUE["source_unavailable"].to_do in text
    assert "The next attempt comes by itself." in text


async def test_what_others_wrote_is_only_text_and_secrets_are_nowhere(api: Api, store: PostgresStore) -> None:
    """H1, H7"""
    login = {"username": "S3nt1nel", "password": "S3nt1nel"}
    keys = {"access_key_id": "S3nt1nel", "access_key_secret": "S3nt1nel"}
    asked = {
        "source": {"url": "s3://my-bucket/a%20b.mov", **keys},
        "outputs": [
            {"preset": "h264", "destination": {"kind": "ftps", "host": "h.example", "path": "/out.mp4", **login}},
            {"preset": "vp9"},
        ],
        "notificationUrl": "https://media.example.com/hook?token=S3nt1nel",
        "metadata": {"said": [{"deep": HOSTILE}]},
        "tags": [HOSTILE],
    }
    job = (await api.submit(asked))["id"]
    claim = await claimed(store)
    hostile = Check(
        name=HOSTILE, passed=False, fault=HOSTILE, expected={HOSTILE: HOSTILE}, measured={HOSTILE: [HOSTILE]}
    )
    await proven(store, claim, checks=(hostile,))
    await store.mark(claim, [OutputChange(id=OutputId(1), state=OutputState.ENCODING, command=("ffmpeg", HOSTILE))])
    trail = Trail(worker=HOSTILE, steps=(Step(stage="encoding", at=0.0, output=OutputId(1)),))
    await store.settle(claim, replace(settle.failed(Problem.of(Permanent("source_truncated", HOSTILE))), trail=trail))
    refused = DeliveryTry(state="pending", status=500, error=HOSTILE, answer=HOSTILE)
    await store.settle_delivery(await claimed(store, queue="io"), refused, work.retrying())
    for path in ("", "/outputs/0", "/outputs/1", "/outputs/0/log", "/outputs/0/proof"):
        text = await raw(api, f"/ui/jobs/{job}{path}")
        assert "<img" not in text
        assert "\u202e" not in text
        assert "S3nt1nel" not in text
        assert not re.search(r"<[^>]*\son(?!error=alert)\w+=", text)
    text = await page(api, f"/ui/jobs/{job}")
    assert "{{7*7}}" in text
    assert "ftps h.example" in text
    assert "$" in text, "secrets are variables"


async def test_what_is_done_asks_first_and_says_what_it_did(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB))["id"]
    at = f"/ui/jobs/{job}"

    async def post(path: str, **form: str) -> tuple[int, str]:
        async with api.ask("POST", f"{at}{path}", data=form, headers=OWN, allow_redirects=False) as response:
            return response.status, response.headers.get("Location", "") or await response.text()

    status, question = await post("/cancel")
    assert (status, f"Cancel job {job}?" in question, (await api.get(f"/jobs/{job}"))["status"]) == (
        200,
        True,
        "queued",
    )
    assert await post("/cancel", confirm="1") == (303, at)
    assert (await api.get(f"/jobs/{job}"))["status"] == "cancelled"
    assert "Run again (2)" in words(await page(api, at))
    assert await post("/retry", confirm="1") == (303, at)
    assert (await api.get(f"/jobs/{job}"))["run"] == 2
    text = await page(api, at)
    assert 'id="run-2" open' in text
    assert 'id="run-1"' in text
    assert (await post("/retry", confirm="1"))[0] == 409
    assert await post("/delete", confirm="1") == (303, "/")
    assert "No such job here" in await page(api, at, 404)
    assert (await post("/cancel", confirm="1"))[0] == 404


async def test_a_message_is_sent_again_from_the_page(api: Api, store: PostgresStore) -> None:
    job = (await api.submit(JOB | {"notificationUrl": "https://media.example.com/hook"}))["id"]
    refused = DeliveryTry(state="pending", status=503, error="receiver_unavailable", answer="busy")
    await store.settle_delivery(await claimed(store, queue="io"), refused, work.retrying())
    (told,) = (await api.get(f"/jobs/{job}/timeline"))["webhooks"]
    assert (told["status"], told["httpStatus"]) == ("pending", 503)
    assert told["nextTryAt"] is not None
    text = await page(api, f"/ui/jobs/{job}")
    assert "503" in words(text)
    assert 'href="/docs/errors#receiver_unavailable"' in text
    assert "next" in words(text)
    (action,) = re.findall(r'action="(/ui/webhooks/\d+/replay)"', text)
    after = f"/ui/jobs/{job}#webhooks"
    assert f'value="{after}"' in text
    form = {"after": after, "confirm": "1"}
    async with api.ask("POST", action, data=form, headers=OWN, allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, after)
    assert (await api.get(f"/jobs/{job}/timeline"))["webhooks"][0]["nextTryAt"] is None
    await claimed(store, queue="io")


@pytest.mark.parametrize("ref", ["0", "x", "9" * 30, "%3Cimg%3E"])
async def test_a_page_of_no_job_says_so(api: Api, ref: str) -> None:
    for path in ("", "/outputs/0", "/outputs/0/log"):
        text = await page(api, f"/ui/jobs/{ref}{path}", 404)
        assert "No such job here" in text
        assert "belong to another key" in text
        assert "<img" not in text


async def test_a_job_of_many_outputs_and_long_names_is_whole_and_light(api: Api, store: PostgresStore) -> None:
    long = "The whole afternoon at the lake " * 6
    asked = {"outputs": [{"preset": "h264", "width": 100 + 2 * n} for n in range(40)], "tags": [long[:100]]}
    job = (await api.submit(JOB | asked | {"source": {**JOB["source"], "fileName": f"{long}.mov"}}))["id"]
    claim = await claimed(store)
    for number in range(40):
        await proven(store, claim, number)
    steps = tuple(Step(stage="encoding", at=number, output=OutputId(number)) for number in range(40))
    await store.settle(claim, replace(settle.done(), trail=Trail(worker="w3", steps=steps)))
    text = await raw(api, f"/ui/jobs/{job}")
    assert len(text) < 300_000
    assert long.strip() in text
    for number in range(40):
        assert f'id="o{number}"' in text
        assert f'data-load="/ui/parts/jobs/{job}/outputs/{number}"' in text
    assert "ffmpeg -i" in await page(api, f"/ui/parts/jobs/{job}/outputs/39")


async def test_a_job_in_chunks_tells_how_many_are_made_and_folds_those_that_went_well(
    api: Api, store: PostgresStore
) -> None:
    """An attempt at a chunk that was lost stands by itself."""
    job: int = (await api.submit(JOB))["id"]
    root = await claimed(store)
    await store.mark(root, [OutputChange(id=OutputId(0), state=OutputState.ENCODING)])
    await store.settle(root, replace(settle.done(), fan_out=split(5)))
    chunks = [await taken(store, f"w{number}") for number in range(4)]
    for number, claim in enumerate(chunks[:2]):
        await store.settle(claim, replace(settle.done(), trail=Trail(worker=f"w{number}")))
    (gone,) = chunks[2:3]
    await beat(store, gone, lease=work.PAST)
    assert await store.rescue(gone, settle.lost(gone)) is not None
    await beat(store, chunks[3], Live(stage="encoding", progress=0.5, fps=118.0, speed=3.9, eta_seconds=40))
    told = words(await page(api, f"/ui/jobs/{job}"))
    assert "2 of 5 chunks are made, 1 is being made" in told
    assert "118 fps · 3.9×" in told
    assert re.search(r"Chunks 1–4 run on w0, w1, w3 encode .* 2 made, 1 being made, slowest", told), told
    assert "Attempt 1 at chunk 3 worker lost" in told
    listed = words(await page(api, "/ui/jobs"))
    assert "2 of 5 chunks" in listed
    timeline = await api.get(f"/jobs/{job}/timeline")
    (run,) = timeline["runs"]
    assert (run["chunks"]["made"], run["chunks"]["running"], run["chunks"]["last"]) == (2, 1, 4)
    assert [each["task"] for each in run["attempts"]] == ["t1", "t1/c0002"]
    workers = words(await page(api, "/ui/fleet"))
    assert f"j{job} holiday.mov chunk 4" in workers, workers
