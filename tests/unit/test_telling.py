"""What a receiver is told: whole where it fits, short where it must be, and never a secret that was not given."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoder.errors import FailureClass
from encoder.model.base import Json
from encoder.model.event import Event, EventType
from encoder.model.formats import FORMATS
from encoder.model.ids import JobId, OutputId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.result import Delivered, Problem
from encoder.model.state import JobState, OutputState
from encoder.model.telling import MOST_BYTES, ToldJob, ToldOutput, webhook_id

UUID_1 = UUID("01234567-89ab-cdef-0123-456789abcdef")
AT = datetime(2026, 11, 20, 14, 30, 1, 500_000, tzinfo=UTC)
PROBLEM = Problem(
    code="output_invalid",
    message="It is short.",
    kind=FailureClass.PERMANENT,
    retryable=False,
    check="picture.width",
)


def event(kind: EventType = EventType.JOB_COMPLETED, output: int | None = None) -> Event:
    return Event(seq=7, type=kind, at=AT, run=2, output=output)


def uploaded(number: int, uri: str = "https://out.example/{}.mp4") -> ToldOutput:
    made = Delivered(
        uri=uri.format(number), size_bytes=5, sha256="ab" * 32, duration_seconds=1.5, width=640, height=360, frames=45
    )
    return ToldOutput(id=OutputId(number), state=OutputState.UPLOADED, delivered=made)


def failed(number: int, problem: Problem = PROBLEM) -> ToldOutput:
    return ToldOutput(id=OutputId(number), state=OutputState.FAILED, problem=problem)


def job(*outputs: ToldOutput, metadata: dict[str, Json] | None = None, problem: Problem | None = None) -> ToldJob:
    return ToldJob(
        id=JobId(42),
        uuid=UUID_1,
        created_at=AT,
        state=JobState.COMPLETED,
        spec=JobSpec(
            source={"kind": "https"},
            outputs=tuple(OutputSpec(container="mp4") for _ in outputs),
            metadata=metadata or {},
            tags=("a",),
        ),
        problem=problem,
        outputs=outputs,
    )


def body(about: Event, of: ToldJob, form: str = "standard") -> str:
    return FORMATS[form].text(about, of, {})


def told(about: Event, of: ToldJob) -> Any:  # noqa: ANN401  # parsed JSON
    return json.loads(body(about, of))


def test_a_receiver_is_told_the_event_and_the_job_as_it_stands() -> None:
    assert told(event(), job(uploaded(0), failed(1), metadata={"orderId": "42"}, problem=PROBLEM)) == {
        "type": "job.completed",
        "timestamp": "2026-11-20T14:30:01.500000Z",
        "data": {
            "job": {
                "id": 42,
                "uuid": str(UUID_1),
                "status": "completed",
                "run": 2,
                "metadata": {"orderId": "42"},
                "tags": ["a"],
                "outputs": [
                    {
                        "id": 0,
                        "status": "uploaded",
                        "uri": "https://out.example/0.mp4",
                        "sizeBytes": 5,
                        "durationSeconds": 1.5,
                        "width": 640,
                        "height": 360,
                        "sha256": "ab" * 32,
                        "error": None,
                    },
                    {
                        "id": 1,
                        "status": "failed",
                        "uri": None,
                        "sizeBytes": None,
                        "durationSeconds": None,
                        "width": None,
                        "height": None,
                        "sha256": None,
                        "error": {
                            "code": "output_invalid",
                            "message": "It is short.",
                            "class": "permanent",
                            "retryable": False,
                            "check": "picture.width",
                        },
                    },
                ],
                "error": {
                    "code": "output_invalid",
                    "message": "It is short.",
                    "class": "permanent",
                    "retryable": False,
                    "check": "picture.width",
                },
                "sequence": 7,
                "links": {"self": f"/jobs/{UUID_1}"},
            }
        },
    }


def test_an_event_of_an_output_names_it() -> None:
    assert told(event(EventType.OUTPUT_UPLOADED, 1), job(uploaded(0), uploaded(1)))["data"]["output"] == 1


def test_a_hundred_outputs_are_told_in_outline() -> None:
    text = body(event(), job(*(uploaded(number) for number in range(100))))
    assert len(text.encode()) < MOST_BYTES
    shown = json.loads(text)["data"]["job"]
    assert shown["shortened"]
    assert shown["outputs"][99] == {"id": 99, "status": "uploaded", "error": None}


def test_where_even_the_outline_is_too_long_the_output_in_question_is_told_in_full() -> None:
    many = [uploaded(number) for number in range(2000)]
    shown = told(event(EventType.OUTPUT_UPLOADED, 1999), job(*many))["data"]["job"]
    assert [output["id"] for output in shown["outputs"]] == [1999]
    assert shown["outputs"][0]["uri"] == "https://out.example/1999.mp4"


def test_metadata_that_is_too_long_is_left_out_at_last() -> None:
    shown = told(event(), job(uploaded(0), metadata={"all": "x" * MOST_BYTES}))["data"]["job"]
    assert (shown["metadata"], shown["shortened"]) == ({}, True)
    assert shown["links"] == {"self": f"/jobs/{UUID_1}"}


@pytest.mark.parametrize("kind", EventType)
@settings(max_examples=20)
@given(
    count=st.integers(min_value=1, max_value=300),
    length=st.integers(min_value=0, max_value=30_000),
    text=st.characters(codec="utf-8"),
)
def test_no_body_reaches_the_limit(kind: EventType, count: int, length: int, text: str) -> None:
    long = Problem(code="x", message=text * length, kind=FailureClass.CRASH, retryable=True)
    many = [
        uploaded(0, uri="https://out.example/" + "p" * length),
        *(failed(number, long) for number in range(1, count)),
    ]
    crowded = job(*many, metadata={"m": text * length}, problem=long)
    assert len(body(event(kind, output=0), crowded).encode()) < MOST_BYTES


def test_the_id_of_an_event_is_the_same_whenever_it_is_asked() -> None:
    assert webhook_id(UUID_1, 7) == "evt_0123456789abcdef0123456789abcdef_7"
