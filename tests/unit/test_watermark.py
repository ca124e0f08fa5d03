"""Watermarks (docs/why/encoding.md, "Source hygiene": after the tone map, position by enum, size relative)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from encoder import errors
from encoder.ffmpeg import command, graph, overlay, quality, rules
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json, replace
from encoder.model.job import JobSpec, OutputSpec, Place, Watermark
from encoder.model.media import Media
from encoder.model.plan import Mark, Plan, WatermarkPlan
from encoder.model.secrets import hide, reveal
from tests.lab.facts import ABLE, hdr, picture, source, spec

PLACE: Place = {"kind": "http", "url": "http://user:SENTINEL@logos.example/logo.png?sig=SENTINEL"}
LOGO: Json = {"source": PLACE, "position": "top-left", "opacity": 0.5, "scale": 0.25}
PNG = Mark(file="watermark-0", demuxer="png_pipe")


def marked(media: Media, *outputs: OutputSpec, files: tuple[str, ...] = ()) -> Plan:
    marks = dict.fromkeys(range(len(outputs)), PNG)
    marks |= {number: Mark(file=file, demuxer="png_pipe") for number, file in enumerate(files)}
    plan = decide(media, dict(enumerate(outputs)), ABLE, marks)
    assert not plan.refused, plan.refused
    return plan


def words(plan: Plan) -> list[str]:
    files = {output.output: Path(output.file_name) for output in plan.outputs}
    return command.build(plan, plan.passes[0], files=files)


def chains(plan: Plan) -> str:
    args = words(plan)
    return args[args.index("-filter_complex") + 1]


def test_it_is_opened_as_the_picture_that_it_is_and_as_nothing_else() -> None:
    """A picture demuxer forced, under our own name."""
    args = words(marked(source(), spec(watermark=LOGO)))
    second = args.index("-i", args.index("-i") + 1)
    assert args[second + 1] == "file:watermark-0"
    assert args[second - 2 : second] == ["-f", "png_pipe"]
    opened = args[args.index("fd:") + 1 : second]
    assert opened[:4] == ["-protocol_whitelist", "file", "-format_whitelist", "png_pipe"]


def test_it_comes_after_the_tone_map_and_before_the_scale_of_each_output() -> None:
    plan = marked(
        source(picture=hdr(), silent=True), spec(height=720, watermark=LOGO), spec(height=360, watermark=LOGO)
    )
    made = chains(plan)
    assert (made.count("tonemap="), made.count("overlay=")) == (1, 1)
    assert made.index("tonemap=") < made.index("overlay=") < made.index("split=2") < made.index("scale=640:360")


def test_rungs_of_sdr_get_it_once_too() -> None:
    made = chains(marked(source(), spec(height=720, watermark=LOGO), spec(height=360, watermark=LOGO)))
    assert made.count("overlay=") == 1
    assert made.index("overlay=") < made.index("split=2")


def test_a_sibling_without_it_stays_without_it() -> None:
    plan = decide(source(), {0: spec(height=720, watermark=LOGO), 1: spec(height=720)}, ABLE, {0: PNG})
    made = chains(plan)
    assert made.count("overlay=") == 1
    assert "overlay" not in "".join(graph.alone(plan.output(1)))


@pytest.mark.parametrize("fit", ["cover", "pad"])
def test_on_a_picture_that_is_cut_it_lies_where_the_output_s_corners_are(fit: str) -> None:
    made = chains(marked(source(), spec(width=400, height=400, fit=fit, watermark=LOGO)))
    assert made.index({"cover": "crop=", "pad": "pad="}[fit]) < made.index("overlay=")
    assert "scale=w=100:" in made  # a quarter of 400


@pytest.mark.parametrize(
    ("position", "x", "y"),
    [
        ("top-left", "7", "7"), ("top", "(W-w)/2", "7"), ("top-right", "W-w-7", "7"),
        ("left", "7", "(H-h)/2"), ("center", "(W-w)/2", "(H-h)/2"), ("right", "W-w-7", "(H-h)/2"),
        ("bottom-left", "7", "H-h-7"), ("bottom", "(W-w)/2", "H-h-7"), ("bottom-right", "W-w-7", "H-h-7"),
    ],
)  # fmt: skip
def test_every_position_is_where_it_says(position: str, x: str, y: str) -> None:
    made = chains(marked(source(), spec(height=360, watermark={"source": PLACE, "position": position})))
    assert f"overlay=x={x}:y={y}:" in made
    assert position in overlay.POSITIONS


def test_there_are_nine_positions() -> None:
    assert len(set(overlay.POSITIONS)) == 9


def test_size_and_opacity_are_shares() -> None:
    made = chains(marked(source(), spec(height=360, watermark=LOGO)))
    assert "colorchannelmixer=aa=0.5000" in made
    assert "scale=w=160:h=346:force_original_aspect_ratio=decrease" in made  # of 640×360, a margin above and below


def test_different_files_are_different_inputs_and_labels_never_meet() -> None:
    outputs = [
        spec(height=720, watermark=LOGO),
        spec(height=720, fps=12, watermark=LOGO),
        spec(height=720, watermark=LOGO),
    ]
    plan = marked(source(), *outputs, files=("watermark-0", "watermark-0", "watermark-1"))
    args = words(plan)
    assert [word for word in args if word.startswith("file:watermark")] == ["file:watermark-0", "file:watermark-1"]
    made = chains(plan)
    assert (made.count("[1:v]"), made.count("[2:v]")) == (2, 1)
    written = re.findall(r"\[([mw]\d+)\];", made)
    assert len(written) == len(set(written)) == 6


def test_both_passes_have_it() -> None:
    plan = marked(source(), spec(height=360, videoBitrate=10**6, twoPass=True, watermark=LOGO))
    first = command.first(plan, plan.passes[0])
    assert first is not None
    assert first[first.index("-filter_complex") + 1] == chains(plan)
    assert "file:watermark-0" in first


def test_the_reference_of_a_measurement_has_it_too() -> None:
    plan = marked(source(), spec(height=360, measure=["ssim"], watermark=LOGO)).outputs[0]
    args = quality.comparison(plan, source(), Path("out"), metrics=["ssim"])
    assert args.count("-i") == 3
    compared = args[args.index("-filter_complex") + 1]
    assert "[2:v]format=rgba" in compared
    assert "{n}" not in compared


def test_every_rung_of_a_ladder_has_it() -> None:
    plan = marked(source(), spec("hls", watermark=LOGO))
    rungs = [rung.video for rung in plan.outputs[0].renditions if rung.video is not None]
    assert len(rungs) > 1
    assert all(rung.watermark is not None for rung in rungs)
    assert chains(plan).count("overlay=") == 1


def test_on_an_hdr_picture_it_would_have_the_wrong_light_and_is_refused() -> None:
    outputs = {0: spec("hevc", toneMap=False, watermark=LOGO)}
    (refusal,) = decide(source(picture=hdr()), outputs, ABLE, {0: PNG}).refused
    assert refusal.code == "unsupported_hdr"


@pytest.mark.parametrize("codec", ["copy", "none"])
def test_a_copy_has_none(codec: str) -> None:
    assert "/watermark" in {fault.path for fault in rules.check(spec(videoCodec=codec, watermark=LOGO))}


def test_nobody_plans_one_that_was_not_fetched() -> None:
    with pytest.raises(errors.Defect):
        decide(source(), {0: spec(watermark=LOGO)}, ABLE)


def test_its_plan_holds_no_address() -> None:
    video = picture(marked(source(), spec(watermark=LOGO)).outputs[0])
    assert video.watermark == WatermarkPlan(
        file="watermark-0", demuxer="png_pipe", position="top-left", opacity=0.5, scale=0.25
    )


def test_its_secrets_are_sealed_and_come_back() -> None:
    place: Place = {**PLACE, "headers": {"X": "SENTINEL"}, "access_key_secret": "SENTINEL"}
    output = replace(spec(), watermark=Watermark(source=place))
    job = JobSpec(source={"kind": "file", "path": "/in"}, outputs=(spec(), output))
    shown, secrets = hide(job)
    assert "SENTINEL" not in str(shown)
    assert set(secrets) == {
        "/outputs/1/watermark/source/url",
        "/outputs/1/watermark/source/headers/X",
        "/outputs/1/watermark/source/access_key_secret",
    }
    assert reveal(shown, secrets) == job


def test_what_a_kind_of_a_plug_in_calls_secret_is_secret_in_a_watermark() -> None:
    output = replace(spec(), watermark=Watermark(source={"kind": "dav", "token": "SENTINEL"}))
    job = JobSpec(source={"kind": "file", "path": "/in"}, outputs=(output,))
    shown, _ = hide(job, {"dav": frozenset({"token"})})
    assert "SENTINEL" not in str(shown)
