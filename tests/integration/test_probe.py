"""The prober on public clips, against what MANIFEST.md says of them, and on what our own ffmpeg makes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from encoder import errors
from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.probe import inspect, reopen
from encoder.model.media import Media, Opened, VideoStream
from tests.lab import media
from tests.lab.media import ffmpeg_binary, made, public_clip

CARD = ("-f", "lavfi", "-i", "testsrc2=d=2:s=320x180:r=30")
TONE = ("-f", "lavfi", "-i", "sine=d=2:r=48000")
FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


async def _media(path: Path, folder: Path) -> Media:
    return await inspect(Launcher(binary=Path(ffmpeg_binary())), path, folder=folder, leash=Leash())


async def _opened(path: Path, muxer: str, folder: Path) -> Opened:
    return await reopen(Launcher(binary=Path(ffmpeg_binary())), path, muxer=muxer, folder=folder, leash=Leash())


# format, duration, frames, and what else is particular of the first picture
CLIPS: dict[str, tuple[str, float, int, dict[str, Any]]] = {
    "bbb_1080p30_faststart.mp4": ("mov", 12.82, 384, {"coded_height": 1080, "median_rate": "30/1", "codec": "h264"}),
    "city_1080p24_moovend.mp4": ("mov", 12.46, 297, {"median_rate": "24000/1001", "profile": "Main"}),
    "bbb_720p30.ts": ("mpegts", 35.63, 1068, {"median_rate": "30/1", "start_seconds": 1.4667}),
    "dog_720p2997_faststart.mp4": ("mov", 9.66, 289, {"median_rate": "30000/1001"}),
    "counting_300s_320x240.mp4": ("mov", 300.14, 7200, {"profile": "Constrained Baseline", "median_rate": "24/1"}),
    "iphone_hevc_rot90.mov": ("mov", 1.17, 35, {"rotation_deg": 90, "codec": "hevc", "codec_tag": "hvc1"}),
    "screencap_vfr_3026x1386.mp4": ("mov", 8.73, 63, {"coded_width": 3026}),
    "hdr10_av1_portrait.mp4": (
        "mov", 4.24, 127,
        {"codec": "av1", "bit_depth": 10, "color_transfer": "smpte2084", "color_primaries": "bt2020",
         "color_matrix": "bt2020nc", "pixel_format": "yuv420p10le"},
    ),
    "hlg_hevc10_1080p_fragmented.mp4": (
        "mov", 2.64, 73, {"color_transfer": "arib-std-b67", "median_rate": "30000/1001", "bit_depth": 10},
    ),
    "bbb_480i2997_mpeg2.ts": (
        "mpegts", 10.02, 300, {"sample_aspect_ratio": "32/27", "field_order": "tt", "median_rate": "30000/1001"},
    ),
    "bbb_800x640_sar64x45.mp4": ("mov", 4.0, 120, {"sample_aspect_ratio": "64/45"}),
    "nasa_multitrack.mp4": ("mov", 13.06, 325, {"median_rate": "25/1", "coded_width": 320, "language": "eng"}),
    "webcam.flv": ("flv", 19.03, 569, {"median_rate": "30/1"}),
    "bbb_720p24_vp8.webm": ("matroska", 30.0, 720, {"codec": "vp8", "median_rate": "24/1"}),
    "face_ass_subs_ac3.mkv": ("matroska", 1.14, 30, {"median_rate": "30/1"}),
    "seagull_mpeg4_mp3.avi": ("avi", 4.09, 96, {"codec": "mpeg4", "median_rate": "24000/1001"}),
    "truncated_blocks_60pct.mp4": ("mov", 9.74, 292, {"median_rate": "30000/1001"}),
}  # fmt: skip
INTERLACED = {"bbb_480i2997_mpeg2.ts"}
UNEVEN = {"screencap_vfr_3026x1386.mp4", "hlg_hevc10_1080p_fragmented.mp4"}
SOUND = {
    "bbb_1080p30_faststart.mp4": [("aac", 2, 48000)],
    "counting_300s_320x240.mp4": [("aac", 1, 22050)],
    "nasa_multitrack.mp4": [("aac", 2, 8000), ("aac", 2, 16000)],
    "bbb_480i2997_mpeg2.ts": [("mp2", 2, 48000)],
    "bbb_720p24_vp8.webm": [("vorbis", 2, 44100)],
    "face_ass_subs_ac3.mkv": [("ac3", 1, 44100)],
    "seagull_mpeg4_mp3.avi": [("mp3", 2, 48000)],
    "screencap_vfr_3026x1386.mp4": [],
}
SAID_SECONDS = 0.06  # the manifest counts a container's end, rounded


@pytest.mark.parametrize("name", CLIPS)
async def test_a_public_clip_is_what_the_manifest_says(name: str, tmp_path: Path) -> None:
    form, seconds, frames, particulars = CLIPS[name]
    found = await _media(public_clip(name), tmp_path)
    picture = found.video[0]
    assert form in found.format.split(",")
    assert found.duration_seconds == pytest.approx(seconds, abs=SAID_SECONDS)
    assert picture.duration_seconds == pytest.approx(seconds, abs=0.2)
    assert picture.frames == frames
    for member, value in particulars.items():
        assert getattr(picture, member) == (pytest.approx(value, abs=0.001) if isinstance(value, float) else value), (
            member
        )
    assert picture.interlaced is (name in INTERLACED)
    assert picture.variable_rate is (name in UNEVEN)
    assert found.cut_short is name.startswith("truncated")


@pytest.mark.parametrize("name", SOUND)
async def test_the_sound_of_a_public_clip_is_what_the_manifest_says(name: str, tmp_path: Path) -> None:
    found = await _media(public_clip(name), tmp_path)
    assert [(track.codec, track.channels, track.sample_rate_hz) for track in found.audio] == SOUND[name]
    assert all(track.decodable for track in found.audio)


async def test_further_tracks_are_told_apart(tmp_path: Path) -> None:
    nasa = await _media(public_clip("nasa_multitrack.mp4"), tmp_path)
    assert [(track.index, track.coded_width, track.median_rate) for track in nasa.video] == [
        (0, 320, "25/1"),
        (3, 480, "30000/1001"),
    ]
    assert [(track.index, track.codec) for track in nasa.subtitles] == [(2, "mov_text"), (5, "mov_text")]
    assert not nasa.other
    phone = await _media(public_clip("iphone_hevc_rot90.mov"), tmp_path)
    assert [track.type for track in phone.other] == ["data"] * 3


async def test_the_screen_capture_has_a_sane_rate(tmp_path: Path) -> None:
    rate = (await _media(public_clip("screencap_vfr_3026x1386.mp4"), tmp_path)).video[0].median_rate
    assert rate is not None
    numerator, denominator = map(int, rate.split("/"))
    assert 20 < numerator / denominator < 65


# made by ourselves


async def _picture(path: Path, folder: Path) -> VideoStream:
    return (await _media(path, folder)).video[0]


async def test_a_plain_clip_is_plain(tmp_path: Path) -> None:
    found = await _media(media.clip(), tmp_path)
    picture, sound = found.video[0], found.audio[0]
    assert (picture.frames, picture.median_rate, picture.variable_rate) == (60, "30/1", False)
    assert (picture.display_width_px, picture.display_height_px) == (320, 180)
    assert (picture.interlaced, picture.rotation_deg, picture.mirrored) == (False, 0, False)
    assert picture.duration_seconds == pytest.approx(2.0, abs=0.001)
    assert sound.start_seconds == pytest.approx(0.0, abs=0.001)
    assert sound.duration_seconds == pytest.approx(2.0, abs=0.022)


@pytest.mark.parametrize("turn", [90, 180, 270])
async def test_a_turn_is_told_clockwise(turn: int, tmp_path: Path) -> None:
    flat = made("flat.mp4", *CARD, *FAST)
    # ffmpeg's option counts the other way
    turned = made(f"turned{turn}.mp4", "-display_rotation", str(-turn), "-i", str(flat), "-c", "copy")
    picture = await _picture(turned, tmp_path)
    assert (picture.rotation_deg, picture.mirrored) == (turn, False)
    assert picture.display_width_px == (180 if turn != 180 else 320)


async def test_a_mirrored_picture_is_told(tmp_path: Path) -> None:
    flat = made("flat.mp4", *CARD, *FAST)
    flipped = made("flipped.mp4", "-display_rotation", "0", "-display_hflip", "-i", str(flat), "-c", "copy")
    assert (await _picture(flipped, tmp_path)).mirrored


async def test_combs_are_seen_under_a_progressive_flag(tmp_path: Path) -> None:
    """Interlaced pictures, encoded as whole ones."""
    combed = made(
        "combed.mp4", "-f", "lavfi", "-i", "testsrc2=d=2:s=640x480:r=60000/1001", "-vf",
        "scroll=h=0.02,tinterlace=interleave_top:flags=vlpf,setfield=prog", *FAST, "-crf", "12",
    )  # fmt: skip
    assert (await _picture(combed, tmp_path)).interlaced


async def test_whole_frames_are_seen_under_an_interlaced_flag(tmp_path: Path) -> None:
    whole = made(
        "whole.ts", "-f", "lavfi", "-i", "testsrc2=d=2:s=640x480:r=30", "-vf", "scroll=h=0.02,setfield=tff",
        "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-b:v", "8M",
    )  # fmt: skip
    picture = await _picture(whole, tmp_path)
    assert not picture.interlaced
    assert picture.field_order is None


async def test_an_edit_list_counts(tmp_path: Path) -> None:
    whole = made("gop.mp4", *CARD, *FAST, "-g", "60", "-bf", "0")
    cut = made("cut.mp4", "-ss", "0.7", "-i", str(whole), "-c", "copy")
    counted = (await _opened(cut, "mp4", tmp_path)).counts[0]
    picture = await _picture(cut, tmp_path)
    assert (counted.packets, counted.shown, picture.frames) == (60, 39, 39)
    assert picture.duration_seconds == pytest.approx(1.3, abs=0.001)
    assert picture.start_seconds == pytest.approx(0.0, abs=0.001)


async def test_a_late_track_keeps_its_start(tmp_path: Path) -> None:
    late = made("late.mkv", *CARD, "-itsoffset", "0.5", *TONE, *FAST, "-c:a", "flac")
    found = await _media(late, tmp_path)
    assert found.video[0].start_seconds == pytest.approx(0.0, abs=0.001)
    assert found.audio[0].start_seconds == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("muxer", ["matroska", "mp4", "mpegts"])
async def test_a_file_that_begins_late_lasts_from_its_first_moment(muxer: str, tmp_path: Path) -> None:
    late = ("-f", "lavfi", "-i", "testsrc2=d=2:r=25:s=160x90", "-vf", "setpts=PTS+1/TB", "-copyts")
    path = made(f"late.{muxer}", *late, "-c:v", "libx264", "-preset", "ultrafast", "-f", muxer)
    found = await _media(path, tmp_path)
    assert found.duration_seconds == pytest.approx(2.0, abs=0.05)


async def test_hdr_side_data_is_seen(tmp_path: Path) -> None:
    hdr = made(
        "hdr.mp4", "-f", "lavfi", "-i", "testsrc2=d=0.5:s=320x180:r=10", "-c:v", "libx265", "-pix_fmt", "yuv420p10le",
        "-x265-params", "log-level=none:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
        "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400",
    )  # fmt: skip
    picture = await _picture(hdr, tmp_path)
    assert picture.hdr_side_data
    assert (picture.color_transfer, picture.color_primaries) == ("smpte2084", "bt2020")
    assert not (await _picture(media.clip(), tmp_path)).hdr_side_data


async def test_a_cover_is_no_film(tmp_path: Path) -> None:
    cover = made("cover.png", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1")
    song = made(
        "song.mp3", *TONE, "-i", str(cover), "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic"
    )
    found = await _media(song, tmp_path)
    assert [picture.attached_picture for picture in found.video] == [True]
    assert found.audio[0].codec == "mp3"


async def test_languages_and_defaults_are_told(tmp_path: Path) -> None:
    two = made(
        "two.mkv", *CARD, *TONE, *TONE, "-map", "0", "-map", "1", "-map", "2", *FAST, "-c:a", "aac",
        "-metadata:s:a:0", "language=deu", "-metadata:s:a:1", "language=eng",
        "-disposition:a:0", "0", "-disposition:a:1", "default",
    )  # fmt: skip
    found = await _media(two, tmp_path)
    assert [(track.language, track.default) for track in found.audio] == [("deu", False), ("eng", True)]


# refusals


@pytest.mark.parametrize("size_bytes", [0, 1, 5000])
async def test_bytes_that_are_no_media_are_refused(size_bytes: int, tmp_path: Path) -> None:
    """D6"""
    path = tmp_path / "source"
    path.write_bytes(bytes((7 * number + number // 251) % 256 for number in range(size_bytes)))
    with pytest.raises(errors.Permanent) as caught:
        await _media(path, tmp_path)
    assert caught.value.code == ("unsupported_format" if size_bytes else "empty_source")


async def test_an_encrypted_film_is_refused(tmp_path: Path) -> None:
    """D11"""
    locked = made(
        "locked.mp4", *CARD, *FAST, "-encryption_scheme", "cenc-aes-ctr",
        "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8",
    )  # fmt: skip
    assert await _refused(locked, tmp_path) == "encrypted_source"


@pytest.mark.parametrize("name", ["huge.avi", "huge.jpg", "huge.png"])
async def test_a_huge_picture_is_refused_before_it_is_unpacked(name: str, tmp_path: Path) -> None:
    """E1, E2"""
    coder = "png" if name.endswith("png") else "mjpeg"
    huge = made(name, "-f", "lavfi", "-i", "color=s=12000x8000:r=1", "-frames:v", "1", "-c:v", coder)
    assert await _refused(huge, tmp_path) == "resolution_too_large"


async def test_too_many_streams_are_refused(tmp_path: Path) -> None:
    """D12"""
    tone = made("tone.mka", "-f", "lavfi", "-i", "sine=d=0.1:r=8000", "-c:a", "pcm_s16le")
    many = made("many.mka", "-i", str(tone), *_repeated(("-map", "0"), 65), "-c", "copy")
    assert await _refused(many, tmp_path) == "too_many_streams"


async def test_a_film_without_its_index_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "half.mp4"
    path.write_bytes(media.clip().read_bytes()[:20_000])  # `moov` lies at the end
    assert await _refused(path, tmp_path) == "source_truncated"


def _repeated(words: Iterable[str], times: int) -> list[str]:
    return [*words] * times


async def _refused(path: Path, folder: Path) -> str:
    with pytest.raises(errors.Permanent) as caught:
        await _media(path, folder)
    return caught.value.code


# the proof's side


async def test_every_packet_is_counted(tmp_path: Path) -> None:
    film = made("counted.mp4", *CARD, *TONE, *FAST, "-g", "15", "-sc_threshold", "0", "-movflags", "+faststart")
    opened = await _opened(film, "mp4", tmp_path)
    picture, sound = opened.counts
    assert (picture.packets, picture.shown, picture.keyframes) == (60, 60, 4)
    assert picture.longest_gap_seconds == pytest.approx(0.5, abs=0.001)
    assert picture.first_is_idr
    assert (picture.dts_faults, picture.pts_twice) == (0, 0)
    assert picture.end_pts_seconds == pytest.approx(2.0, abs=0.001)
    assert sound.first_is_idr is None
    assert sound.end_pts_seconds == pytest.approx(2.0, abs=0.022)
    assert (opened.faststart, opened.trailing_bytes) == (True, 0)


async def test_open_gops_of_hevc_do_not_begin_with_an_idr(tmp_path: Path) -> None:
    open_gops = made("open.mp4", *CARD, "-c:v", "libx265", "-preset", "ultrafast", "-g", "15",
                     "-x265-params", "log-level=none:open-gop=1:min-keyint=15:scenecut=0:bframes=3")  # fmt: skip
    cra_first = made("cra.mp4", "-ss", "0.8", "-i", str(open_gops), "-c", "copy", "-avoid_negative_ts", "make_zero")
    assert (await _opened(open_gops, "mp4", tmp_path)).counts[0].first_is_idr
    assert not (await _opened(cra_first, "mp4", tmp_path)).counts[0].first_is_idr


async def test_an_index_at_the_end_and_bytes_after_it_are_told(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(media.clip().read_bytes() + bytes(11))
    opened = await _opened(path, "mp4", tmp_path)
    assert (opened.faststart, opened.trailing_bytes) == (False, 11)


async def test_a_result_is_opened_by_its_planned_format_alone(tmp_path: Path) -> None:
    with pytest.raises(errors.Permanent):
        await _opened(media.clip(), "webm", tmp_path)


async def test_what_a_file_says_in_place_of_a_language_is_not_repeated(tmp_path: Path) -> None:
    """D13"""
    rude = made("rude.mkv", *CARD, *FAST, "-metadata:s:v:0", "language=<script>\x1b[2J")
    assert (await _picture(rude, tmp_path)).language is None
