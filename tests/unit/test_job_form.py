"""The form for a new job: what it says as a body, where faults of that are mended, and how it is filled in again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from encoder.api import examples
from encoder.api.again import body_of as body_again
from encoder.api.wire import read_job
from encoder.dashboard import job_fields
from encoder.dashboard.job_filled import of_body
from encoder.dashboard.job_form import MOST_OUTPUTS, Form, at_fields, body_of, names
from encoder.errors import Rejected
from encoder.ffmpeg.presets import BUILT_IN
from encoder.model.base import Json
from encoder.model.secrets import hide
from tests.unit.test_api_wire import FTP, HTTP, LOGIN, PEM, S3, Anywhere, job

_JOBS: dict[str, Any] = {name: each["value"] for name, each in examples.of("Job").items()}
FILLED = {
    "/source": "s3",
    "/source:s3/bucket": "my-bucket",
    "/source:s3/path": "in.mov",
    "/source:url/url": "https://example.com/not-chosen.mov",
    "/outputs/0/preset": "h264",
    "/outputs/0/height": "480",
    "/outputs/0/clip/start": "1.5",
    "/outputs/0/upscale": "true",
    "/outputs/0": '{"keyframeInterval": 2, "height": 99}',
    "/outputs/3/container": "webm",
    "/outputs/3/destination": "url",
    "/outputs/3/destination:url/url": "https://example.com/out.webm",
    "/outputs/3/destination:url/headers": "X-A: b: c\nAuthorization: Bearer t",
    "/tags": "trailer, summer ,",
    "/metadata": "orderId: 42",
    "/priority": "−5",
    "/nothing": "of ours",
}


def test_a_form_says_what_was_chosen_in_the_words_of_the_job() -> None:
    form = Form.of(FILLED)
    body, faults = body_of(form)
    assert not faults
    assert body == {
        "source": {"kind": "s3", "bucket": "my-bucket", "path": "in.mov"},
        "outputs": [
            {"preset": "h264", "height": 480, "clip": {"start": 1.5}, "upscale": True, "keyframeInterval": 2},
            {
                "container": "webm",
                "destination": {
                    "url": "https://example.com/out.webm",
                    "headers": {"X-A": "b: c", "Authorization": "Bearer t"},
                },
            },
        ],
        "tags": ["trailer", "summer"],
        "metadata": {"orderId": "42"},
        "priority": -5,
    }
    read_job(body, Anywhere())


def _of_a_form(body: Json) -> Any:  # noqa: ANN401  # JSON
    assert isinstance(body, dict)
    said, faults = body_of(of_body(body))
    assert not faults
    return said


@pytest.mark.parametrize("name", [name for name in _JOBS if name != "from inline"])
def test_a_clone_is_the_same_job_but_for_its_secrets(name: str) -> None:
    """H7: what was secret is neither in the form nor in what it says; everything else is, whatever has no field."""
    before = read_job(_JOBS[name], Anywhere())
    shown, secrets = hide(before)
    form = of_body(body_again(shown, BUILT_IN))
    assert not [text for text in secrets.values() if any(text in value for value in form.values.values())]
    body, faults = body_of(form)
    assert not faults
    if not secrets:
        assert read_job(body, Anywhere()) == before
    else:
        kept = {name for name, text in form.values.items() if "***" in text}
        assert form.again or kept, "and it says which must be given again"
        assert json.dumps(body["outputs"], sort_keys=True).count("***") == len(kept)


@pytest.mark.parametrize(
    "output",
    [
        {"preset": "h264", "fps": 29.97, "crf": 21.5, "maxBitrate": "3M"},
        {"preset": "h264", "rotate": 90, "audioChannels": 2, "loudness": -16.5, "twoPass": False},
        {"preset": "h264", "rotate": "auto", "subtitles": {"mode": "copy", "tracks": ["eng"]}},
        {"preset": "hls", "renditions": [{"resolution": "360p"}], "clip": {"start": 1, "end": 2.25}},
        {"preset": "h264", "watermark": {"source": {"url": "https://h.example/a.png"}, "scale": 0.25}},
        {"preset": "h264", "watermark": {"source": S3, "scale": 0.25, "opacity": 0.5}},
        {"container": "mkv", "audioTracks": "all", "measure": ["vmaf"]},
    ],
)
def test_what_has_no_field_is_said_in_json(output: dict[str, Any]) -> None:
    assert (
        read_job(_of_a_form(job(outputs=[output])), Anywhere()).outputs
        == read_job(job(outputs=[output]), Anywhere()).outputs
    )


@pytest.mark.parametrize(
    "metadata", [{"a": "b"}, {"a": 1}, {"a": " b"}, {"a:b": "c"}, {"a": {"b": [None]}}, {"a": "x\ny"}, {"a": ""}]
)
def test_metadata_comes_back_as_it_was(metadata: dict[str, Any]) -> None:
    assert _of_a_form(job(metadata=metadata))["metadata"] == metadata


def test_a_fault_is_shown_where_it_is_mended() -> None:
    """3.3.1: at the field, under the number that its output has in the form, or at the part that it belongs to."""
    wrong = FILLED | {
        "/source:s3/access_key_id": "AKIA",
        "/outputs/0/height": "tall",
        "/outputs/0/clip/end": "1",
        "/outputs/0/watermark/opacity": "0.5",
        "/outputs/3": '{"nonsense": 1}',
        "/outputs/3/destination:url/url": "nowhere",
        "/priority": "1000",
    }
    form = Form.of(wrong)
    with pytest.raises(Rejected) as refused:
        read_job(body_of(form)[0], Anywhere())
    assert {name: fault.code for name, fault in at_fields(form, refused.value.faults).items()} == {
        "/source:s3/access_key_secret": "missing_field",
        "/outputs/0/height": "invalid_type",
        "/outputs/0/clip/start": "invalid_range",
        "/outputs/0/watermark/source/url": "missing_field",
        "/outputs/3": "unknown_field",
        "/outputs/3/destination:url/url": "invalid_url",
        "/priority": "out_of_range",
    }


@pytest.mark.parametrize("source", ["", *job_fields.SOURCES])
def test_an_empty_form_says_what_is_missing_at_a_field_that_is_seen(source: str) -> None:
    form = Form.of({"/source": source, "/outputs/0/preset": ""})
    with pytest.raises(Rejected) as refused:
        read_job(body_of(form)[0], Anywhere())
    found = at_fields(form, refused.value.faults)
    known = dict(names(form.slots))
    assert found.keys() <= known.keys()
    assert all(name.startswith((f"/source:{source}", "/outputs/0")) or name == "/source" for name in found)
    assert len(found) > 1


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("/outputs/0", "{", "invalid_json"),
        ("/outputs/0", "[]", "invalid_type"),
        ("/outputs/0", '{"a": "\ud800"}', "invalid_json"),
        ("/source:json", "7", "invalid_type"),
        ("/metadata", "no colon", "invalid_value"),
        ("/metadata", '{"a": NaN}', "invalid_json"),
    ],
)
def test_what_cannot_be_read_at_all_is_told_at_its_field(name: str, text: str, code: str) -> None:
    _, faults = body_of(Form.of(FILLED | {"/source": "json", "/source:json": "{}", name: text}))
    assert {at: fault.code for at, fault in faults.items()} == {name: code}


def test_secrets_are_not_sent_back_and_all_else_is() -> None:
    """H7, 3.3.7: what was given stays, but for what is secret; that is said to be given again."""
    secret = {
        "/source:s3/access_key_id": "S3NTINEL", "/source:server/password": "S3NTINEL", "/source:server/privateKey": PEM,
        "/source:url/url": "https://u:S3NTINEL@h.example/a.mov?sig=S3NTINEL", "/source:url/headers": "X: S3NTINEL",
        "/outputs/0": '{"destination": {"password": "S3NTINEL", "host": "h"}}',
        "/outputs/3": '{"password": "S3NTINEL",',
        "/notificationUrl": "https://h.example/hook?token=S3NTINEL",
    }  # fmt: skip
    form = Form.of(FILLED | secret).fit_to_show()
    assert "S3NTINEL" not in repr(form)
    assert "PRIVATE" not in repr(form)
    assert secret.keys() - form.again.keys() == {"/outputs/0", "/outputs/3"}
    assert form.again["/notificationUrl"] == "https://h.example/hook?***"
    assert json.loads(form.values["/outputs/0"]) == {"destination": {"password": "***", "host": "h"}}
    kept = {name: text for name, text in FILLED.items() if name in dict(names(form.slots)) and name not in secret}
    assert {name: form.values[name] for name in kept if "headers" not in name} == {
        name: text for name, text in kept.items() if "headers" not in name
    }


def test_outputs_come_and_go_without_changing_the_others() -> None:
    form = Form.of(FILLED)
    more = form.with_output("vp9")
    assert (more.slots, more.values) == ((0, 3, 4), {**form.values, "/outputs/4/preset": "vp9"})
    less = more.without_output(0)
    assert less.slots == (3, 4)
    assert body_of(less)[0]["outputs"] == [body_of(form)[0]["outputs"][1], {"preset": "vp9"}]  # type: ignore[index]  # a list
    assert less.without_output(3).without_output(4).slots == (4,), "the last one stays"
    many = form
    for _ in range(MOST_OUTPUTS + 3):
        many = many.with_output("h264")
    assert len(many.slots) == MOST_OUTPUTS


def test_a_server_is_cloned_as_it_was_said() -> None:
    body = job(
        source=FTP | LOGIN | {"port": 2121}, outputs=[{"preset": "h264", "destination": HTTP | {"method": "POST"}}]
    )
    said = _of_a_form(body)
    assert said["source"] == {name: value for name, value in body["source"].items() if name not in LOGIN}
    assert said["outputs"][0]["destination"] == {"url": HTTP["url"], "method": "POST"}
