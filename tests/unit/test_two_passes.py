"""Two passes (docs/why/encoding.md, "One decode, many outputs; two passes")."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from encoder.ffmpeg import command, presets, rules
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.progress import Progress
from encoder.model.base import Json
from encoder.model.plan import Plan
from encoder.worker import progress
from tests.lab.facts import ABLE, picture, planned, source, spec

TWICE = spec(height=720, videoBitrate=10**6, twoPass=True)
VP9_TWICE = spec("vp9", height=360, videoBitrate=500_000, twoPass=True)


def plan_of_a_shared_pass() -> Plan:
    """Sound lies between the pictures, so that places differ from pass to pass."""
    plan = decide(source(), {0: TWICE, 1: spec(height=360), 2: VP9_TWICE}, ABLE)
    assert [one.outputs for one in plan.passes] == [(0, 1, 2)]
    return plan


def test_two_passes_need_a_bitrate() -> None:
    assert [fault.path for fault in rules.check(spec(twoPass=True))] == ["/twoPass"]
    assert [fault.path for fault in rules.check(spec(twoPass=True, maxBitrate=10**6))] == ["/twoPass"]
    assert rules.check(TWICE) == []
    assert rules.check(spec(twoPass=False)) == []


def test_each_picture_of_a_package_needs_a_bitrate_for_two_passes() -> None:
    assert rules.check(spec("hls", twoPass=True)) == []
    assert [fault.path for fault in rules.check(spec("hls", twoPass=True, crf=23))] == ["/twoPass"]
    rungs: Json = [{"height": 720, "videoBitrate": 10**6}, {"height": 360, "crf": 30}]
    assert [fault.path for fault in rules.check(spec(None, container="hls", twoPass=True, renditions=rungs))] == [
        "/twoPass"
    ]


def test_all_first_passes_of_a_package_are_one_decode_and_each_finds_its_own() -> None:
    """In the second run sound lies behind the pictures, and a file with its sound before them."""
    plan = decide(source(), {0: TWICE, 1: spec("hls", twoPass=True)}, ABLE)
    first = command.first(plan, plan.passes[0])
    assert first is not None
    assert (first.count("-i"), first.count("-pass:v")) == (1, 5)
    logs = [first[place + 1] for place, word in enumerate(first) if word == "-passlogfile:v"]
    assert logs == ["pass-0", "pass-1-1080p", "pass-1-720p", "pass-1-480p", "pass-1-360p"]
    names = {old: new for old, new in command.pass_logs(plan, plan.passes[0]).items() if old.endswith(".log")}
    assert names == {
        "pass-1-1080p-1.log": "pass-1-1080p-2.log",
        "pass-1-720p-2.log": "pass-1-720p-3.log",
        "pass-1-480p-3.log": "pass-1-480p-4.log",
        "pass-1-360p-4.log": "pass-1-360p-5.log",
    }


def test_an_encoder_of_one_pass_refuses_two_and_names_those_that_take_them() -> None:
    (fault,) = rules.check(spec("av1-fast", twoPass=True, videoBitrate=10**6))
    assert (fault.path, fault.code) == ("/twoPass", "unsupported_combination")
    assert "libaom-av1" in fault.message


def test_an_encoder_of_one_pass_that_takes_another_s_place_makes_one() -> None:
    poor = replace(ABLE, encoders=ABLE.encoders - {"libaom-av1"})
    plan = planned(source(), spec("av1", twoPass=True, videoBitrate=10**6), poor)
    assert (picture(plan).encoder, picture(plan).two_pass) == ("libsvtav1", False)
    assert {"codec_substituted", "one_pass"} <= {reason.code for reason in plan.reasons}


def test_a_copy_has_no_passes() -> None:
    assert "/twoPass" in {fault.path for fault in rules.check(spec(videoCodec="copy", twoPass=True))}


def test_a_quality_of_one_s_own_drops_the_passes_of_a_preset() -> None:

    merged = presets.merge({"container": "mp4", "videoBitrate": 10**6, "twoPass": True}, {"crf": 20})
    assert (merged.video_bitrate, merged.two_pass, merged.crf) == (None, None, 20)


def test_the_plan_says_that_there_are_two_and_why() -> None:
    plan = planned(source(), TWICE)
    assert picture(plan).two_pass
    assert "two_pass" in {reason.code for reason in plan.reasons}


def test_all_first_passes_of_a_shared_pass_are_one_decode_without_sound() -> None:
    plan = plan_of_a_shared_pass()
    first = command.first(plan, plan.passes[0])
    assert first is not None
    assert first.count("-i") == 1
    assert (first.count("-pass:v"), first.count("null"), first.count("-c:v")) == (2, 2, 2)
    assert "-c:a" not in first
    assert "0:1" not in first


def test_both_passes_see_the_same_filters() -> None:
    plan = decide(source(), {0: TWICE}, ABLE)
    first = command.first(plan, plan.passes[0])
    second = command.build(plan, plan.passes[0], files={0: Path("out")})
    assert first is not None
    assert first[first.index("-filter_complex") + 1] == second[second.index("-filter_complex") + 1]


def test_what_a_first_pass_found_is_called_as_the_second_looks_for_it() -> None:
    plan = plan_of_a_shared_pass()  # first run: streams 0, 1; second: 0 and its sound, 2 and its sound, 4
    assert command.pass_logs(plan, plan.passes[0]) == {
        "pass-2-1.log": "pass-2-4.log",
        "pass-2-1.log.mbtree": "pass-2-4.log.mbtree",
    }


def test_an_output_by_itself_keeps_its_names() -> None:
    plan = decide(source(), {3: VP9_TWICE}, ABLE)
    assert command.pass_logs(plan, plan.passes[0]) == {}


def test_without_two_passes_there_is_no_first() -> None:
    plan = decide(source(), {0: spec(videoBitrate=10**6)}, ABLE)
    assert command.first(plan, plan.passes[0]) is None


@pytest.mark.parametrize(("run", "shown"), [(0, 0.25), (1, 0.75)])
def test_progress_goes_over_both_passes(run: int, shown: float) -> None:
    live = progress.encode(planned(source(), TWICE), Progress(frame=125), elapsed_s=4.0, run=run, runs=2)
    assert live.progress == pytest.approx(0.1 + 0.8 * shown)
    assert live.fps == pytest.approx((125 + 250 * run) / 4)
