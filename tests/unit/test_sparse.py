"""How much of a source is decoded for its pictures: what is needed, when it is worth it, and how it is told."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from encoder.ffmpeg import command, sparse
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.plan import Plan, Stretch
from tests.lab.facts import ABLE, Able, source, spec, video

FILES = {0: Path("out")}
HOUR = 3600
KEYS = tuple(float(second) for second in range(0, HOUR, 2))
LONG = source(picture=video(frames=25 * HOUR, duration_seconds=float(HOUR)), duration_seconds=float(HOUR))


def thumbnails(**members: Json) -> OutputSpec:
    return spec("thumbnails", thumbnails=members)


def planned(*outputs: OutputSpec, keys: tuple[float, ...] = KEYS, able: Able = ABLE) -> Plan:
    plan = decide(LONG, dict(enumerate(outputs)), able, None, {0: keys})
    assert not plan.refused, plan.refused
    return plan


def stretches(*outputs: OutputSpec, keys: tuple[float, ...] = KEYS) -> list[tuple[float, float]]:
    """What the one pass decodes."""
    (one_pass,) = planned(*outputs, keys=keys).passes
    return [(round(each.start_seconds, 2), round(each.end_seconds, 2)) for each in one_pass.decoded]


def why(plan: Plan, output: int = 0) -> tuple[str, str]:
    return next((note.code, note.message) for note in plan.output(output).reasons if note.code.startswith("decoded"))


def test_each_moment_is_decoded_from_the_entry_before_it_up_to_the_frame_after() -> None:
    """The beginning too, for frames are counted from there; and what follows the last, which ends its time on show."""
    assert stretches(thumbnails(at=[7, 100.5, 101.9])) == [(0, 0.04), (6, 7.04), (100, 101.92), (102, 102.04)]


def test_a_moment_on_an_entry_needs_no_more_than_that_frame() -> None:
    assert stretches(thumbnails(every=1000))[:3] == [(0, 0.04), (1000, 1000.04), (2000, 2000.04)]


def test_an_entry_just_after_a_moment_is_on_show_then_as_times_are_rounded_to_frames() -> None:
    assert stretches(thumbnails(at=[100]), keys=(0, 98, 100.008, 102))[1] == (100.01, 100.04)
    assert stretches(thumbnails(at=[100]), keys=(0, 98, 100.03, 102))[1] == (98, 100.04)


def test_before_the_first_entry_everything_is_decoded() -> None:
    assert stretches(thumbnails(at=[5, 1000]), keys=(8.0, 999.0, 1001.0))[0] == (-math.inf, 5.04)


def test_after_the_last_entry_everything_is_decoded() -> None:
    assert stretches(thumbnails(at=[3599.5]))[-1] == (3598, math.inf)


def test_pictures_of_several_outputs_share_one_decode_of_what_each_needs() -> None:
    both = stretches(thumbnails(at=[7]), thumbnails(at=[6.5, 50]))
    assert both == [(0, 0.04), (6, 7.04), (8, 8.04), (50, 50.04), (52, 52.04)]


def test_so_many_pictures_that_little_would_be_spared_are_made_of_a_whole_decode() -> None:
    plan = planned(thumbnails(every=2.2), keys=KEYS[::50])
    assert plan.passes[0].decoded == ()
    assert why(plan) == (
        "decoded_whole",
        "The whole source is decoded: its keyframes lie too far apart for pictures as close as these.",
    )


def test_moments_at_the_beginning_are_not_compared_with_a_whole_that_nobody_would_decode() -> None:
    """After the last of them the run ends anyway: to read on to the next keyframe would only cost."""
    assert stretches(thumbnails(at=[3]), keys=(0.0, 1800.0)) == []


def test_the_plan_tells_how_much_is_decoded() -> None:
    plan = planned(thumbnails(every=60))
    assert why(plan) == (
        "decoded_sparsely",
        "Of 3600 s about 2 are decoded: from the keyframe before each picture on, up to it.",
    )
    assert plan.outputs[0].images is not None
    assert plan.outputs[0].images.sparse


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ((thumbnails(every=60), spec()), "something that plays is made of it too"),
        ((thumbnails(every=60), spec("gif", clip={"start": 0, "end": 2})), "something that plays is made of it too"),
        (
            (thumbnails(every=60), spec("thumbnails", clip={"start": 0, "end": 20})),
            "a part of it is made into pictures too",
        ),
        (
            (spec("thumbnails", deinterlace=True, thumbnails={"every": 60}),),
            "its frames are woven of fields, with those beside them",
        ),
    ],
)
def test_what_else_is_made_of_a_source_may_need_all_of_it(outputs: tuple[OutputSpec, ...], told: str) -> None:
    plan = planned(*outputs)
    assert [one_pass.decoded for one_pass in plan.passes] == [()]
    assert why(plan) == ("decoded_whole", f"The whole source is decoded: {told}.")


def test_without_entries_or_an_ffmpeg_that_can_leave_out_packets_the_whole_source_is_decoded() -> None:
    assert why(planned(thumbnails(every=60), keys=()))[1].endswith("where it can be entered is not known.")
    able = replace(ABLE, drops_packets=False)
    assert why(planned(thumbnails(every=60), able=able))[1].endswith("this ffmpeg can leave nothing out.")


def test_a_clip_is_sought_as_ever_and_no_word_is_lost_on_it() -> None:
    plan = planned(spec("thumbnails", clip={"start": 100, "end": 200}))
    assert plan.passes[0].decoded == ()
    assert not [note for note in plan.outputs[0].reasons if note.code.startswith("decoded")]


def test_more_stretches_than_a_command_holds_are_joined_where_the_gaps_are_smallest() -> None:
    assert len(stretches(thumbnails(every=1), keys=tuple(second / 2 for second in range(2 * HOUR)))) == 0
    (one_pass,) = planned(thumbnails(every=2.4), keys=tuple(second / 2 for second in range(2 * HOUR))).passes
    assert 500 < len(one_pass.decoded) <= 1000
    args = command.build(planned(thumbnails(every=2.4)), one_pass, files=FILES)
    assert max(len(arg) for arg in args) < 128 * 1024


def test_entries_are_asked_for_only_where_images_alone_need_the_picture() -> None:
    assert sparse.wanted([thumbnails(every=60), spec("audio-aac"), spec(videoCodec="copy")])
    assert not sparse.wanted([thumbnails(every=60), spec()])
    assert not sparse.wanted([spec("audio-aac")])


def kept(condition: str, pts: float, dts: float) -> bool:
    """What `noise` makes of a packet, with Python for ffmpeg's calculator."""
    names = {
        "if_": lambda condition, one, other: one if condition else other,
        "lte": lambda one, other: one <= other,
        "gte": lambda one, other: one >= other,
        "not_": lambda value: not value,
    }
    spelled = condition.replace("not(", "not_(").replace("if(", "if_(")
    return not eval(spelled, {**names, "pts": pts, "dts": dts, "tb": 1})  # noqa: S307  # our own words


def test_the_condition_keeps_just_the_packets_of_the_stretches() -> None:
    """By the time of presentation at their beginning, by that of decoding at their end."""
    decoded = planned(thumbnails(every=777)).passes[0].decoded
    args = command.build(planned(thumbnails(every=777)), planned(thumbnails(every=777)).passes[0], files=FILES)
    condition = args[args.index("-bsf:0") + 1].removeprefix("noise=drop='").removesuffix("'")
    for frame in range(0, 25 * HOUR, 5):
        pts = Fraction(frame, 25)
        dts = pts - Fraction(2, 25)
        inside = any(_holds(each, float(pts), float(dts)) for each in decoded)
        assert kept(condition, float(pts), float(dts)) == inside, frame


def _holds(stretch: Stretch, pts: float, dts: float) -> bool:
    return stretch.start_seconds <= pts and dts <= stretch.end_seconds
