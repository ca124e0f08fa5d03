"""The forms of events: each as its readers know it, whole where it fits, and never longer than a webhook may be."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoder.cli import webhooks as cli
from encoder.errors import FailureClass
from encoder.model.base import Json, replace
from encoder.model.event import TELLABLE, TOLD, Event, EventType
from encoder.model.formats import FORMATS, known
from encoder.model.ids import OutputId
from encoder.model.job import JobSpec, Notification, Origin, OutputSpec
from encoder.model.receiver import Receiver, of_job
from encoder.model.result import Delivered, Problem
from encoder.model.state import OutputState
from encoder.model.telling import MOST_BYTES, ToldJob, ToldOutput
from tests.unit.test_telling import AT, UUID_1, failed, job, uploaded

SETTINGS: dict[str, Json] = {"account": "111122223333", "region": "eu-central-1", "queue": "Default"}
ARN = "arn:aws:mediaconvert:eu-central-1:111122223333"


def told(kind: EventType, of: ToldJob, data: dict[str, Json] | None = None) -> Any:  # noqa: ANN401  # parsed JSON
    event = Event(seq=7, type=kind, at=AT, run=1, data=data or {})
    return json.loads(FORMATS["mediaconvert"].text(event, of, SETTINGS))


def package(number: int) -> ToldOutput:
    made = Delivered(
        uri="s3://out/show/",
        size_bytes=9,
        sha256="ab" * 32,
        files=("master.m3u8", "720p/playlist.m3u8", "720p/0.m4s"),
        duration_seconds=60.04,
        width=1280,
        height=720,
        bitrate=3_000_000,
    )
    return ToldOutput(id=OutputId(number), state=OutputState.UPLOADED, delivered=made)


def of(job_: ToldJob, *containers: str) -> ToldJob:
    """The job, asked for these containers."""
    spec = JobSpec(
        source=job_.spec.source,
        outputs=tuple(OutputSpec(container=container) for container in containers),
        metadata=job_.spec.metadata,
    )
    return replace(job_, spec=spec)


def test_a_completed_job_is_told_as_mediaconvert_tells_it() -> None:
    whole = of(job(uploaded(0), package(1), metadata={"orderId": "42", "n": 1}), "mp4", "hls")
    assert told(EventType.JOB_COMPLETED, whole) == {
        "version": "0",
        "id": told(EventType.JOB_COMPLETED, whole)["id"],
        "detail-type": "MediaConvert Job State Change",
        "source": "aws.mediaconvert",
        "account": "111122223333",
        "time": "2026-11-20T14:30:01Z",
        "region": "eu-central-1",
        "resources": [f"{ARN}:jobs/{UUID_1}"],
        "detail": {
            "timestamp": 1795185001500,
            "accountId": "111122223333",
            "queue": f"{ARN}:queues/Default",
            "jobId": str(UUID_1),
            "status": "COMPLETE",
            "userMetadata": {"orderId": "42", "n": "1"},
            "outputGroupDetails": [
                {
                    "type": "FILE_GROUP",
                    "outputDetails": [
                        {
                            "outputFilePaths": ["https://out.example/0.mp4"],
                            "durationInMs": 1500,
                            "videoDetails": {"widthInPx": 640, "heightInPx": 360},
                        }
                    ],
                },
                {
                    "type": "HLS_GROUP",
                    "playlistFilePaths": ["s3://out/show/master.m3u8"],
                    "outputDetails": [
                        {
                            "outputFilePaths": ["s3://out/show/"],
                            "durationInMs": 60040,
                            "videoDetails": {"widthInPx": 1280, "heightInPx": 720, "averageBitrate": 3_000_000},
                        }
                    ],
                },
            ],
            "paddingInserted": 0,
            "blackVideoDetected": 0,
        },
    }


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("source_not_found", 1404),
        ("source_auth_failed", 1401),
        ("source_truncated", 1010),
        ("no_video_stream", 1010),
        ("encoder_crashed", 1999),
        ("destination_auth_failed", 1999),
    ],
)
def test_an_error_has_a_number_of_theirs_and_our_code(code: str, number: int) -> None:
    problem = Problem(code=code, message="It is so.", kind=FailureClass.PERMANENT, retryable=False)
    detail = told(EventType.JOB_FAILED, job(failed(0, problem), problem=problem))["detail"]
    assert (detail["status"], detail["errorCode"], detail["errorMessage"]) == ("ERROR", number, f"{code}: It is so.")


def test_progress_is_told_by_phases() -> None:
    detail = told(EventType.JOB_PROGRESS, job(uploaded(0)), {"progress": 0.42, "stage": "encoding"})["detail"]
    assert detail["status"] == "STATUS_UPDATE"
    assert detail["jobProgress"] == {
        "phaseProgress": {
            "PROBING": {"status": "COMPLETE", "percentComplete": 100},
            "TRANSCODING": {"status": "PROGRESSING", "percentComplete": 42},
            "UPLOADING": {"status": "PENDING", "percentComplete": 0},
        },
        "jobPercentComplete": 42,
        "currentPhase": "TRANSCODING",
        "retryCount": 0,
    }


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (EventType.JOB_SUBMITTED, "SUBMITTED"),
        (EventType.JOB_PROCESSING, "PROGRESSING"),
        (EventType.JOB_CANCELLED, "CANCELED"),
    ],
)
def test_other_states_say_nothing_more(kind: EventType, status: str) -> None:
    detail = told(kind, job(uploaded(0)))["detail"]
    assert detail.keys() == {"timestamp", "accountId", "queue", "jobId", "status", "userMetadata"}
    assert detail["status"] == status


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", sorted({*TELLABLE, EventType.ENDPOINT_TEST}))
@settings(max_examples=10)
@given(count=st.integers(1, 300), length=st.integers(0, 30_000), text=st.characters(codec="utf-8"))
def test_no_form_of_an_event_reaches_the_limit(form: str, kind: EventType, count: int, length: int, text: str) -> None:
    """I12"""
    if kind not in FORMATS[form].tells | {EventType.ENDPOINT_TEST}:
        return
    long = Problem(code="x", message=text * length, kind=FailureClass.CRASH, retryable=True)
    many = [uploaded(0, uri="https://out.example/" + "p" * length), *(failed(n, long) for n in range(1, count))]
    crowded = job(*many, metadata={"m": text * length}, problem=long)
    event = Event(seq=1, type=kind, at=AT, run=1, output=0)
    assert len(known(form).text(event, crowded, {}).encode()) < MOST_BYTES


def test_a_receiver_is_told_what_it_asked_for_as_far_as_its_form_goes() -> None:
    plain = Receiver(url="u")
    assert {kind for kind in EventType if plain.wants(kind)} == TOLD
    asked = Receiver(url="u", events=("job.progress", "output.uploaded"))
    assert {kind for kind in EventType if asked.wants(kind)} == {"job.progress", "output.uploaded"}
    theirs = Receiver(url="u", format="mediaconvert")
    assert {kind for kind in EventType if theirs.wants(kind)} == {
        "job.processing", "job.completed", "job.failed", "job.cancelled"
    }  # fmt: skip
    assert Receiver(url="u", format="mediaconvert", events=("job.submitted",)).wants(EventType.JOB_SUBMITTED)
    assert not Receiver(url="u", format="mediaconvert", events=("output.failed",)).wants(EventType.OUTPUT_FAILED)


def test_a_job_may_carry_the_form_of_its_own_receiver() -> None:
    how = Notification(format="mediaconvert", events=("job.completed",), settings={"region": "eu-west-1"})
    spec = JobSpec(source={}, outputs=(), notification_url="https://a.example/", notification=how)
    assert of_job(spec) == (
        Receiver(
            url="https://a.example/",
            format="mediaconvert",
            events=("job.completed",),
            settings={"region": "eu-west-1"},
        ),
    )
    assert of_job(JobSpec(source={}, outputs=(), notification=how)) == ()


def test_a_form_that_only_a_newer_release_knows_is_told_as_our_own() -> None:
    assert known("of tomorrow") is FORMATS["standard"]


ORIGINS = (
    None,
    Origin(
        api="elastictranscoder",
        request={"PipelineId": "1", "Input": {"Key": "in.mp4"}, "Outputs": [{"Key": "a.mp4"}]},
        outputs=((0,),),
    ),
    Origin(
        api="coconut",
        request={"outputs": [{"key": "mp4", "type": "video", "format": "mp4"}]},
        outputs=((0,),),
    ),
    Origin(api="of tomorrow", request={"what": ["ever"]}),
)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("origin", ORIGINS)
def test_every_form_tells_of_every_job_whatever_service_it_was_meant_for(form: str, origin: Origin | None) -> None:
    """An endpoint chooses its form, and a job its origin: one knows nothing of the other."""
    told = job(uploaded(0), metadata={"a": [1, None], "b": {"c": "ü"}})
    told = replace(told, spec=replace(told.spec, origin=origin))
    for kind in FORMATS[form].tells | {EventType.ENDPOINT_TEST}:
        event = Event(seq=1, type=kind, at=AT, run=1, output=0)
        assert json.loads(FORMATS[form].body(event, told, dict(_DEFAULTS[form])))


_DEFAULTS = {
    name: {setting: known_.default for setting, known_ in form.settings.items()} for name, form in FORMATS.items()
}


def test_a_job_of_our_own_words_is_told_with_the_time_when_it_came() -> None:
    """In the words of others, too, who have no origin to take it from."""
    event = Event(seq=1, type=EventType.JOB_COMPLETED, at=AT, run=1)
    told = job(uploaded(0))
    assert json.loads(FORMATS["coconut"].body(event, told, {}))["data"]["created_at"] == "2026-11-20 14:30:01 +0000"
    assert json.loads(FORMATS["elastictranscoder"].body(event, told, {}))["jobId"] == "1795185001500-000016"


def test_the_command_line_names_each_form() -> None:
    (option,) = (each for each in cli.put.params if each.name == "form")
    assert isinstance(option, click.Option)
    assert all(form in (option.help or "") for form in FORMATS)
