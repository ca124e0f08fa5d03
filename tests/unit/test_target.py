"""A quality to reach (docs/why/encoding.md, "Quality"), as far as it is decided without an ffmpeg."""

from __future__ import annotations

from itertools import pairwise

import pytest

from encoder.ffmpeg import codecs, presets, proof, quality, rules, target
from encoder.ffmpeg.quality import Scores
from encoder.model.base import Json
from encoder.model.media import Media
from encoder.model.plan import OutputPlan
from encoder.model.proof import Proof
from tests.lab.facts import MP4, audio, picture, planned, source, spec, video

SEARCHED = [encoder for encoder in codecs.VIDEO_ENCODERS.values() if encoder.sane_crf[1]]
X264 = codecs.VIDEO_ENCODERS["libx264"]


def of_length(seconds: float, *, format: str = MP4) -> Media:  # noqa: A002  # the fact's own name
    return source(
        picture=video(duration_seconds=seconds, frames=round(25 * seconds)),
        sound=audio(duration_seconds=seconds),
        duration_seconds=seconds,
        format=format,
    )


def aimed(preset: str = "h264", goal: float = 93, **members: Json) -> OutputPlan:
    return planned(source(), spec(preset, targetQuality=goal, **members))


@pytest.mark.parametrize(
    ("seconds", "count", "length"),
    [(4, 1, 4), (6, 1, 6), (7, 3, 2), (30, 3, 2), (31, 4, 3), (600, 4, 3), (601, 5, 4), (36_000, 5, 4)],
)
def test_samples_are_three_to_five_of_two_to_four_seconds(seconds: float, count: int, length: float) -> None:
    media = of_length(seconds)
    found = target.samples(planned(media, spec(targetQuality=93)), media)
    assert [sample.clip_seconds for sample in found] == [pytest.approx(length)] * count
    starts = [sample.clip_start_seconds for sample in found]
    assert starts == sorted(set(starts))
    assert all(later - earlier >= length for earlier, later in pairwise(starts))
    assert starts[-1] + length <= seconds + 1 / 25


def test_samples_lie_inside_the_clip_on_its_grid() -> None:
    media = of_length(100)
    found = target.samples(planned(media, spec(targetQuality=93, clip={"start": 40, "end": 60})), media)
    assert all(40 <= sample.clip_start_seconds <= 58 for sample in found)
    assert all((sample.clip_start_seconds * 25).is_integer() for sample in found)
    assert all(sample.seek_seconds == sample.clip_start_seconds - 2 for sample in found)


def test_what_cannot_be_entered_in_its_middle_is_tried_at_its_beginning() -> None:
    """The cost has a bound: a sample an hour into such a source would be decoded from its start."""
    media = of_length(36_000, format="mpegts")
    found = target.samples(planned(media, spec(targetQuality=93)), media)
    assert len(found) == 4
    assert found[-1].clip_start_seconds < 60


def test_a_source_of_unknown_length_is_tried_at_its_beginning() -> None:
    media = source(picture=video(duration_seconds=None, frames=None), silent=True, duration_seconds=None)
    (sample,) = target.samples(planned(media, spec(targetQuality=93)), media)
    assert (sample.clip_start_seconds, sample.clip_seconds) == (0.0, 6.0)


def test_a_trial_is_the_output_but_for_its_sound_and_its_crf() -> None:
    media = of_length(100)
    output = planned(media, spec("hevc", targetQuality=93, height=360))
    trial = target.tried(target.samples(output, media)[0], 27.0, 10_001)
    assert (trial.output, trial.audio, trial.measure, trial.container) == (10_001, None, ("vmaf",), "mkv")
    assert (picture(trial).height_px, picture(trial).crf, picture(trial).codec_tag) == (360, 27.0, None)
    assert ("-crf", "27") in picture(trial).options
    others = {option for option in picture(output).options if option[0] != "-crf"}
    assert others < set(picture(trial).options)


@pytest.mark.parametrize("encoder", SEARCHED, ids=lambda encoder: encoder.name)
def test_each_encoder_is_tried_at_three_crfs_of_its_sane_range(encoder: codecs.VideoEncoder) -> None:
    low, high = encoder.sane_crf
    assert encoder.crf_min <= low < encoder.default_crf < high <= encoder.crf_max
    tries = target.crfs(encoder)
    assert len(set(tries)) == 3
    assert all(low < crf < high and crf.is_integer() for crf in tries)


CURVE = {19.0: [98.0, 96.0], 26.0: [92.0, 90.0], 32.0: [80.0, 78.0]}  # 97, 91, 79


@pytest.mark.parametrize(
    ("goal", "crf", "predicted"),
    [
        (94, 22.5, 94),  # half way
        (91, 26, 91),
        (85, 29, 85),
        (80, 31.5, 80),
        (75, 34, 75),  # beyond the tries, on the same line
        (98, 17.8, 98.03),
        (99, 16.6, 99.06),
    ],
)
def test_between_the_tries_it_is_interpolated(goal: float, crf: float, predicted: float) -> None:
    made = picture(target.settled(aimed(goal=goal), CURVE))
    assert made.crf == crf
    assert made.predicted_quality == pytest.approx(predicted, abs=0.01)
    assert ("-crf", f"{crf:g}") in made.options


@pytest.mark.parametrize(
    ("curve", "goal", "crf"),
    [
        (CURVE, 30, 36),  # nobody wants more
        ({19.0: [60.0], 26.0: [50.0], 32.0: [40.0]}, 93, 15),  # nobody sees more
        ({19.0: [99.9], 26.0: [99.9], 32.0: [99.9]}, 93, 32),  # nothing tells them apart
        ({19.0: [90.0], 26.0: [90.0], 32.0: [90.0]}, 93, 15),
        ({19.0: [95.0], 26.0: [96.0], 32.0: [90.0]}, 95, 26),  # what rises is noise
    ],
    ids=["far below", "out of reach", "all the same and enough", "all the same and too low", "rising"],
)
def test_the_crf_stays_in_the_sane_range(curve: dict[float, list[float]], goal: float, crf: float) -> None:
    output = target.settled(aimed(goal=goal), curve)
    assert picture(output).crf == crf
    assert output.reasons[-1].code == "crf_found"


def test_an_encoder_of_whole_numbers_gets_the_finer_one() -> None:
    made = picture(target.settled(aimed("vp9", 93), {22.0: [97.0], 32.0: [90.0], 43.0: [80.0]}))
    assert made.crf == 27
    assert (made.predicted_quality or 0) > 93


def test_the_plan_says_what_will_be_tried_and_measures_the_result() -> None:
    output = aimed(measure=["ssim"])
    (reason,) = (note for note in output.reasons if note.code == "target_quality")
    assert "VMAF 93" in reason.message
    assert "19, 26, 32" in reason.message
    assert output.measure == ("vmaf", "ssim")
    assert picture(output).crf == X264.default_crf  # until it was tried


@pytest.mark.parametrize("members", [{"crf": 20}, {"videoBitrate": 10**6}])
def test_there_is_one_way_to_say_how_good(members: dict[str, Json]) -> None:
    faults = rules.check(spec(None, container="mp4", targetQuality=93, **members))
    assert [fault.path for fault in faults] == ["/targetQuality"]


@pytest.mark.parametrize("goal", [29, 99.5])
def test_a_goal_is_one_that_can_be_told_apart(goal: float) -> None:
    assert [fault.code for fault in rules.check(spec(targetQuality=goal))] == ["out_of_range"]


def test_rungs_that_shall_reach_one_quality_have_no_rates_and_are_compared_at_their_own_size() -> None:
    aimed = spec("hls", targetQuality=85)
    assert rules.check(aimed) == []
    media = source()
    plan = planned(media, aimed)
    rungs = [each for each in plan.renditions if each.video]
    assert {(picture(each).target_quality, picture(each).bitrate_bps) for each in rungs} == {(85, None)}
    sizes = [picture(quality.reference(each, media)) for each in rungs]
    assert [each.height_px for each in sizes] == [1080, 720, 480, 360]
    (sample, *_) = target.samples(rungs[3], media)
    assert (sample.container, picture(quality.reference(sample, media)).height_px) == ("mkv", 360)
    rated: Json = [{"height": 720}, {"height": 360, "videoBitrate": 10**6}]
    faults = rules.check(spec(None, container="hls", targetQuality=85, renditions=rated))
    assert [fault.path for fault in faults] == ["/renditions/1/videoBitrate"]


def test_a_copy_has_no_goal() -> None:
    assert "/targetQuality" in {fault.path for fault in rules.check(spec(videoCodec="copy", targetQuality=93))}


def test_a_goal_takes_the_place_of_a_preset_s_rate_and_a_rate_that_of_a_goal() -> None:
    merged = presets.merge({"container": "mp4", "videoBitrate": 10**6, "twoPass": True}, {"targetQuality": 93})
    assert (merged.video_bitrate, merged.two_pass, merged.target_quality) == (None, None, 93)
    assert spec(targetQuality=93).crf is None
    goal: dict[str, Json] = {"container": "mp4", "targetQuality": 93}
    assert presets.merge(goal, {"crf": 20}).target_quality is None
    assert presets.merge(goal, {"videoBitrate": 10**6}).target_quality is None


def test_a_result_more_than_two_points_below_is_a_warning_and_no_failure() -> None:
    missed = Proof(checks=(quality.check(Scores(vmaf=90.9), target=93, predicted=93.1),))
    assert [note.code for note in proof.warnings(missed)] == ["quality_below_target"]
    assert proof.verdict(missed) is None
    assert proof.warnings(Proof(checks=(quality.check(Scores(vmaf=91.1), target=93),))) == ()
