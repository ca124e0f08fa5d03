"""What an answer says of a job that is not done: how far it is, and what it waits for; never a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from encoder.api import tell, tell_uploads
from encoder.api.answers import WaitAnswer
from encoder.destinations.registry import Destinations
from encoder.errors import CATALOGUE, FailureClass
from encoder.model.base import from_json
from encoder.model.ids import DEFAULT_TENANT, JobId, OutputId, WorkerId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Plan
from encoder.model.preview import Preview
from encoder.model.result import Problem
from encoder.model.state import JobState, OutputState, TaskState, UploadEnd, UploadProtocol, UploadState
from encoder.net.guard import Policy
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.store.kept import UploadRow
from encoder.store.rows import ChunkCount, Holder, Holdup, JobRow, Lack, Live, OutputRow
from encoder.wiring.checks import Checks
from tests.contracts.test_destinations import no_storage
from tests.lab import facts

AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SPEC = from_json(JobSpec, {"source": {"kind": "inline"}, "outputs": []})
OUTPUT = from_json(OutputSpec, {"container": "mp4"})


def row(*states: OutputState, live: Live | None = None, **more: Any) -> JobRow:  # noqa: ANN401  # members of JobRow
    outputs = [
        OutputRow(id=OutputId(number), spec=OUTPUT, state=state, live=live if state is OutputState.ENCODING else None)
        for number, state in enumerate(states)
    ]
    return JobRow(
        id=JobId(42), uuid=UUID(int=42), tenant_id=DEFAULT_TENANT, state=JobState.PROCESSING, run=1, spec=SPEC,
        label="in.mov", sealed=None, cancel_requested=False, media=None, problem=None, created_at=AT, started_at=AT,
        finished_at=None, outputs=tuple(outputs), **more,
    )  # fmt: skip


UP, FAILED, CANCELLED = OutputState.UPLOADED, OutputState.FAILED, OutputState.CANCELLED
QUEUED, ENCODING = OutputState.QUEUED, OutputState.ENCODING


@pytest.mark.parametrize(
    ("states", "of_job", "of_outputs"),
    [
        ((UP, UP), 1.0, [1.0, 1.0]),
        ((FAILED,), None, [None]),
        ((CANCELLED, FAILED), None, [None, None]),
        ((UP, FAILED), 1.0, [1.0, None]),
        ((UP, QUEUED, CANCELLED), 0.5, [1.0, 0.0, None]),
        ((ENCODING, FAILED), 0.25, [0.25, None]),
    ],
)
def test_what_will_never_be_made_has_no_progress_and_does_not_count(
    states: Sequence[OutputState], of_job: float | None, of_outputs: list[float | None]
) -> None:
    told = tell.progress(row(*states, live=Live(stage="encoding", progress=0.25)))
    assert (told.progress, [output.progress for output in told.outputs]) == (of_job, of_outputs)


def test_one_unknown_share_makes_that_of_the_job_unknown() -> None:
    assert tell.progress(row(UP, ENCODING, live=Live(stage="encoding"))).progress is None


UPLOAD = UploadRow(
    id=UUID(int=7), tenant_id=DEFAULT_TENANT, key="uploads/7/source", file_name="in.mov", content_type="video/mp4",
    declared_bytes=None, state=UploadState.UPLOADED, size_bytes=100, job_id=JobId(42), created_at=AT, expires_at=AT,
    uploaded_at=AT, protocol=UploadProtocol.PUT, offset_bytes=100, multipart=None, ended=None, problem=None,
    ended_at=None, planned=False, read_at=AT,
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (JobState.QUEUED, "uploaded"),
        (JobState.PROCESSING, "processing"),
        (JobState.COMPLETED, "completed"),
        (JobState.FAILED, "failed"),
        (JobState.CANCELLED, "cancelled"),
    ],
)
def test_an_upload_stands_as_the_job_that_was_made_of_it(state: JobState, status: str) -> None:
    assert tell_uploads.upload(UPLOAD, replace(row(UP), state=state)).processing_status == status


def test_an_upload_without_a_job_stands_for_itself() -> None:
    assert tell_uploads.upload(UPLOAD, None).processing_status == "uploaded"
    assert tell_uploads.upload(replace(UPLOAD, state=UploadState.PENDING), None).processing_status == "pending"


@pytest.mark.parametrize("code", ["upload_expired", "upload_too_large", "upload_incomplete", "unsupported_media_type"])
def test_an_upload_that_ended_says_why(code: str) -> None:
    ended = replace(UPLOAD, state=UploadState.PENDING, ended=UploadEnd.FAILED, problem=code, job_id=None)
    told = tell_uploads.upload(ended, None)
    assert told.processing_status == "failed"
    assert told.error is not None
    assert (told.error.code, told.error.message != CATALOGUE[code].title) == (code, True)


def test_the_codecs_and_the_time_of_an_upload_are_told_once_they_are_known() -> None:
    told = tell_uploads.upload(UPLOAD, row(QUEUED))
    assert (told.original_codec, told.target_codec, told.processing_time) == (None, None, None)
    media = from_json(
        Media,
        {"format": "mp4", "sizeBytes": 1, "audio": [{"index": 0, "codec": "aac", "channels": 2, "sampleRateHz": 1}]},
    )
    ended = replace(row(QUEUED), media=media, finished_at=AT + timedelta(seconds=1.5))
    told = tell_uploads.upload(UPLOAD, ended)
    assert (told.original_codec, told.target_codec, told.processing_time) == ("aac", None, 1.5)


PROBLEM = Problem(code="source_unavailable", message="No answer.", kind=FailureClass.TRANSIENT, retryable=True)


def waits(state: TaskState, problem: Problem | None) -> WaitAnswer:
    told = tell.progress(row(QUEUED, task_state=state, run_at=AT, task_problem=problem)).waiting_for
    assert told is not None
    return told


def test_a_job_that_waits_for_its_next_attempt_says_why_the_last_one_failed() -> None:
    told = waits(TaskState.SCHEDULED, PROBLEM)
    assert (told.reason, told.error) == ("backoff", PROBLEM)
    assert (
        told.detail == "an attempt failed with source_unavailable; the next one waits until 2026-11-20T14:30:00+00:00"
    )
    assert waits(TaskState.WAITING, PROBLEM).error == PROBLEM  # the time has come, and still no worker took it


def test_a_job_that_waits_without_a_failure_names_none() -> None:
    told = waits(TaskState.SCHEDULED, None)
    assert (told.error, told.detail) == (None, "the next one waits until 2026-11-20T14:30:00+00:00")
    assert waits(TaskState.READY, None).error is None


@pytest.mark.parametrize(
    ("made", "running", "reason", "detail"),
    [
        (7, 2, "chunks", "7 of 24 chunks are made, 2 are being made"),
        (23, 1, "chunks", "23 of 24 chunks are made, 1 is being made"),
        (7, 0, "paused", "7 of 24 chunks are made; the next one waits: queue `encode` is paused since 2026-11-20"),
    ],
)
def test_a_job_in_chunks_says_how_many_are_made_and_what_holds_up_the_others(
    made: int, running: int, reason: str, detail: str
) -> None:
    paused = Holdup(paused_at=AT, paused_because=None, cap=None, running=None)
    count = ChunkCount(chunks=24, made=made, running=running)
    waiting = row(ENCODING, task_state=TaskState.BLOCKED, task_queue="encode", chunks=count, holdup=paused)
    told = tell.progress(waiting).waiting_for
    assert told is not None
    assert told.reason == reason
    assert told.detail.startswith(detail)


FULL = Problem(code="disk_full", message="No room.", kind=FailureClass.RESOURCE, retryable=True)


@pytest.mark.parametrize("state", [TaskState.WAITING, TaskState.READY])
def test_a_job_says_that_no_live_worker_takes_from_its_queue(state: TaskState) -> None:
    nobody = Holdup(paused_at=None, paused_because=None, cap=None, running=None, taken=False)
    waiting = row(QUEUED, task_state=state, task_queue="gpu", task_problem=FULL, holdup=nobody)
    told = tell.progress(waiting).waiting_for
    assert told is not None
    assert told.reason == "slot"
    assert told.detail.startswith("no live worker takes from `gpu`")


@pytest.mark.parametrize(
    ("holdup", "problem", "reason", "detail"),
    [
        ((AT, "why", None, None), None, "paused", "queue `encode` is paused since 2026-11-20T14:30:00+00:00: why"),
        ((AT, "", 2, 2), None, "paused", "queue `encode` is paused since 2026-11-20T14:30:00+00:00"),
        ((None, None, 2, 2), FULL, "cap", "2 of at most 2 run"),
        ((None, None, 2, 1), FULL, "scratch", "No room."),
        ((None, None, 2, 1), None, "slot", "a free slot of a worker; GET /workers tells which are alive"),
    ],
)  # fmt: skip
def test_a_job_that_waits_says_what_holds_it_up(
    holdup: tuple[Any, ...], problem: Problem | None, reason: str, detail: str
) -> None:
    paused_at, because, cap, running = holdup
    waiting = row(
        QUEUED, task_state=TaskState.WAITING, task_queue="encode", task_problem=problem,
        holdup=Holdup(paused_at=paused_at, paused_because=because, cap=cap, running=running),
    )  # fmt: skip
    told = tell.progress(waiting).waiting_for
    assert told is not None
    assert (told.reason, told.detail) == (reason, detail)


@pytest.mark.parametrize(("what", "room"), [("scratch", "disk"), ("memory", "memory")])
def test_a_job_for_which_its_worker_lacks_room_says_how_much(what: str, room: str) -> None:
    lack = Lack(what=what, needed_bytes=1_750_000_000, free_bytes=5)
    holder = Holder(worker_id=WorkerId(UUID(int=7)), host="w3", beat_at=AT)
    working = row(ENCODING, live=Live(stage="waiting", lack=lack), task_state=TaskState.RUNNING, holder=holder)
    told = tell.progress(working)
    assert told.waiting_for is not None
    assert told.waiting_for.reason == what
    assert told.waiting_for.detail == f"1,750.0 MB of {room} on w3, where 0.0 MB are free beside other work"
    assert told.outputs[0].stage == "waiting"


def test_a_job_whose_worker_is_silent_says_so_and_shows_no_speed() -> None:
    live = Live(stage="encoding", progress=0.4, fps=50.0, speed=2.1, eta_seconds=16.0)
    silent = Holder(worker_id=WorkerId(UUID(int=7)), host="w3", beat_at=AT, silent=True)
    told = tell.progress(row(ENCODING, live=live, task_state=TaskState.RUNNING, holder=silent))
    assert told.waiting_for is not None
    assert told.waiting_for.reason == "worker"
    assert told.waiting_for.detail.startswith("the worker on w3 is silent since 2026-11-20T14:30:00+00:00;")
    (output,) = told.outputs
    assert (output.progress, output.fps, output.speed, output.eta_seconds) == (0.4, None, None, None)
    assert (output.worker, output.last_beat_at) == ("w3", AT)


@pytest.mark.parametrize("state", [TaskState.RUNNING, TaskState.DONE, TaskState.FAILED])
def test_a_job_that_runs_or_has_ended_waits_for_nothing(state: TaskState) -> None:
    assert tell.progress(row(QUEUED, task_state=state, task_problem=PROBLEM)).waiting_for is None


def test_a_dry_run_warns_of_places_before_anything_is_said_to_them() -> None:
    ftp = {"kind": "ftp", "host": "ftp.example.com", "path": "out.mp4", "username": "ann"}
    source = {"kind": "sftp", "host": "ssh.example.com", "path": "in.mov"}
    marked = {"container": "mp4", "watermark": {"source": {**ftp, "path": "logo.png"}}}
    spec = from_json(JobSpec, {"source": source, "outputs": [{"container": "mp4", "destination": ftp}, marked]})
    made = Preview(media=facts.source(), plan=Plan(outputs=(), passes=()), commands=(), estimates=())
    around = Surroundings()
    destinations = Destinations(around, stored=no_storage)
    checks = Checks(sources=Sources(around), destinations=destinations, policy=Policy())
    told = tell.preview(made, spec, checks)
    assert [note.code for note in told.outputs[0].warnings] == ["password_in_the_clear"]
    assert [note.code for note in told.outputs[1].warnings] == ["password_in_the_clear"]
    assert [note.code for note in told.warnings] == ["host_key_unchecked", "password_in_the_clear"]


@pytest.mark.parametrize(
    ("container", "place", "misleads"),
    [
        ("webm", {"kind": "file", "path": "/out/x.MP4"}, True),
        ("mp4", {"kind": "http", "url": "https://h.example/x.webm?sign=y.mp4"}, True),
        ("mp4", {"kind": "http", "url": "https://h.example/x.mp4?name=y.webm"}, False),
        ("webm", {"kind": "file", "path": "/out/x.mp4/"}, False),
        ("mp4", {"kind": "s3", "bucket": "b", "path": "v1.2/holiday"}, False),
        ("mp4", {"kind": "s3", "bucket": "b", "path": "holiday.m4v"}, False),
        ("mp4", None, False),
    ],
)
def test_a_name_that_promises_another_format_is_warned_of(
    container: str, place: dict[str, Any] | None, *, misleads: bool
) -> None:
    spec = from_json(OutputSpec, {"container": container, "destination": place})
    around = Surroundings()
    checks = Checks(sources=Sources(around), destinations=Destinations(around, stored=no_storage), policy=Policy())
    told = tell._of_places(spec, checks)
    assert [note.code for note in told] == ["suffix_differs"] * misleads
