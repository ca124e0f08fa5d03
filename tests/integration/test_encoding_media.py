"""Real media through plan, command, ffmpeg and proof, as the worker's stages do it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from encoder.ffmpeg import containers
from encoder.model.job import OutputSpec
from tests.lab.encoding import fast, number, one, psnr, run, told
from tests.lab.facts import picture, spec, warned
from tests.lab.media import clip, ffmpeg_binary, made, public_clip

# those of which acceptance/test_every_clip.py encodes only a second; it has the whole of all others
LONG = (
    "bbb_1080p30_faststart.mp4",
    "city_1080p24_moovend.mp4",
    "bbb_720p30.ts",
    "dog_720p2997_faststart.mp4",
    "counting_300s_320x240.mp4",
    "bbb_720p24_vp8.webm",
)


@pytest.mark.parametrize("name", LONG)
async def test_the_whole_of_a_long_clip_becomes_a_proven_h264(name: str, tmp_path: Path) -> None:
    result = await one(public_clip(name), tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert warned(result.plan) == set()


async def test_a_truncated_source_is_told_as_truncated(tmp_path: Path) -> None:
    assert (await one(public_clip("truncated_blocks_60pct.mp4"), tmp_path, fast())).code == "source_truncated"


@pytest.mark.parametrize("kind", ["mp4", "mkv", "flv", "webm"])
async def test_the_first_part_of_a_file_is_told_as_truncated(kind: str, tmp_path: Path) -> None:
    """D7"""
    codec = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus") if kind == "webm" else ("-c", "copy")
    whole = made(f"whole.{kind}", "-i", str(clip(seconds=6)), *codec, "-movflags", "+faststart")
    part = tmp_path / f"part.{kind}"
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert (await one(whole, tmp_path, fast())).code is None
    assert (await one(part, tmp_path, fast())).code == "source_truncated"


async def test_a_source_with_flipped_bytes_is_told_as_damaged(tmp_path: Path) -> None:
    """D8, D19"""
    whole = made("flip.mp4", "-i", str(clip(seconds=4)), "-c", "copy", "-movflags", "+faststart")
    data = bytearray(whole.read_bytes())
    begin = data.find(b"mdat") + 4000
    for place in range(begin, len(data), 37):
        data[place] ^= 0x10
    (tmp_path / "flipped.mp4").write_bytes(data)
    assert (await one(tmp_path / "flipped.mp4", tmp_path, fast())).code == "source_damaged"


OUTPUTS: dict[str, OutputSpec] = {
    "hevc": fast("hevc"),
    "hevc ten bits": fast("hevc", profile="main10"),
    "vp9": spec("vp9", height=120, encoderPreset="8"),
    "av1": spec("av1", height=120, encoderPreset="8"),
    "av1-fast": spec("av1-fast", height=120, encoderPreset="12"),
    "bitrate": fast(videoBitrate=300_000, keyframeInterval=0.5),
    "film rate": fast(fps=23.976),
    "pad": fast(None, container="mkv", width=200, height=200, fit="pad", audioCodec="flac"),
    "cover turned": fast(width=200, height=200, fit="cover", rotate=270, audioChannels=1),
    "silent": fast(audioCodec="none"),
    "copy": spec(None, container="mkv", videoCodec="copy", audioCodec="copy"),
    "copied clip": spec(None, container="mp4", videoCodec="copy", clip={"start": 0.5, "end": 1.5}),
    "clip": fast(clip={"start": 0.5, "end": 1.25}),
    **{f"{container} of its own": fast(None, container=container) for container in ("mov", "mkv", "mpegts")},
    **{
        container: spec(None, container=container)
        for container, kind in containers.CONTAINERS.items()
        if not kind.video and not kind.captions
    },
}


@pytest.mark.parametrize("case", OUTPUTS)
async def test_every_kind_of_output_proves_itself(case: str, tmp_path: Path) -> None:
    result = await one(clip(), tmp_path, OUTPUTS[case])
    assert result.proof.passed, result.proof.failed


async def test_outputs_that_share_a_decode_are_each_proven(tmp_path: Path) -> None:
    results = await run(clip(), tmp_path, fast(), fast("hevc"), spec("vp9", height=120, encoderPreset="8"))
    assert [result.proof.failed for result in results] == [(), (), ()]


async def test_chapters_are_kept_and_where_it_was_filmed_is_not(tmp_path: Path) -> None:
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\ntitle=secret\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=first\n")
    phone = made(
        "phone.mp4", "-i", str(clip()), "-i", str(chapters), "-map_metadata", "1", "-map", "0", "-c", "copy",
        "-metadata", "location=+12+13/",
    )  # fmt: skip
    result = await one(phone, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    told = subprocess.run([ffmpeg_binary(), "-i", result.path], capture_output=True, check=False).stderr.decode()
    assert "first" in told
    assert "secret" not in told
    assert "location" not in told


async def test_surround_becomes_stereo_without_losing_the_voice(tmp_path: Path) -> None:
    """A voice in the centre loses 3 dB. Mixed in whole numbers it would lose 10.6."""
    tone = "sine=d=2:r=48000,volume=12dB"
    centre = made("centre.mkv", "-f", "lavfi", "-i", f"{tone},pan=5.1|FC=c0", "-c:a", "ac3", "-b:a", "448k")
    result = await one(centre, tmp_path, spec(None, container="wav"))
    assert result.proof.passed, result.proof.failed
    assert _mean_volume(result.path) == pytest.approx(_mean_volume(centre, "pan=mono|c0=FC") - 3, abs=0.5)


async def test_a_clip_of_an_uneven_source_shows_the_frames_of_its_time(tmp_path: Path) -> None:
    path = public_clip("screencap_vfr_3026x1386.mp4")
    output = fast(crf=10, width=480, height=None, clip={"start": 3.0, "end": 5.0})
    result = await one(path, tmp_path, output)
    assert result.proof.passed, result.proof.failed
    wanted = "[1:v]fps=30,trim=start_pts=90:end_pts=150,setpts=PTS-90,scale=480:-2[w];[0:v][w]psnr"
    assert psnr(result.path, path, wanted) > 40


async def test_hdr_is_kept_when_asked(tmp_path: Path) -> None:
    result = await one(public_clip("hdr10_av1_portrait.mp4"), tmp_path, fast("hevc", toneMap=False))
    assert result.proof.passed, result.proof.failed
    assert picture(result.plan).color_transfer == "smpte2084"


async def test_hdr_made_sdr_is_bright_and_coloured(tmp_path: Path) -> None:
    """Read as if it were SDR, HDR10 looks grey: its colours come out at a third of their strength."""
    path = public_clip("hdr10_av1_portrait.mp4")
    result = await one(path, tmp_path, fast())
    assert _saturation(result.path) > 1.5 * _saturation(path)


async def test_a_rotated_source_stands_upright(tmp_path: Path) -> None:
    path = public_clip("iphone_hevc_rot90.mov")
    result = await one(path, tmp_path, fast(None, container="mkv", crf=10))
    upright = "[1:v]fps=30000/1001,scale=136:240[w];[0:v][w]psnr"  # autorotated by ffmpeg
    assert psnr(result.path, path, upright) > 30
    shown = result.opened.media.video[0]
    assert (shown.coded_width, shown.coded_height, shown.rotation_deg) == (136, 240, 0)


async def test_full_range_and_old_colours_become_tagged_video_range(tmp_path: Path) -> None:
    """A red of BT.601 in full range stays the same red."""
    red = made(
        "red.mp4", "-f", "lavfi", "-i", "color=red:d=1:s=320x240:r=25,scale=out_color_matrix=bt601:out_range=pc",
        "-pix_fmt", "yuvj420p", "-c:v", "libx264",
    )  # fmt: skip
    result = await one(red, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    colour = subprocess.run(
        [ffmpeg_binary(), "-v", "error", "-i", result.path, "-frames:v", "1", "-vf", "scale=1:1,format=rgb24",
         "-f", "rawvideo", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert all(abs(got - wanted) <= 6 for got, wanted in zip(colour, (254, 0, 0), strict=True))


def _mean_volume(path: Path, *filters: str) -> float:
    return number(r"mean_volume: (-?[\d.]+)", told("-i", path, "-af", ",".join((*filters, "volumedetect"))))


def _saturation(path: Path) -> float:
    said = told(
        "-v", "info", "-i", path, "-vf", "format=yuv420p,signalstats,metadata=print:key=lavfi.signalstats.SATAVG"
    )
    values = [float(value) for value in re.findall(r"SATAVG=([\d.]+)", said)]
    return sum(values) / len(values)
