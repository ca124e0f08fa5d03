"""Coconut's bodies in our words, in `translations/` (`GOLDEN=write` writes those: read the difference), and back."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from encoder.api.wire import read_job
from encoder.compat.coconut.job import translate
from encoder.compat.foreign import MOST_FAULTS
from encoder.compat.translated import Translated
from encoder.errors import Rejected
from encoder.model.base import replace, to_json
from encoder.model.event import Event, EventType
from encoder.model.formats import FORMATS, coconut
from encoder.model.job import JobSpec, Origin, OutputSpec, Place
from encoder.model.state import JobState, OutputState
from tests.unit.test_api_wire import Anywhere
from tests.unit.test_telling import AT, failed, job, uploaded

TRANSLATIONS = Path(__file__).parent / "translations" / "coconut"
INPUT: dict[str, Any] = {"url": "https://h.example/a.mov"}
SPACED = {"access_key_id": "a b", "secret_access_key": "c"}
STORAGE: dict[str, Any] = {"service": "coconut"}


def asked(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return {"input": INPUT, "storage": STORAGE, "outputs": {"mp4": {"path": "/a.mp4"}}, **changes}


def one(name: str, **members: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return asked(outputs={name: {"path": "/a", **members}})


def faults_of(body: Any) -> dict[str, str]:  # noqa: ANN401  # JSON
    """Of the translation, or of what it made, led back."""
    made = translate(body)
    if isinstance(made, Translated):
        with pytest.raises(Rejected) as refused:
            read_job(made.job, Anywhere())
        made = list(made.led_back(refused.value.faults))
    return {fault.path: fault.code for fault in made}


def test_what_is_wrong_is_told_so_far_as_anyone_reads() -> None:
    """It failed with 48 MB for 12 kB: each unknown part of a format repeated the whole name."""
    assert faults_of(one("mp4:" + "zz_" * 300)) == {"/outputs": "invalid_value"}
    many = translate(asked(**{f"member{number}": 1 for number in range(500)}))
    assert isinstance(many, list)
    assert len(many) == MOST_FAULTS


@pytest.mark.parametrize("path", sorted(TRANSLATIONS.glob("*.json")), ids=lambda path: path.stem)
def test_a_job_is_put_into_our_words(path: Path) -> None:
    case = json.loads(path.read_text())
    made = translate(case["asked"])
    assert isinstance(made, Translated), made
    parts = {"asked": case["asked"], "job": made.job, "origin": made.origin, "notification": made.notification}
    told = json.loads(json.dumps(to_json(parts)))
    if os.environ.get("GOLDEN") == "write":
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    assert case == told
    read_job(made.job, Anywhere())


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ([], {"": "invalid_type"}),
        ({}, {"/input": "missing_field", "/storage": "missing_field", "/outputs": "missing_field"}),
        (asked(foo=1), {"/foo": "unknown_field"}),
        (asked(input={"service": "azure", "bucket": "b", "key": "k"}), {"/input/service": "unsupported_member"}),
        (asked(input={"url": "ipfs://x/y"}), {"/input/url": "unsupported_kind"}),
        (asked(storage={"service": "rackspace", "bucket": "b"}), {"/storage/service": "unsupported_member"}),
        (asked(storage={"service": "wasabi", "bucket": "b"}), {"/storage/region": "missing_field"}),
        (asked(storage={"service": "s3", "bucket": "bkt", "expires": "x"}), {"/storage/expires": "unsupported_member"}),
        (asked(storage={"service": "s3", "bucket": "bkt", "secure": False}), {"/storage/secure": "unsupported_member"}),
        (asked(outputs={"mp4": [{"path": "/a"}, 3]}), {"/outputs/mp4/1": "invalid_type"}),
        (asked(outputs={str(n): {"path": "/a"} for n in range(31)}), {"/outputs": "out_of_range"}),
        (asked(outputs={"mp4": {}}), {"/outputs/mp4/path": "missing_field"}),
        (asked(notification={"type": "sns", "url": "x"}), {"/notification/type": "unsupported_member"}),
        (one("avi"), {"/outputs/avi": "unsupported_member"}),
        (one("mp4:vp8"), {"/outputs/mp4:vp8": "unsupported_member"}),
        (one("mp4:720p:amr-nb"), {"/outputs/mp4:720p:amr-nb": "unsupported_member"}),
        (one("mp4:::frag"), {"/outputs/mp4:::frag": "unsupported_member"}),
        (one("mp4:500k::quality=3"), {"/outputs/mp4:500k::quality=3": "unsupported_combination"}),
        (one("mp4", **{"if": "{{ input.width }} >= 480"}), {"/outputs/mp4/if": "unsupported_member"}),
        (one("gif", square=True, scene={"number": 5}), dict.fromkeys(
            ("/outputs/gif/square", "/outputs/gif/scene"), "unsupported_member")),
        (one("jpg:400x", number=101), {"/outputs/jpg:400x/number": "out_of_range"}),
        (one("jpg:400x", number=3, interval=2), {"/outputs/jpg:400x/number": "unsupported_combination"}),
        (asked(storage={"service": "s3", "bucket": "B_b"}), {"/storage/bucket": "invalid_value"}),
        (
            asked(storage={"service": "s3", "bucket": "bkt", "credentials": SPACED}),
            {"/storage/credentials/access_key_id": "invalid_value"},
        ),
        (one("httpstream"), {"/outputs/httpstream/hls": "missing_field"}),
        (
            one("httpstream", hls={"path": "/h"}, variants=["mp4:x"]),
            {"/outputs/httpstream/variants": "unsupported_member"},
        ),
    ],
)  # fmt: skip
def test_what_is_refused_is_named_by_its_senders_own_path(body: Any, faults: dict[str, str]) -> None:  # noqa: ANN401  # JSON
    assert faults_of(body) == faults


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("mp4:721q", "`721q` is no codec, size, rate or bitrate that is known: codecs are h264, "),
        ("mp4:720p:loud", "`loud` is no codec, rate or channels of sound that are known: codecs are aac, "),
        ("mp4:::frag", "`frag` is no option that is known: there are quality, "),
    ],
)
def test_a_part_of_a_format_that_nobody_knows_is_told_beside_those_that_there_are(spec: str, told: str) -> None:
    made = translate(one(spec))
    assert not isinstance(made, Translated)
    assert next(iter(made)).message.startswith(told)


ORIGIN = Origin(
    api="coconut",
    request={
        "outputs": [
            {"key": "mp4:small", "type": "video", "format": "mp4:240p"},
            {"key": "thumbs", "type": "image", "format": "jpg:400x"},
        ]
    },
    outputs=((0,), (1,)),
    stamp=1613471853_000,
)


def theirs(*outputs: Any, state: JobState = JobState.COMPLETED) -> Any:  # noqa: ANN401  # of the tests of telling
    places: list[Place] = [
        {"kind": "s3", "bucket": "b", "region": "eu-west-1"},
        {"kind": "s3", "endpointUrl": "http://s3.example/"},
    ]
    specs = tuple(OutputSpec(container="mp4", destination=place) for place in places)
    spec = JobSpec(source={"kind": "http"}, outputs=specs, origin=ORIGIN)
    return replace(job(*outputs), state=state, spec=spec)


def test_a_completed_job_is_told_as_coconut_tells_it() -> None:
    made = uploaded(1, uri="s3://c/t/")
    assert made.delivered is not None
    pictures = replace(made, delivered=replace(made.delivered, files=("00001.jpg", "00002.jpg")))
    whole = theirs(uploaded(0, uri="s3://b/a.mp4"), pictures)
    event = Event(seq=9, type=EventType.JOB_COMPLETED, at=AT, run=1)
    told = json.loads(FORMATS["coconut"].text(event, whole, {}))
    assert told["job_id"] == str(whole.uuid)
    assert (told["event"], told["metadata"], told["progress"]) == ("job.completed", False, "100%")
    data = told["data"]
    assert (data["type"], data["id"], data["status"]) == ("job", str(whole.uuid), "job.completed")
    assert data["created_at"] == "2021-02-16 10:37:33 +0000"
    assert data["completed_at"] == (AT + timedelta()).strftime("%Y-%m-%d %H:%M:%S +0000")
    assert data["input"] == {"status": "input.transferred"}
    assert [(each["key"], each["status"], each["url"], each["urls"]) for each in data["outputs"]] == [
        ("mp4:small", "video.encoded", "https://b.s3.eu-west-1.amazonaws.com/a.mp4", None),
        ("thumbs", "image.created", None, ["http://s3.example/c/t/00001.jpg", "http://s3.example/c/t/00002.jpg"]),
    ]


def test_a_failed_output_says_why() -> None:
    told = coconut.job(theirs(uploaded(0, uri="s3://b/a.mp4"), failed(1), state=JobState.FAILED), over_at=AT)
    assert (told.status, told.progress) == ("job.failed", "50%")
    assert [output.status for output in told.outputs] == ["video.encoded", "image.failed"]
    assert told.outputs[1].error is not None


def test_what_waits_or_runs_is_told_in_their_words() -> None:
    queued = [replace(uploaded(number), state=OutputState.QUEUED, delivered=None) for number in (0, 1)]
    told = coconut.job(theirs(*queued, state=JobState.QUEUED), over_at=None)
    assert (told.status, told.input.status, told.completed_at) == ("job.starting", "input.starting", None)
    assert [output.status for output in told.outputs] == ["video.waiting", "image.waiting"]
    runs = [replace(each, state=OutputState.ENCODING) for each in queued]
    told = coconut.job(theirs(*runs, state=JobState.PROCESSING), over_at=None, progress=0.421)
    assert (told.status, told.input.status, told.progress) == ("job.processing", "input.transferred", "42%")
    assert [output.status for output in told.outputs] == ["video.encoding", "image.processing"]
