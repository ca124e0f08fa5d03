"""Ladders of real sources: one grid, to the frame ("Ladder and grid" of encoding.md)."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from encoder.model.base import Json
from encoder.model.job import OutputSpec
from tests.lab.facts import picture, spec, warned
from tests.lab.ladder import Ladder, ladder
from tests.lab.media import clip, made, public_clip

RUNGS: Json = [
    {"resolution": "180p", "videoBitrate": 300_000},
    {"resolution": "120p", "videoBitrate": 150_000},
    {"resolution": "72p", "videoBitrate": 80_000},
]
FAMILIES = [
    ("24000/1001", 48),
    ("24", 48),
    ("25", 50),
    ("30000/1001", 60),
    ("30", 60),
    ("50", 100),
    ("60000/1001", 120),
    ("60", 120),
]


def small(**members: Json) -> OutputSpec:
    """An output of small rungs, quickly made."""
    return spec(None, **{"container": "hls", "encoderPreset": "ultrafast", "renditions": RUNGS, **members})


def assert_one_grid(package: Ladder, rate: Fraction, gop: int) -> None:
    """Every rung has a keyframe each `gop` frames from 0 on, exactly, and nowhere else."""
    frames = picture(package.plan.renditions[0]).frames
    assert frames is not None
    wanted = [Fraction(first) / rate for first in range(0, frames, gop)]
    assert {name: package.keys(name) for name in package.rungs} == dict.fromkeys(package.rungs, wanted)


@pytest.mark.parametrize(("rate", "gop"), FAMILIES)
async def test_all_rungs_have_their_keyframes_at_the_same_frames(rate: str, gop: int, tmp_path: Path) -> None:
    package = await ladder(clip(seconds=5, rate=rate), tmp_path, small(segmentSeconds=2))
    assert package.code is None, package.proof.failed
    assert len(package.rungs) == 3
    assert_one_grid(package, Fraction(rate), gop)


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (lambda folder: _cut(folder / "120p/00003.m4s"), "decode"),
        (lambda folder: (folder / "72p/00001.m4s").write_bytes((folder / "120p/00001.m4s").read_bytes()), "decode"),
        (lambda folder: (folder / "72p/stray.m4s.tmp").touch(), "package"),
    ],
)
async def test_what_is_broken_in_one_rendition_fails_the_package(
    damage: Callable[[Path], None], check: str, tmp_path: Path
) -> None:
    package = await ladder(clip(seconds=5), tmp_path, small(segmentSeconds=2), damage=damage)
    assert package.code == "output_invalid"
    assert check in {failed.name for failed in package.proof.failed}


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 50)


async def test_an_uneven_source_gets_an_even_grid(tmp_path: Path) -> None:
    uneven = made(
        "vfr.mp4", "-f", "lavfi", "-i", "testsrc2=d=6:s=320x180:r=30", "-vf", r"select=not(mod(n\,7))+mod(n\,3)",
        "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
    )  # fmt: skip
    package = await ladder(uneven, tmp_path, small())
    assert package.code is None, package.proof.failed
    assert {"variable_frame_rate", "no_audio"} == warned(package.plan)
    rate = Fraction(picture(package.plan).rate)
    assert_one_grid(package, rate, picture(package.plan).gop_frames)


@pytest.mark.parametrize(
    ("encoder", "members"),
    [
        ("libx265", {"encoderPreset": "superfast"}),
        ("libsvtav1", {"encoderPreset": "12", "renditions": [{"height": 144, "videoBitrate": 200_000}]}),
        ("libx264", {"segmentFormat": "ts", "encoderPreset": "veryfast"}),
        ("libx264", {"encoderPreset": "veryfast", "container": "cmaf"}),
        ("libvpx-vp9", {"encoderPreset": "8", "container": "dash", "audioCodec": "libopus"}),
    ],
)
async def test_each_encoder_keeps_the_grid_and_closes_its_gops(
    encoder: str, members: dict[str, Json], tmp_path: Path
) -> None:
    """On cuts every 17 frames: an encoder that is not told otherwise puts a keyframe at each."""
    cuts = made(
        "cuts.mp4", "-f", "lavfi", "-i", "testsrc2=d=5:s=320x180:r=25", "-f", "lavfi", "-i", "sine=d=5:r=48000",
        "-vf", r"negate=enable=lt(mod(n\,34)\,17)", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
        "-c:a", "aac",
    )  # fmt: skip
    rungs: Json = [{"height": 144, "crf": 40}, {"height": 96, "crf": 40}]
    output = small(videoCodec=encoder, segmentSeconds=2, **{"renditions": rungs, **members})
    package = await ladder(cuts, tmp_path, output)
    assert package.code is None, package.proof.failed
    if output.segment_format != "ts":  # its clock is of 90 kHz, and does not begin at 0
        assert_one_grid(package, Fraction(25), 50)
    else:
        first, *others = (package.keys(name) for name in package.rungs)
        assert others == [first]
        assert [key - first[0] for key in first] == [0, 2, 4]


@pytest.mark.parametrize("members", [{}, {"segmentFormat": "ts"}])
async def test_a_last_segment_of_two_frames_is_none(members: dict[str, Json], tmp_path: Path) -> None:
    package = await ladder(clip(seconds=4.08, rate="25"), tmp_path, small(segmentSeconds=2, **members))
    assert package.code is None, package.proof.failed
    assert [len(sorted((package.folder / name).glob("0*"))) for name in package.rungs] == [2, 2, 2]


async def test_tracks_that_begin_late_begin_at_zero_together(tmp_path: Path) -> None:
    late = made(
        "late.mkv", "-f", "lavfi", "-i", "testsrc2=d=4:s=320x180:r=25", "-itsoffset", "0.5", "-f", "lavfi", "-i",
        "sine=d=3:r=48000", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
    )  # fmt: skip
    package = await ladder(late, tmp_path, small())
    assert package.code is None, package.proof.failed
    begins = [
        check.measured["audio"]
        for check in package.proof.checks
        if check.name == "timestamps" and check.rendition == "audio" and isinstance(check.measured, dict)
    ]
    assert begins == [pytest.approx(0, abs=0.022)]


def _spoken() -> Path:
    """A picture of ten seconds with three tracks: all of it in stereo, late in mono, and ending early at 44.1 kHz."""
    return made(
        "spoken.mkv", "-f", "lavfi", "-i", "testsrc2=d=10:s=320x180:r=30000/1001",
        "-f", "lavfi", "-i", "aevalsrc=sin(440*2*PI*t)|sin(660*2*PI*t):d=10:s=48000",
        "-itsoffset", "0.5", "-f", "lavfi", "-i", "sine=f=1000:d=9.5:r=48000", "-f", "lavfi", "-i", "sine=d=4:r=44100",
        *(word for place in range(4) for word in ("-map", str(place))), "-metadata:s:a:0", "language=eng",
        "-metadata:s:a:1", "language=deu", "-metadata:s:a:2", "language=eng", "-disposition:a:0", "0",
        "-disposition:a:1", "default", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
    )  # fmt: skip


@pytest.mark.parametrize("members", [{"container": "cmaf"}, {"segmentFormat": "ts"}, {"container": "dash"}])
async def test_each_language_is_cut_beside_the_pictures_and_lasts_as_long(
    members: dict[str, Json], tmp_path: Path
) -> None:
    package = await ladder(_spoken(), tmp_path, small(audioTracks="all", segmentSeconds=2, **members))
    assert package.code is None, package.proof.failed
    assert [each.name for each in package.plan.renditions if each.audio] == ["audio-deu", "audio-eng", "audio-eng-2"]
    judged = {check.rendition for check in package.proof.checks}
    assert judged == {*package.rungs, "audio-deu", "audio-eng", "audio-eng-2", None}
    linted = package.proof.checks[-1]
    assert linted.name == "package"
    assert isinstance(linted.measured, dict)
    tracks: Any = linted.measured["tracks"]
    assert {track["segments"] for track in tracks.values()} == {5}
    assert [track["durationSeconds"] for track in tracks.values()] == [pytest.approx(10.01, abs=0.05)] * 6


async def test_a_language_that_is_broken_fails_the_package(tmp_path: Path) -> None:
    output = small(audioTracks="all", segmentSeconds=2)
    package = await ladder(_spoken(), tmp_path, output, damage=lambda folder: _cut(folder / "audio-eng/00002.m4s"))
    assert package.code == "output_invalid"
    assert {failed.rendition for failed in package.proof.failed} == {"audio-eng"}


async def test_tracks_of_a_public_clip_become_a_group(tmp_path: Path) -> None:
    rungs: Json = [{"resolution": "180p", "crf": 40}, {"resolution": "90p", "crf": 40}]
    output = small(renditions=rungs, audioTracks="all", segmentSeconds=4)
    package = await ladder(public_clip("nasa_multitrack.mp4"), tmp_path, output)
    assert package.code is None, package.proof.failed
    assert len([each for each in package.plan.renditions if each.audio]) == 2
    master = (package.folder / "master.m3u8").read_text()
    assert master.count("#EXT-X-MEDIA:TYPE=AUDIO") == 2


async def test_a_late_picture_begins_at_zero_too(tmp_path: Path) -> None:
    late = made(
        "late-picture.mkv", "-f", "lavfi", "-i", "sine=d=4:r=48000", "-itsoffset", "0.4", "-f", "lavfi", "-i",
        "testsrc2=d=3:s=320x180:r=25", "-map", "1:v", "-map", "0:a", "-c:v", "libx264", "-preset", "ultrafast",
        "-pix_fmt", "yuv420p", "-c:a", "aac",
    )  # fmt: skip
    package = await ladder(late, tmp_path, small())
    assert package.code is None, package.proof.failed
    assert picture(package.plan).frames == 85
    assert_one_grid(package, Fraction(25), 50)


async def test_a_clip_of_a_portrait_is_cut_on_the_grid(tmp_path: Path) -> None:
    portrait = made(
        "portrait.mp4", "-f", "lavfi", "-i", "testsrc2=d=8:s=180x320:r=30000/1001", "-f", "lavfi", "-i",
        "sine=d=8:r=44100", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
    )  # fmt: skip
    package = await ladder(portrait, tmp_path, small(clip={"start": 1.5, "end": 7}))
    assert package.code is None, package.proof.failed
    assert package.rungs == ["180p", "120p", "72p"]
    assert (picture(package.plan).width_px, picture(package.plan).height_px) == (180, 320)
    assert_one_grid(package, Fraction(30000, 1001), 60)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("iphone_hevc_rot90.mov", 1), ("screencap_vfr_3026x1386.mp4", 5), ("bbb_480i2997_mpeg2.ts", 5)],
)
async def test_the_odd_ones_of_the_public_clips_become_ladders(name: str, seconds: int, tmp_path: Path) -> None:
    rungs: Json = [{"resolution": "240p", "crf": 40}, {"resolution": "144p", "crf": 40}]
    package = await ladder(public_clip(name), tmp_path, small(renditions=rungs, clip={"start": 0, "end": seconds}))
    assert package.code is None, package.proof.failed
    assert package.rungs == ["240p", "144p"]
    assert_one_grid(package, Fraction(picture(package.plan).rate), picture(package.plan).gop_frames)
