"""Which images an output means: kinds, moments, sheets, and what does not go together."""

from __future__ import annotations

from fractions import Fraction

import pytest

from encoder.ffmpeg import cues, image_graph, rules
from encoder.model.base import Json
from encoder.model.plan import ImagesPlan
from tests.lab.facts import planned, refused, source, spec, video, warned


def images(preset: str | None = None, /, **members: Json) -> ImagesPlan:
    plan = planned(source(), spec(preset, **members))
    assert plan.images is not None
    return plan.images


@pytest.mark.parametrize(
    ("every", "rate", "frames", "count"),
    [(5, "25/1", 250, 2), (3, "25/1", 250, 4), (3, "25/1", 225, 3), (2.5, "30000/1001", 300, 5), (0.1, "5/1", 50, 50)],
)
def test_pictures_are_counted_in_frames_so_that_the_last_one_is_inside(
    every: float, rate: str, frames: int, count: int
) -> None:
    seconds = float(frames / Fraction(rate))
    media = source(picture=video(rate=rate, frames=frames, duration_seconds=seconds), duration_seconds=seconds)
    plan = planned(media, spec("storyboard", thumbnails={"every": every}))
    assert plan.images is not None
    assert plan.images.count == count
    listed = cues.planned(plan)
    assert (listed[0].start_ms, listed[-1].end_ms, len(listed)) == (0, round(seconds * 1000), count)
    assert cues.read(cues.written(listed)) == listed


def test_a_sheet_has_no_more_rows_than_pictures_and_cues_of_its_own() -> None:
    found = images("storyboard", thumbnails={"count": 7})
    assert (found.columns, found.rows, found.files, found.cues) == (7, 1, 1, "thumbnails.vtt")


def test_pictures_and_their_cues_are_called_as_is_asked() -> None:
    plan = planned(source(), spec("storyboard", thumbnails={"every": 5, "names": "s-{index}.x"}))
    assert plan.images is not None
    assert (image_graph.pattern(plan), plan.images.file_name(1, "jpg")) == ("s-%05d.x.jpg", "s-00002.x.jpg")
    assert (plan.opened_first, cues.planned(plan)[0].name) == ("s-thumbnails.x.vtt", "s-00001.x.jpg")


def test_other_moments_displace_those_of_the_preset() -> None:
    found = images("storyboard", thumbnails={"at": [1, 2]})
    assert (found.frames, found.step_frames, found.cues) == ((25, 50), None, None)


def test_a_format_takes_the_place_of_a_presets_container() -> None:
    assert spec("thumbnails", thumbnails={"format": "webp"}).container == "webp"


def test_a_long_preview_is_shortened_and_says_so() -> None:
    media = source(picture=video(frames=2500, duration_seconds=100.0), duration_seconds=100.0)
    plan = planned(media, spec("gif"))
    assert plan.duration_seconds == 10.0
    assert "preview_shortened" in warned(plan)


def test_a_sheet_that_is_too_large_is_refused() -> None:
    output = spec("storyboard", thumbnails={"width": 1920, "sprite": {"columns": 10, "rows": 10}})
    assert refused(source(), output).code == "output_too_large"


WRONG: list[tuple[dict[str, Json], str]] = [
    ({"container": "jpg", "thumbnails": {}}, "/thumbnails"),
    ({"container": "jpg", "thumbnails": {"every": 1, "count": 2}}, "/thumbnails/count"),
    ({"container": "jpg", "thumbnails": {"at": [2, 1]}}, "/thumbnails/at"),
    ({"container": "jpg", "thumbnails": {"at": [1], "vtt": True}}, "/thumbnails/vtt"),
    ({"container": "jpg", "thumbnails": {"every": 1, "width": 64}, "height": 64}, "/thumbnails/width"),
    ({"container": "jpg", "thumbnails": {"every": 1, "format": "png"}}, "/thumbnails/format"),
    ({"container": "gif", "thumbnails": {"every": 1}}, "/thumbnails"),
    ({"container": "mp4", "thumbnails": {"every": 1}}, "/thumbnails"),
    ({"container": "jpg", "fps": 5}, "/fps"),
    ({"container": "gif", "fps": 60}, "/fps"),
    ({"container": "jpg", "clip": {"start": 1, "end": 2}}, "/clip"),
    ({"container": "png", "crf": 20}, "/crf"),
    ({"container": "webp", "videoCodec": "libx264"}, "/videoCodec"),
    ({"container": "gif", "audioCodec": "aac"}, "/audioCodec"),
    ({"container": "jpg", "toneMap": False}, "/toneMap"),
]


@pytest.mark.parametrize(("members", "path"), WRONG)
def test_what_does_not_go_together_is_told_at_its_member(members: dict[str, Json], path: str) -> None:
    assert [fault.path for fault in rules.check(spec(None, **members))] == [path]
