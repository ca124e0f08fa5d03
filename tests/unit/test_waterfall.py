"""A run drawn over time: only geometry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from encoder.api.answers_timeline import AttemptAnswer, ChunksAnswer, RunAnswer, SpanAnswer
from encoder.api.answers_webhooks import DeliveryAnswer
from encoder.dashboard import waterfall
from encoder.model.base import replace
from encoder.model.ids import DeliveryId, OutputId
from encoder.model.state import OutputState
from encoder.store.rows import Outcome

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
NAMES = {OutputId(0): "0 · h264", OutputId(1): "1 · hls"}


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def attempt(outcome: Outcome | None, *spans: SpanAnswer, **times: float) -> AttemptAnswer:
    at = {"queued_at": 0.0, "runnable_at": 0.0, "started_at": 10.0, "ended_at": 100.0} | times
    members: dict[str, Any] = {name: after(seconds) for name, seconds in at.items()}
    if outcome is None:
        members["ended_at"] = None
    return AttemptAnswer(
        task="t1", attempt=1, worker="w3", outcome=outcome, error=None, last_beat_at=None, expires_at=None, spans=spans,
        **members,
    )  # fmt: skip


def span(
    output: int | None, stage: str, start: float, end: float | None, fate: OutputState | None = None
) -> SpanAnswer:
    return SpanAnswer(
        output=None if output is None else OutputId(output),
        stage=stage,
        started_at=after(start),
        ended_at=None if end is None else after(end),
        outcome=fate,
    )


def drawn(*attempts: AttemptAnswer, ended: float | None = 100.0, told: tuple[DeliveryAnswer, ...] = ()) -> Any:  # noqa: ANN401
    run = RunAnswer(
        run=1, started_at=NOON, ended_at=after(ended) if ended else None, attempts=attempts, waiting_since=None
    )
    return waterfall.drawn(run, NAMES, after(50), told)


def test_bars_lie_where_the_stages_lay_on_a_linear_axis() -> None:
    fall = drawn(
        attempt(
            Outcome.DONE,
            span(None, "fetching", 10, 20),
            span(0, "encoding", 20, 60),
            span(0, "uploading", 60, 70, OutputState.UPLOADED),
            span(1, "encoding", 20, 90, OutputState.FAILED),
        )
    )
    (group,) = fall.groups
    assert [(row.label, [(bar.x, bar.width) for bar in row.bars]) for row in group.rows] == [
        ("queued", [(0, 100)]),
        ("fetch", [(100, 100)]),
        ("0 · h264", [(200, 400), (600, 100)]),
        ("1 · hls", [(200, 700)]),
    ]
    assert [(row.end, row.faulty) for row in group.rows[2:]] == [
        (OutputState.UPLOADED, False),
        (OutputState.FAILED, True),
    ]
    assert [text for _, text in fall.ticks] == [
        "0",
        "20\u202fs",
        "40\u202fs",
        "1\u202fmin",
        "1\u202fmin 20\u202fs",
        "1\u202fmin 40\u202fs",
    ]
    assert group.rows[2].words == "encode 40\u202fs, upload 10\u202fs"


def test_what_a_lost_worker_did_stays_and_comes_to_nothing_but_for_what_stood() -> None:
    fall = drawn(
        attempt(
            Outcome.LOST,
            span(0, "uploading", 20, 30, OutputState.UPLOADED),
            span(1, "encoding", 20, 40),
            ended_at=40.0,
        ),
        attempt(Outcome.DONE, queued_at=40.0, runnable_at=60.0, started_at=70.0),
    )
    lost, again = fall.groups
    assert (lost.word, [row.faulty for row in lost.rows]) == ("worker lost", [False, False, True])
    assert [(bar.kind, bar.x, bar.width) for bar in again.rows[0].bars] == [("paused", 400, 200), ("queued", 600, 100)]
    assert again.rows[1].note == "its stages are not known"


def test_what_goes_on_ends_now_and_the_least_bar_is_seen() -> None:
    fall = drawn(attempt(None, span(None, "fetching", 10, 10.001), span(0, "encoding", 25, None)), ended=None)
    (group,) = fall.groups
    assert (group.word, fall.seconds) == ("runs", 50)
    fetch, encode = (row.bars[0] for row in group.rows[1:])
    assert (fetch.width, encode.x, encode.width, encode.going_on) == (waterfall.LEAST, 500, 500, True)
    assert encode.words == "encode 25\u202fs so far"


def test_messages_that_went_soon_after_the_end_are_drawn_and_later_ones_at_the_edge() -> None:
    def delivery(number: int, start: float, end: float) -> DeliveryAnswer:
        return DeliveryAnswer(
            id=DeliveryId(number), job_id=None, job_uuid=None, endpoint=None, webhook_id="", type="job.completed",
            url="", status="delivered", tries=1, http_status=200, error=None, answer=None, created_at=after(start),
            tried_at=after(end), delivered_at=after(end), next_try_at=None, body=None,
        )  # fmt: skip

    fall = drawn(attempt(Outcome.DONE), told=(delivery(1, 0, 1), delivery(2, 100, 7200)))
    (row,) = fall.groups[-1].rows
    assert (row.label, row.note) == ("webhooks", "2 of 2 taken")
    assert round(fall.seconds) == 115
    assert row.bars[1].x + row.bars[1].width == waterfall.WIDTH


def test_a_run_that_nobody_began_is_queued() -> None:
    (group,) = drawn(ended=None).groups
    assert [(bar.kind, bar.x, bar.width) for bar in group.rows[0].bars] == [("queued", 0, 1000)]


def test_chunks_are_one_row_between_the_root_and_what_stands_by_itself() -> None:
    chunks = ChunksAnswer(
        first=1, last=40, made=39, running=1, retried=1, given_back=0, cancelled=0, slowest_seconds=28.0,
        mean_seconds=20.0, workers=("w1",), queued_at=after(10), started_at=after(20), ended_at=None,
    )  # fmt: skip
    lost = replace(attempt(Outcome.LOST, started_at=20.0, ended_at=30.0), task="t1/c0007")
    root = attempt(Outcome.DONE, span(None, "fetching", 0, 10), started_at=0.0, ended_at=10.0)
    run = RunAnswer(run=1, started_at=NOON, ended_at=None, attempts=(root, lost), waiting_since=None, chunks=chunks)
    fall = waterfall.drawn(run, NAMES, after(50))
    assert [(group.number, group.part, group.word) for group in fall.groups] == [
        (1, "", "done"), (0, "", "run"), (1, "chunk 8", "worker lost"),
    ]  # fmt: skip
    (row,) = fall.groups[1].rows
    assert [(bar.kind, bar.x, bar.width, bar.going_on) for bar in row.bars] == [
        ("queued", 200, 200, False), ("encoding", 400, 600, True),
    ]  # fmt: skip
    assert row.note == "39 made, 1 being made, slowest 28\u202fs, 1 retried"
