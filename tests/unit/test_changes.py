"""What the verbs change on a job, decided without a database: whatever the outputs went through, the end fits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from encoder import errors
from encoder.model.base import Json
from encoder.model.event import JOB_OVER, TOLD, Event, EventType
from encoder.model.formats import FORMATS
from encoder.model.ids import DEFAULT_TENANT, JobId, OutputId, TaskId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.receiver import Receiver
from encoder.model.state import JOB_ENDED, OUTPUT_ENDED, TASK_ENDED, JobState, OutputState, TaskState
from encoder.model.telling import ToldJob, ToldOutput
from encoder.store import changes
from encoder.store.changes import Standing
from encoder.store.rows import Claim, Outcome, Settlement
from tests.lab import work

AT = datetime(2026, 11, 20, tzinfo=UTC)
CLAIM = Claim(
    task_id=TaskId(1),
    epoch=3,
    job_id=JobId(1),
    tenant_id=DEFAULT_TENANT,
    kind="transcode",
    queue="encode",
    name="t1",
    attempt=2,
    lost=1,
    released=0,
    max_attempts=3,
    args={},
    waited_seconds=0.0,
)


def standing(*states: OutputState, cancel: bool = False, hook: str | None = work.HOOK) -> Standing:
    return Standing(
        id=JobId(1),
        uuid=UUID(int=1),
        tenant_id=DEFAULT_TENANT,
        created_at=AT,
        state=JobState.PROCESSING,
        run=1,
        cancel_requested=cancel,
        event_seq=4,
        spec=JobSpec(source={"kind": "inline"}, outputs=(OutputSpec(container="mp4"),), notification_url=hook),
        outputs=tuple(ToldOutput(id=OutputId(number), state=state) for number, state in enumerate(states)),
    )


@given(
    outputs=st.lists(st.sampled_from(OutputState), min_size=1, max_size=6),
    cancel=st.booleans(),
    settlement=st.sampled_from((work.LOST, work.RELEASED, work.CANCELLED, work.failing(), work.retrying())),
)
def test_an_attempt_that_ends_leaves_no_output_half_way(
    outputs: list[OutputState], cancel: bool, settlement: Settlement
) -> None:
    job = standing(*outputs, cancel=cancel)
    state = changes.end_of(job, settlement)
    changed = changes.settled(job, CLAIM, state, settlement)

    after = [output.state for output in changed.job.outputs]
    ended = [happened.type for happened in changed.happenings if happened.type in JOB_OVER]
    if state in TASK_ENDED:
        assert set(after) <= OUTPUT_ENDED
        assert changed.job.state in JOB_ENDED
        assert ended == [f"job.{changed.job.state}"]
    else:
        assert not cancel
        assert set(after) <= OUTPUT_ENDED | {OutputState.QUEUED}
        assert (changed.job.state, ended) == (JobState.PROCESSING, [])
    for before, then in zip(outputs, after, strict=True):
        assert before not in OUTPUT_ENDED or then is before


def test_events_are_numbered_on_from_the_last_one() -> None:
    changed = changes.settled(standing(OutputState.ENCODING), CLAIM, TaskState.FAILED, work.failing())
    assert [(event.seq, event.type) for event in changed.events(AT)] == [
        (5, EventType.TASK_SETTLED),
        (6, EventType.OUTPUT_FAILED),
        (7, EventType.JOB_FAILED),
    ]
    assert changed.job.event_seq == 7


def test_receivers_are_told_what_is_for_them_under_the_number_of_the_event() -> None:
    changed = changes.settled(standing(OutputState.ENCODING), CLAIM, TaskState.FAILED, work.failing())
    told = changed.deliveries(AT)
    assert [(delivery.seq, delivery.type) for delivery in told] == [
        (event.seq, event.type) for event in changed.events(AT) if event.type in TOLD
    ]
    assert len({delivery.webhook_id for delivery in told}) == len(told)


def test_a_text_is_made_once_for_all_who_are_told_in_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made in the transaction that holds the job, while the worker's loop stands still."""
    made = []

    def body(event: Event, _job: ToldJob, settings: Mapping[str, Json]) -> str:
        made.append((event.seq, settings))
        return f"{event.seq} {settings}"

    monkeypatch.setitem(FORMATS, "standard", replace(FORMATS["standard"], body=body))
    endpoints = [
        Receiver(name=f"e{number}", url="https://e.example/", settings={"queue": "two"} if number == 9 else {})
        for number in range(10)
    ]
    job = replace(standing(OutputState.ENCODING), endpoints=tuple(endpoints))
    told = changes.settled(job, CLAIM, TaskState.FAILED, work.failing()).deliveries(AT)
    assert (len(told), len(made)) == (2 * 11, 2 * 2)
    assert {each.receiver for each in told if "two" in each.body} == {"e9"}


def test_a_form_that_fails_keeps_no_job_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told is made in the transaction that ends a job: our own form is told then, and the log says why."""

    def broken(_event: Event, _job: ToldJob, _settings: object) -> str:
        raise KeyError("of a service that we thought we knew")

    job = standing(OutputState.ENCODING)
    ours = changes.settled(job, CLAIM, TaskState.FAILED, work.failing()).deliveries(AT)
    monkeypatch.setitem(FORMATS, "broken", replace(FORMATS["standard"], name="broken", body=broken))
    job = replace(job, endpoints=(Receiver(name="e", url="https://e.example/", format="broken"),))
    with capture_logs() as said:
        told = changes.settled(job, CLAIM, TaskState.FAILED, work.failing()).deliveries(AT)
    assert [each.body for each in told if each.receiver == "e"] == [each.body for each in ours]
    assert [(each["event"], each["format"]) for each in said] == [("webhook.form_failed", "broken")] * len(ours)


def test_nobody_is_told_where_nobody_asked() -> None:
    job = standing(OutputState.ENCODING, hook=None)
    assert changes.settled(job, CLAIM, TaskState.FAILED, work.failing()).deliveries(AT) == ()


def test_what_a_worker_wrote_and_the_end_that_follows_are_one_change_per_output() -> None:
    settlement = replace(work.failing(), changes=(work.change(0, OutputState.VERIFYING, log="last words"),))
    changed = changes.settled(standing(OutputState.ENCODING), CLAIM, TaskState.FAILED, settlement)
    (change,) = changed.outputs
    assert (change.state, change.log, change.problem) == (OutputState.FAILED, "last words", work.problem())
    assert changed.attempts == CLAIM.attempt


def test_a_task_cannot_be_done_with_an_output_open() -> None:
    done = Settlement(outcome=Outcome.DONE, state=TaskState.DONE)
    with pytest.raises(errors.Defect, match="open outputs"):
        changes.settled(standing(OutputState.UPLOADED, OutputState.UPLOADING), CLAIM, TaskState.DONE, done)


def test_an_output_that_ended_is_not_written_again() -> None:
    with pytest.raises(errors.Defect, match="cannot go from uploaded to encoding"):
        changes.marked(standing(OutputState.UPLOADED), CLAIM, [work.change(0, OutputState.ENCODING)])


@given(outputs=st.lists(st.sampled_from(sorted(OUTPUT_ENDED)), min_size=1, max_size=6))
def test_a_retry_opens_what_was_not_delivered_and_nothing_else(outputs: list[OutputState]) -> None:
    job = replace(standing(*outputs, cancel=True), state=JobState.FAILED)
    changed = changes.retried(job)
    assert [output.state for output in changed.job.outputs] == [
        state if state is OutputState.UPLOADED else OutputState.QUEUED for state in outputs
    ]
    assert (changed.job.run, changed.job.cancel_requested, changed.attempts) == (2, False, 0)
