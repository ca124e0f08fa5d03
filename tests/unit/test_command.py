"""Whole commands, word for word, in `golden/`. `GOLDEN=write` writes them anew: read the difference."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from encoder.ffmpeg import command, decoding, lift
from encoder.ffmpeg.plan import decide
from encoder.model.job import OutputSpec
from encoder.model.media import Media, SubtitleStream
from tests.lab.facts import ABLE, audio, hdr, source, spec, video

GOLDEN = Path(__file__).parent / "golden"
FOLDER = Path("/scratch/7/1")

PHONE = source(picture=video(codec="hevc", rotation_deg=90, rate="30000/1001", frames=299))
DVD = source(
    picture=video(
        codec="mpeg2video", coded_width=720, coded_height=576, sample_aspect_ratio="64/45", interlaced=True,
        color_matrix=None, color_primaries=None, color_transfer=None,
    ),
    sound=audio(codec="ac3", channels=6, layout="5.1(side)", language="ger"),
    format="mpeg",
)  # fmt: skip
FILM = source(
    subtitles=(
        SubtitleStream(index=2, codec="subrip", language="eng", default=True),
        SubtitleStream(index=3, codec="ass", language="ger", forced=True),
        SubtitleStream(index=4, codec="hdmv_pgs_subtitle", language="fre"),
    )
)

CASES: dict[str, tuple[Media, Sequence[OutputSpec]]] = {
    "h264": (source(), [spec(height=720)]),
    "vp9": (source(), [spec("vp9", height=360)]),
    "hevc": (source(), [spec("hevc", level="4.1")]),
    "av1": (source(), [spec("av1")]),
    "av1-fast": (source(), [spec("av1-fast")]),
    "audio-aac": (source(), [spec("audio-aac")]),
    "audio-opus": (source(sound=audio(channels=1, layout="mono", start_seconds=0.5)), [spec("audio-opus")]),
    "two-outputs-one-decode": (source(), [spec(height=720), spec("vp9", height=360)]),
    "same-picture-twice": (source(), [spec(height=720), spec("hevc", height=720), spec("vp9", height=360)]),
    "phone": (PHONE, [spec(height=720)]),
    "dvd": (DVD, [spec()]),
    "hdr-to-sdr-ladder": (source(picture=hdr(), silent=True), [spec(height=720), spec(height=360)]),
    "hdr-kept": (source(picture=hdr(), silent=True), [spec("hevc", toneMap=False, height=720)]),
    "clip": (source(), [spec(clip={"start": 3, "end": 5})]),
    "clip-without-index": (source(format="mpegts"), [spec(clip={"start": 3})]),
    "cover-pad-turned": (
        source(),
        [spec(width=720, height=720, fit="cover"), spec(width=720, height=720, fit="pad", rotate=90)],
    ),
    "bitrate": (source(), [spec(videoBitrate=2_500_000, keyframeInterval=1, audioCodec="none")]),
    "two-passes": (
        source(),
        [
            spec(height=720, videoBitrate=10**6, twoPass=True),
            spec(height=360),
            spec("vp9", height=360, videoBitrate=500_000, twoPass=True),
            spec("hevc", height=360, videoBitrate=500_000, twoPass=True),
        ],
    ),
    "hardware": (
        source(),
        [
            spec(height=720, videoCodec="h264_vaapi"),
            spec(height=720),
            spec("hevc", height=360, videoCodec="hevc_nvenc"),
        ],
    ),
    "copied-clip": (source(), [spec(videoCodec="copy", clip={"start": 3, "end": 5})]),
    "copy": (source(), [spec(videoCodec="copy", audioCodec="copy")]),
    "subtitles": (
        FILM,
        [
            spec(height=720, subtitles={"mode": "copy"}),
            spec(None, container="mkv", height=720, subtitles={"mode": "copy"}),
            spec(height=720, subtitles={"mode": "burn-in"}),
            spec(height=720, subtitles={"mode": "burn-in", "tracks": ["fre"]}),
            spec(None, container="vtt"),
        ],
    ),
    "hls-and-its-mp4": (source(), [spec("hls"), spec(height=720)]),
    "hls-ts-hevc": (source(silent=True), [spec(None, container="hls", videoCodec="hevc", segmentFormat="ts")]),
}


def rendered(args: Sequence[str]) -> str:
    """An option and its values on a line, a graph's statements and a chain's steps on lines of their own."""
    lines = [args[0]]
    for arg in args[1:]:
        if arg.startswith("-") and not arg.lstrip("-").isdigit():
            lines.append(f"  {arg}")
        elif "," in arg and arg.startswith("["):
            lines += [f"      {step}" for step in arg.replace(";", ";\n").replace(",", ",\n").splitlines()]
        else:
            lines[-1] += f" {arg}"
    return "\n".join(lines) + "\n"


def commands(media: Media, outputs: Sequence[OutputSpec]) -> str:
    plan = decide(media, dict(enumerate(outputs)), ABLE, ends={0: (4.96, 5.0)})
    assert not plan.refused
    files = {made.output: FOLDER / made.file_name for made in plan.outputs}
    lifted = lift.run(plan.outputs, source_args=command.INPUT_OPTIONS)
    runs = [lifted]
    for one in plan.passes:
        runs += [command.first(plan, one, threads=2), command.build(plan, one, files=files, threads=2)]
    return "\n".join(rendered(command.shown(args, FOLDER)) for args in runs if args is not None)


@pytest.mark.parametrize("case", CASES)
def test_a_command_is_word_for_word_what_was_agreed(case: str) -> None:
    text, file = commands(*CASES[case]), GOLDEN / f"{case}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


def test_every_golden_file_belongs_to_a_case() -> None:
    assert {file.stem for file in GOLDEN.iterdir()} == set(CASES)


def test_without_a_number_of_threads_none_is_named() -> None:
    plan = decide(source(), {0: spec(), 1: spec("hevc"), 2: spec("av1-fast")}, ABLE)
    args = command.build(plan, plan.passes[0], files={n: FOLDER / str(n) for n in range(3)})
    assert "-threads:v" not in args
    assert not any("pools" in arg or "lp=" in arg for arg in args)


def test_one_graph_reads_a_track_however_many_outputs_it_goes_into() -> None:
    plan = decide(source(), dict(enumerate([spec(), spec("hls"), spec("vp9")])), ABLE)
    (one_pass,) = plan.passes
    args = command.build(plan, one_pass, files={n: FOLDER / str(n) for n in range(3)})
    graphs = [value for option, value in pairwise(args) if option == "-filter_complex"]
    assert [graph[:5] for graph in graphs] == ["[0:0]", "[0:1]"]
    assert not any(option.startswith("-filter:") for option in args)


def test_a_source_may_be_opened_otherwise() -> None:
    plan = decide(source(), {0: spec()}, ABLE)
    args = command.build(plan, plan.passes[0], files={0: FOLDER / "0"}, source_args=("-i", "file:x"))
    assert args[4:6] == ["-i", "file:x"]


def test_the_second_decoder_stops_at_the_first_error() -> None:
    args = decoding.whole()
    assert args[:3] == ["-v", "repeat+error", "-xerror"]
    assert args[-3:] == ["-f", "null", "-"]
