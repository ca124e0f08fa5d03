"""Where pictures part into chunks, what one is made of, and what fits together again."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from encoder.ffmpeg import chunks, command, joint
from encoder.ffmpeg.plan import decide
from encoder.model.base import Json, replace
from encoder.model.chunk import Chunk, ChunkFile, ChunkMade, Split
from encoder.model.job import OutputSpec
from encoder.model.media import Media, SubtitleStream
from encoder.model.plan import Part, Plan
from tests.lab.facts import ABLE, audio, picture, source, spec, video

HOUR = 3600.0
RATES = ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "16"]


def film(rate: str = "25", seconds: float = HOUR, **changes: object) -> Media:
    """A long source of an even rate."""
    frames = int(seconds * Fraction(rate))
    length = float(frames / Fraction(rate))
    shown = video(rate=rate, duration_seconds=length, frames=frames, **changes)
    start = float(str(changes.get("start_seconds", 0.0)))
    return source(picture=shown, sound=audio(duration_seconds=length + start), duration_seconds=length + start)


def plan_of(media: Media, *outputs: OutputSpec) -> Plan:
    plan = decide(media, dict(enumerate(outputs)), ABLE)
    assert not plan.refused
    return plan


def split_of(media: Media, *outputs: OutputSpec, seconds: float = 300) -> Split:
    found = chunks.split(plan_of(media, *outputs), media, seconds=seconds, identity="a")
    assert found is not None
    return found


def starts(split: Split) -> list[Fraction]:
    return [Fraction(chunk.start_seconds) for chunk in split.chunks]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("preset", ["h264", "hls"])
def test_chunks_begin_where_a_keyframe_is_due(rate: str, preset: str) -> None:
    media = film(rate)
    split = split_of(media, spec(preset))
    shown = plan_of(media, spec(preset)).outputs[0].streams[0].video
    assert shown is not None
    gop = shown.gop_frames / Fraction(shown.rate)
    assert all((start / gop).denominator == 1 for start in starts(split))
    lengths = {later - earlier for earlier, later in pairwise(starts(split))}
    assert len(lengths) == 1
    assert abs(lengths.pop() - 300) <= gop / 2


def test_chunks_lie_side_by_side_from_the_first_moment_to_the_end() -> None:
    found = split_of(film(), spec()).chunks
    assert found[0].start_seconds == "0"
    assert [chunk.end_seconds for chunk in found[:-1]] == [chunk.start_seconds for chunk in found[1:]]
    assert found[-1].end_seconds is None
    assert [chunk.place for chunk in found] == [*range(len(found))]


@pytest.mark.parametrize(("seconds", "count"), [(609, 2), (611, 3)])
def test_a_last_chunk_of_less_than_ten_seconds_joins_the_one_before(seconds: float, count: int) -> None:
    assert len(split_of(film(seconds=seconds), spec()).chunks) == count


@pytest.mark.parametrize(("seconds", "count"), [(4.9, 2), (5.1, 3)])
def test_of_short_chunks_half_a_one_may_be_the_last(seconds: float, count: int) -> None:
    assert len(split_of(film(seconds=seconds), spec(), seconds=2).chunks) == count


def test_what_is_one_chunk_is_not_split() -> None:
    media = film(seconds=300)
    assert chunks.split(plan_of(media, spec()), media, seconds=300, identity="a") is None


def test_outputs_of_one_decode_share_their_chunks() -> None:
    split = split_of(film("30000/1001"), spec(height=720), spec("hls"), spec("vp9", height=360))
    assert {chunk.outputs for chunk in split.chunks} == {(0, 1, 2)}
    assert all((start / Fraction(1001, 500)).denominator == 1 for start in starts(split))


def test_outputs_whose_keyframes_hardly_meet_are_decoded_apart() -> None:
    split = split_of(film("30000/1001"), spec("hls"), spec("hls", fps=25))
    assert {chunk.outputs for chunk in split.chunks} == {(0,), (1,)}


def test_half_the_rate_has_the_same_boundaries() -> None:
    split = split_of(film("50"), spec("hls"), spec("hls", fps=25))
    assert {chunk.outputs for chunk in split.chunks} == {(0, 1)}


def test_outputs_that_end_apart_are_decoded_apart() -> None:
    split = split_of(film(), spec(clip={"start": 0, "end": 1200}), spec(clip={"start": 0, "end": 2400}))
    assert {chunk.outputs for chunk in split.chunks} == {(0,), (1,)}


def test_sound_and_images_beside_a_picture_are_left_out() -> None:
    split = split_of(film(), spec(), spec("audio-aac"), spec("thumbnails"))
    assert {chunk.outputs for chunk in split.chunks} == {(0,)}


def test_no_chunk_ends_before_the_picture_has_begun() -> None:
    split = split_of(film(start_seconds=25.0), spec(), seconds=20)
    assert starts(split)[:2] == [0, 40]


def test_what_a_picture_is_held_for_belongs_to_the_last_chunk() -> None:
    media = film(seconds=100)
    longer = replace(media, audio=(replace(media.audio[0], duration_seconds=200.0),), duration_seconds=200.0)
    plan = plan_of(longer, spec("hls"))
    assert picture(plan.outputs[0]).held_frames == 2500
    split = chunks.split(plan, longer, seconds=20, identity="a")
    assert split is not None
    assert starts(split) == [0, 20, 40, 60, 80]
    held = [picture(chunks.part(plan, longer, each)[0].outputs[0]).held_frames for each in split.chunks]
    assert held == [0, 0, 0, 0, 2500]


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"videoCodec": "copy"}, "copied"),
        ({"videoCodec": "h264_vaapi"}, "hardware"),
        ({"videoCodec": "none"}, "no picture"),
        ({"subtitles": {"mode": "burn-in", "tracks": ["fre"]}}, "long before"),
    ],
)
def test_what_cannot_be_made_in_chunks_says_why(members: dict[str, Json], told: str) -> None:
    tracks = (SubtitleStream(index=2, codec="hdmv_pgs_subtitle", language="fre"),)
    media = replace(film(), subtitles=tracks)
    note = chunks.hindrance(plan_of(media, spec(**members)).outputs[0], media)
    assert note is not None
    assert told in note.message


@pytest.mark.parametrize(
    ("media", "told"),
    [
        (film("30000/1001", telecined=True, interlaced=True, field_order="tt"), "film"),
        (replace(film(), format="mpegts"), "index"),
        (replace(film(), cut_short=True), "cut short"),
        (film(codec="vp9", pixel_format="yuva420p", alpha_beside=True), "transparent"),
    ],
)
def test_sources_that_are_made_in_one_piece_say_why(media: Media, told: str) -> None:
    note = chunks.hindrance(plan_of(media, spec()).outputs[0], media)
    assert note is not None
    assert told in note.message
    assert chunks.hindrance(plan_of(film(), spec()).outputs[0], film()) is None


def test_the_key_is_of_what_chunks_hold_and_of_nothing_else() -> None:
    media = film()
    same = [spec(), spec(audioCodec="none"), spec(container="mkv", audioCodec="libopus")]
    other = [spec(crf=30), spec(height=360), spec(clip={"start": 1, "end": 2000})]
    key = split_of(media, spec()).key
    assert {split_of(media, each).key for each in same} == {key}
    assert len({key, *(split_of(media, each).key for each in other)}) == 4
    assert split_of(media, spec(), seconds=60).key == key
    elsewhere = chunks.split(plan_of(media, spec()), media, seconds=300, identity="b")
    assert elsewhere is not None
    assert elsewhere.key != key


def test_a_chunk_is_a_clip_of_the_picture_alone_entered_before_it() -> None:
    media = film("30000/1001")
    plan = plan_of(media, spec())
    chunk = Chunk(outputs=(0,), place=2, start_seconds="1001/5", end_seconds="1001/2")
    part, one_pass = chunks.part(plan, media, chunk)
    (piece,) = part.outputs
    assert piece.audio is None
    assert (picture(piece).frames, picture(piece).frames_limit) == (9000, 0)
    args = command.build(part, one_pass, files={0: Path("/scratch/chunk")})
    graph = args[args.index("-filter_complex") + 1]
    assert "fps=fps=30000/1001,trim=start_pts=5940:end_pts=15000,setpts=PTS-5940" in graph
    assert args[args.index("-ss") + 1] == f"{200.2 - 2 * 60 * 1001 / 30000:.6f}"
    assert "trim=start=200.200000:end=500.500000[" in graph
    assert {"-copyts", "-start_at_zero", "-noaccurate_seek"} <= {*args}


def test_a_chunk_of_a_clip_counts_its_times_as_the_clip_does() -> None:
    media = film("25")
    plan = plan_of(media, spec(clip={"start": 100, "end": 700}))
    chunk = Chunk(outputs=(0,), place=1, start_seconds="200", end_seconds=None)
    part, one_pass = chunks.part(plan, media, chunk)
    args = command.build(part, one_pass, files={0: Path("/scratch/chunk")})
    assert args[args.index("-itsoffset") + 1] == "-98.000000"
    assert args[args.index("-ss") + 1] == "296.000000"
    assert "trim=start_pts=5000:end_pts=15050,setpts=PTS-5000" in args[args.index("-filter_complex") + 1]
    assert picture(part.outputs[0]).frames == 10_000


def test_what_x264_must_know_before_a_chunk_is_encoded_with_it_and_thrown_away() -> None:
    """A keyframe that follows nothing gets fewer bits than one in the middle: VMAF 91.65 in place of 92.40."""
    media = film("25")
    plan = plan_of(media, spec(), spec("vp9"))
    first, second, *_ = split_of(media, spec(), spec("vp9"), seconds=60).chunks
    part, one_pass = chunks.part(plan, media, second)
    assert one_pass.part is not None
    assert one_pass.part.run_in == (50, 0)
    args = command.build(part, one_pass, files={0: Path("/scratch/0"), 1: Path("/scratch/1")})
    assert args[args.index("-force_key_frames") + 1] == "expr:eq(n,50)"
    dropped = "noise=drop='lt(pts*tb,1.980000)',setts=pts=PTS-round(2.000000000/TB):dts=DTS-round(2.000000000/TB)"
    assert [value for option, value in pairwise(args) if option == "-bsf:v"] == [dropped]
    assert [picture(each).frames for each in part.outputs] == [1500, 1500]
    assert chunks.part(plan, media, first)[1].part == Part(enter_seconds=0.0, end_seconds=60.0, run_in=(0, 0))


def test_neighbours_count_frames_up_to_the_same_word() -> None:
    """None of the source's frames may belong to two chunks, or to none."""
    media = film("24000/1001")
    plan = plan_of(media, spec(clip={"start": 7.007, "end": 3000}))
    parts = [
        chunks.part(plan, media, each)[1].part
        for each in split_of(media, spec(clip={"start": 7.007, "end": 3000}), seconds=11).chunks
    ]
    for earlier, later in pairwise(parts):
        assert earlier is not None
        assert later is not None
        assert earlier.end_seconds is not None
        assert f"{earlier.end_seconds:.6f}" == f"{later.start_seconds:.6f}"


def test_rungs_of_a_package_are_streams_of_one_chunk() -> None:
    media = film()
    plan = plan_of(media, spec("hls"))
    split = split_of(media, spec("hls"))
    names = [each.name for each in plan.outputs[0].renditions if each.video]
    assert chunks.streams(plan, split.chunks[1]) == [(0, name) for name in names]
    part, _ = chunks.part(plan, media, split.chunks[1])
    assert [picture(each).grid for each in part.outputs] == [True] * len(names)
    assert not any(picture(each).from_zero for each in part.outputs)


def made_of(split: Split, rate: str = "25", name: str = "") -> list[ChunkMade]:
    """What workers tell of chunks that are as they were planned, the last one of ten seconds."""
    made = []
    for chunk in split.chunks:
        end = Fraction(chunk.end_seconds) if chunk.end_seconds else Fraction(chunk.start_seconds) + 10
        frames = int((end - Fraction(chunk.start_seconds)) * Fraction(rate))
        file = ChunkFile(output=0, name=name, size_bytes=1, sha256="", frames=frames, extradata="e")
        made.append(
            ChunkMade(chunk=chunk, files=(file,), frames_decoded=frames, decode_errors=0, cpu_seconds=1.0, seconds=1.0)
        )
    return made


def spoilt(made: list[ChunkMade], place: int, **facts: object) -> list[ChunkMade]:
    file = replace(made[place].files[0], **facts)
    return [replace(each, files=(file,)) if at == place else each for at, each in enumerate(made)]


def test_chunks_that_are_as_planned_fit() -> None:
    plan, made = plan_of(film(), spec()), made_of(split_of(film(), spec()))
    assert joint.fault(plan.outputs[0], joint.of_output(0, reversed(made))) is None


def test_chunks_that_do_not_fit_are_told() -> None:
    output, made = plan_of(film(), spec()).outputs[0], made_of(split_of(film(), spec()))
    assert "first to the last" in (joint.fault(output, made[1:]) or "")
    assert "first to the last" in (joint.fault(output, made[:-1]) or "")
    assert "first to the last" in (joint.fault(output, [*made[:3], *made[4:]]) or "")
    moved = replace(made[2], chunk=replace(made[2].chunk, start_seconds="599"))
    assert "first to the last" in (joint.fault(output, [*made[:2], moved, *made[3:]]) or "")
    assert "set up differently" in (joint.fault(output, spoilt(made, 4, extradata="f")) or "")
    assert "Chunk 4 has" in (joint.fault(output, spoilt(made, 4, frames=made[4].files[0].frames - 1)) or "")
    assert "no file" in (joint.fault(output, spoilt(made, 4, name="720p")) or "")
    assert joint.fault(output, [replace(made[0], problem="it broke"), *made[1:]]) == "it broke"
    assert "first to the last" in (joint.fault(output, []) or "")


@pytest.mark.parametrize("rate", RATES)
def test_rounded_lengths_of_chunks_never_add_up(rate: str) -> None:
    """Hours of short chunks: each begins within half a microsecond of its frame."""
    output = plan_of(film(rate), spec()).outputs[0]
    step = 49 / Fraction(rate)
    ends: list[str | None] = [str(step * place) for place in range(1, 3_000)]
    found = tuple(
        Chunk(outputs=(0,), place=place, start_seconds=str(step * place), end_seconds=end)
        for place, end in enumerate([*ends, None])
    )
    lines = joint.script(output, made_of(Split(key="", chunks=found), rate)).splitlines()
    lengths = [Fraction(line.split()[1]) for line in lines if line.startswith("duration")]
    at, furthest = Fraction(0), Fraction(0)
    for place, length in enumerate(lengths[:-1], 1):
        at += length
        furthest = max(furthest, abs(at - step * place))
    assert furthest <= Fraction(1, 2_000_000)


def test_the_list_is_in_the_order_of_places_and_not_of_names() -> None:
    split = split_of(film(seconds=60), spec(), seconds=4)
    lines = joint.script(plan_of(film(seconds=60), spec()).outputs[0], made_of(split)).splitlines()
    assert [line for line in lines if line.startswith("file")] == [f"file {at:04}/0/picture" for at in range(15)]


def test_a_joined_output_has_its_picture_copied_and_its_sound_made_as_ever() -> None:
    media = film()
    plan = plan_of(media, spec(height=720))
    one_pass = plan.passes[0]
    mine = made_of(split_of(media, spec()))
    late = spoilt(mine, 0, frames=mine[0].files[0].frames - 5, late_frames=5)
    joints = (joint.joint(plan.outputs[0], late, "chunks"),)
    files = {0: Path("/scratch/out.mp4")}
    whole = command.build(plan, one_pass, files=files, threads=2)
    joined = command.build(plan, replace(one_pass, joints=joints), files=files, threads=2)
    assert joined[joined.index("-c:v") + 1] == "copy"
    assert joined[joined.index("-map") + 1] == "1:v"
    assert joined[joined.index("-itsoffset") + 1] == "0.200000"
    assert "file:chunks/chunks-0.txt" in joined
    sounds = [whole[whole.index("-c:a") :], joined[joined.index("-c:a") :]]
    assert sounds[0] == sounds[1]
    assert not any("scale=" in word for word in joined)
