"""Encoders in hardware, where there is none: detected, used on request, with a software fallback that is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from encoder.ffmpeg import box, codecs, command, graph, hardware, quality, rules
from encoder.ffmpeg.estimate import estimate
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from tests.lab.facts import ABLE, picture, planned, source, spec, warned

IN_HARDWARE = [encoder for encoder in codecs.VIDEO_ENCODERS.values() if encoder.in_hardware]
SOFTWARE = replace(ABLE, encoders=ABLE.encoders - {encoder.name for encoder in IN_HARDWARE})


@pytest.mark.parametrize("encoder", IN_HARDWARE, ids=lambda encoder: encoder.name)
def test_one_that_is_named_and_here_is_used(encoder: codecs.VideoEncoder) -> None:
    plan = planned(source(), spec(None, container="mp4", videoCodec=encoder.name))
    assert (picture(plan).encoder, warned(plan)) == (encoder.name, set())
    assert (encoder.quality_option, str(encoder.default_crf)) in picture(plan).options
    assert (estimate(plan, source()).cpu_seconds or 0) > 0


@pytest.mark.parametrize("encoder", IN_HARDWARE, ids=lambda encoder: encoder.name)
def test_where_there_is_none_software_makes_the_same_and_it_is_told(encoder: codecs.VideoEncoder) -> None:
    plan = planned(source(), spec(None, container="mp4", videoCodec=encoder.name, crf=30), SOFTWARE)
    made = picture(plan)
    assert (made.codec, codecs.VIDEO_ENCODERS[made.encoder].in_hardware) == (encoder.codec, False)
    assert made.crf == codecs.VIDEO_ENCODERS[made.encoder].default_crf  # 30 meant something else there
    assert warned(plan) == {"codec_substituted"}


@pytest.mark.parametrize("family", codecs.VIDEO_FAMILIES)
def test_a_family_never_means_hardware(family: str) -> None:
    assert not any(encoder.in_hardware for encoder in codecs.video_encoders(family))
    assert codecs.video_encoders(family)


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"videoCodec": "h264_nvenc", "videoBitrate": 10**6, "twoPass": True}, "/twoPass"),
        ({"videoCodec": "h264_qsv", "maxBitrate": 10**6}, "/maxBitrate"),
        ({"videoCodec": "h264_vaapi", "encoderPreset": "medium"}, "/encoderPreset"),
        ({"videoCodec": "hevc_nvenc", "pixelFormat": "yuv420p10le"}, "/pixelFormat"),
        ({"videoCodec": "h264_videotoolbox", "targetQuality": 93}, "/targetQuality"),
    ],
)
def test_what_hardware_does_not_take_is_refused(members: dict[str, Json], path: str) -> None:
    assert [fault.path for fault in rules.check(spec(None, container="mp4", **members))] == [path]


def test_a_picture_is_handed_over_at_the_end_of_its_chain_and_to_its_own_encoder_alone() -> None:
    outputs = {0: spec(height=720, videoCodec="h264_vaapi"), 1: spec(height=720)}
    plan = decide(source(), outputs, ABLE)
    assert plan.passes[0].outputs == (0, 1)
    args = command.build(plan, plan.passes[0], files=dict.fromkeys((0, 1), Path("out")))
    chains = args[args.index("-filter_complex") + 1]
    assert chains.count("hwupload") == 1
    assert "format=nv12,hwupload[v0]" in chains
    assert args[args.index("-init_hw_device") + 1] == "vaapi=hw:/dev/dri/renderD128"


def test_a_run_opens_the_devices_of_its_encoders_and_no_others() -> None:
    def opened(*names: str) -> tuple[str, ...]:
        plan = decide(source(), {place: spec(videoCodec=name) for place, name in enumerate(names)}, ABLE)
        return hardware.devices(command.encoders(plan.outputs))

    assert opened("libx264", "libx265") == ()
    assert opened("libx264", "h264_vaapi", "hevc_vaapi") == ("/dev/dri/renderD128",)
    assert all(device.startswith("/dev/nvidia") for device in opened("hevc_nvenc"))


def test_the_box_hears_of_devices() -> None:
    said = box.words(parent=1, read=["/lib"], write=["/work"], devices=["/dev/dri/renderD128"])
    assert box.heard(said)["device"] == ["/dev/dri/renderD128"]
    assert "device" not in box.heard(box.words(parent=1))


def test_a_result_of_hardware_is_measured_without_it() -> None:
    plan = planned(source(), spec(videoCodec="h264_vaapi"))
    assert "hwupload" in graph.alone(plan)
    assert "hwupload" not in graph.alone(quality.reference(plan, source()))
