"""Elastic Transcoder's bodies in our words, in `translations/`; `GOLDEN=write` writes those: read the difference."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from encoder.api.wire import read_job
from encoder.compat.elastictranscoder import system
from encoder.compat.elastictranscoder.job import named, translate
from encoder.compat.elastictranscoder.own import of_ours
from encoder.compat.elastictranscoder.pipeline import Pipeline
from encoder.compat.translated import Translated
from encoder.errors import Fault, Rejected
from encoder.ffmpeg import presets
from encoder.model.base import Json, to_json
from encoder.model.formats import elastictranscoder as words
from encoder.model.ids import JobId
from tests.unit.test_api_wire import Anywhere

TRANSLATIONS = Path(__file__).parent / "translations" / "elastictranscoder"
PIPELINE = Pipeline(
    input={"bucket": "in-bucket", "region": "eu-west-1"},
    output={"bucket": "out-bucket", "acl": "public-read", "storageClass": "REDUCED_REDUNDANCY"},
    notification_url="https://h.example/told",
)
OWN = {"web": of_ours("web", presets.BUILT_IN["h264"].members, None)}
PRESETS = {**presets.BUILT_IN, "web": presets.BUILT_IN["h264"]}


def asked(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    output = {"Key": "b/c.mp4", "PresetId": "1351620000001-000010"}
    return {"PipelineId": "p", "Input": {"Key": "a.mov"}, "Outputs": [output], **changes}


def output(**members: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return asked(Outputs=[{"Key": "b/c", "PresetId": "1351620000001-000010", **members}])


def translated(body: Any, *, pipeline: Pipeline | None = PIPELINE) -> Translated | list[Fault]:  # noqa: ANN401  # JSON
    return translate(body, pipeline=pipeline, own=OWN)


def faults_of(body: Any) -> dict[str, str]:  # noqa: ANN401  # JSON
    """Of the translation, or of what it made, led back."""
    made = translated(body)
    if isinstance(made, Translated):
        with pytest.raises(Rejected) as refused:
            read_job(made.job, Anywhere(), PRESETS)
        made = list(made.led_back(refused.value.faults))
    return {fault.path: fault.code for fault in made}


@pytest.mark.parametrize("path", sorted(TRANSLATIONS.glob("*.json")), ids=lambda path: path.stem)
def test_a_job_is_put_into_our_words(path: Path) -> None:
    case = json.loads(path.read_text())
    made = translated(case["asked"])
    assert isinstance(made, Translated), made
    origin = {name: value for name, value in to_json(made.origin).items() if name not in {"request", "stamp"}}
    told = json.loads(json.dumps({"asked": case["asked"], "job": made.job, "origin": origin}))
    if os.environ.get("GOLDEN") == "write":
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    assert case == told
    read_job(made.job, Anywhere(), PRESETS)


@pytest.mark.parametrize("preset", system.presets())
def test_every_system_preset_makes_what_our_rules_take(preset: str) -> None:
    alone = {"1351620000001-500060"}  # sound that is only a part of a package
    made = translated(asked(Outputs=[{"Key": "b/c", "PresetId": preset}]))
    assert isinstance(made, Translated) == (preset not in alone), made
    if isinstance(made, Translated):
        read_job(made.job, Anywhere(), PRESETS)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ([], {"": "invalid_type"}),
        ({}, {"/PipelineId": "missing_field", "/Input": "missing_field", "/Outputs": "missing_field"}),
        (asked(Foo=1), {"/Foo": "unknown_field"}),
        (asked(Inputs=[{"Key": "a"}]), {"/Inputs": "unsupported_combination"}),
        (asked(Input={}, Inputs=[]), {"/Input/Key": "missing_field"}),
        (asked(Input=None, Inputs=[{"Key": "a"}, {"Key": "b"}]), {"/Inputs": "unsupported_member"}),
        (asked(Output={"Key": "b", "PresetId": "web"}), {"/Outputs": "unsupported_combination"}),
        (asked(Input={"Key": "a", "FrameRate": "25"}), {"/Input/FrameRate": "unsupported_member"}),
        (asked(Input={"Key": "a", "Encryption": {"Mode": "s3"}}), {"/Input/Encryption": "unsupported_member"}),
        (asked(Input={"Key": "a", "TimeSpan": {"StartTime": "x"}}), {"/Input/TimeSpan/StartTime": "invalid_value"}),
        (asked(UserMetadata={str(n): "x" for n in range(11)}), {"/UserMetadata": "out_of_range"}),
        (asked(UserMetadata={"a": 1}), {"/UserMetadata/a": "invalid_type"}),
        (output(PresetId="nope"), {"/Outputs/0/PresetId": "not_found"}),
        (output(Captions={"CaptionFormats": [{}]}), {"/Outputs/0/Captions": "unsupported_member"}),
        (output(AlbumArt={"Artwork": [{}]}), {"/Outputs/0/AlbumArt": "unsupported_member"}),
        (output(ThumbnailPattern="nothing"), {"/Outputs/0/ThumbnailPattern": "invalid_value"}),
        (output(ThumbnailPattern="a/{resolution}-{count}"), {"/Outputs/0/ThumbnailPattern": "unsupported_member"}),
        (output(ThumbnailPattern="{count}"), {"/Outputs/0/ThumbnailPattern": "unsupported_member"}),
        (output(Rotate="45"), {"/Outputs/0/Rotate": "invalid_value"}),
        (output(SegmentDuration="6"), {"/Outputs/0/SegmentDuration": "unsupported_combination"}),
        (
            output(PresetId="1351620000001-200010", SegmentDuration="60"),
            {"/Outputs/0/SegmentDuration": "out_of_range"},
        ),
        (
            output(Watermarks=[{"InputKey": "a.png", "PresetWatermarkId": "Middle"}]),
            {"/Outputs/0/Watermarks/0/PresetWatermarkId": "invalid_value"},
        ),
        (
            output(Watermarks=[{"InputKey": "a.png", "PresetWatermarkId": "TopLeft"}] * 2),
            {"/Outputs/0/Watermarks": "unsupported_member"},
        ),
        (
            asked(Playlists=[{"Name": "x", "Format": "Smooth", "OutputKeys": ["b/c.mp4"]}], OutputKeyPrefix="p/"),
            {"/Playlists/0/Format": "unsupported_member"},
        ),
        (
            asked(Playlists=[{"Name": "x", "Format": "HLSv3", "OutputKeys": ["nope"]}], OutputKeyPrefix="p/"),
            {"/Playlists/0/OutputKeys/0": "invalid_value"},
        ),
        (
            asked(Playlists=[{"Name": "x", "Format": "HLSv3", "OutputKeys": ["b/c.mp4"]}], OutputKeyPrefix="p/"),
            {"/Playlists/0/OutputKeys/0": "unsupported_combination"},
        ),
    ],
)
def test_what_is_refused_is_named_by_its_senders_own_path(body: Any, faults: dict[str, str]) -> None:  # noqa: ANN401  # JSON
    assert faults_of(body) == faults


def test_all_that_is_wrong_is_told_at_once_and_what_is_absent_last() -> None:
    body = {**output(PresetId="nope", Encryption={"Mode": "s3"}, Key=7), "Foo": 1}
    made = translate(body, pipeline=None, own={})
    assert not isinstance(made, Translated)
    assert [(fault.path, fault.code) for fault in made] == [
        ("/Outputs/0/Key", "invalid_type"),
        ("/Outputs/0/Encryption", "unsupported_member"),
        ("/Foo", "unknown_field"),
        ("/PipelineId", "not_found"),
        ("/Outputs/0/PresetId", "not_found"),
    ]


def test_what_must_be_looked_up_is_named_whatever_the_body_is() -> None:
    assert named(output(PresetId="x")).presets == {"x"}
    odd: list[Json] = [[], None, {"Outputs": 3}, {"Outputs": [3, {"PresetId": []}], "Output": [], "PipelineId": 4}]
    for body in odd:
        assert (named(body).pipeline, named(body).presets) == ("", frozenset())


def test_an_id_reads_as_theirs_and_leads_back_to_the_job() -> None:
    for number in (1, 35, 36, 36**6 - 1, 36**6, 2**62):
        text = words.written(JobId(number), 1796299200123)
        assert text.startswith("1796299200123-")
        assert words.read(text) == number
    assert words.written(JobId(42), 0) == "0000000000000-000016"
    assert words.read("42") is None
