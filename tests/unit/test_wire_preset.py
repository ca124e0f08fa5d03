"""What `PUT /presets/{name}` takes, and what it refuses, where."""

from __future__ import annotations

from typing import Any

import pytest

from encoder.api.wire_preset import MAX_BYTES, read_preset
from encoder.errors import Rejected
from encoder.ffmpeg import presets
from encoder.model.base import Json


def test_a_preset_is_kept_as_a_job_would_keep_it() -> None:
    about, members = read_preset(
        {
            "about": "Für unterwegs",
            "members": {
                "preset": "h264",
                "videoBitrate": "2.5M",
                "clip": {"duration": 3},
                "rotate": 90,
                "subtitles": "copy",
            },
        }
    )
    assert about == "Für unterwegs"
    assert members == {
        "preset": "h264",
        "videoBitrate": 2_500_000,
        "clip": {"start": 0.0, "end": 3.0},
        "rotate": 90,
        "subtitles": {"mode": "copy"},
    }
    assert read_preset({"members": members}) == ("", members)


@pytest.mark.parametrize("name", presets.BUILT_IN)
def test_what_is_shown_of_a_built_in_one_may_be_put_as_ones_own(name: str) -> None:
    members = dict(presets.BUILT_IN[name].members)
    assert read_preset({"members": members}) == ("", members)


FIT, VALUE, UNKNOWN = "unsupported_combination", "out_of_range", "unknown_field"
LOGO = {"source": {"url": "https://h.example/a.png"}}
WRONG: list[tuple[Any, list[tuple[str, str]]]] = [
    ([], [("", "invalid_type")]),
    ({}, [("/members", "missing_field")]),
    ({"members": {}}, [("/members/container", "missing_field")]),
    ({"members": {"container": "mp4"}, "name": "web"}, [("/name", UNKNOWN)]),
    ({"members": {"container": "mp4"}, "about": "a\x1b[31m"}, [("/about", "invalid_text")]),
    ({"members": {"container": "mp4"}, "about": "a" * 201}, [("/about", VALUE)]),
    ({"members": {"preset": "mine"}}, [("/members/preset", "unknown_preset")]),
    ({"members": {"container": "mp4", "crf": 999, "widht": 1}}, [("/members/crf", VALUE), ("/members/widht", UNKNOWN)]),
    (
        {"members": {"container": "webm", "videoCodec": "libx264", "segmentSeconds": 4}},
        [("/members/videoCodec", FIT), ("/members/segmentSeconds", FIT)],
    ),
    (
        {"members": {"preset": "vp9", "container": "mp3"}},
        [("/members/videoCodec", FIT), ("/members/audioCodec", FIT)],
    ),
    ({"members": {"container": "mp4", "destination": {"url": "s3://b/k"}}}, [("/members/destination", UNKNOWN)]),
    ({"members": {"container": "mp4", "watermark": LOGO}}, [("/members/watermark", UNKNOWN)]),
    (
        {"members": {"container": "mp4", "subtitles": {"mode": "copy", "files": [LOGO]}}},
        [("/members/subtitles/files", FIT)],
    ),
    (
        {"members": {"container": "hls", "renditions": [{"resolution": "720p"}] * 1000}},
        [("/members/renditions", VALUE)],
    ),
]


@pytest.mark.parametrize(("body", "faults"), WRONG)
def test_every_fault_is_told_at_its_place(body: Any, faults: list[tuple[str, str]]) -> None:  # noqa: ANN401  # JSON
    with pytest.raises(Rejected) as refused:
        read_preset(body)
    assert [(fault.path, fault.code) for fault in refused.value.faults] == faults


def test_a_preset_holds_no_secret_for_it_holds_no_place() -> None:
    """Nothing of it is sealed, so nothing that would have to be may stand in it."""
    secret: Json = {"url": "https://h.example/a.png", "headers": {"Authorization": "Bearer s"}}
    places: list[dict[str, Json]] = [
        {"destination": secret},
        {"watermark": {"source": secret}},
        {"subtitles": {"mode": "copy", "files": [{"source": secret}]}},
    ]
    for members in places:
        with pytest.raises(Rejected) as refused:
            read_preset({"members": {"container": "mp4", **members}})
        assert "Bearer" not in str(refused.value)


def test_more_than_is_kept_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("encoder.api.wire_preset.MAX_BYTES", 40)
    assert MAX_BYTES > 40
    with pytest.raises(Rejected, match="40 bytes"):
        read_preset({"members": {"container": "mp4", "encoderPreset": "medium", "crf": 23}})
