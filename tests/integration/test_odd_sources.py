"""Sources that are odd in ways of their own (docs/why/encoding.md, "Source hygiene"): planned, made, proven."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from encoder import errors
from encoder.model.base import Json
from tests.lab.broken import result as packaged
from tests.lab.encoding import fast, number, one, run, ssim, told
from tests.lab.facts import picture, sound, spec, warned
from tests.lab.imaging import image
from tests.lab.media import ffmpeg_binary, made
from tests.lab.pulldown import flagged

# no frame is like another, and each too large for two to share a packet of a disc
_FILM = "nullsrc=d=3:s=352x240:r=24000/1001,geq=lum='25+mod(N*37,190)':cb=128:cr=128,noise=alls=12:allf=t:all_seed=1"

# the rate that a film is called, which of its frames last three fields, what comes out
PULLDOWNS = {
    "two and three": ("30000/1001", lambda n: n % 2 == 1, "24000/1001", 72),
    "three and two": ("30000/1001", lambda n: n % 2 == 0, "24000/1001", 72),
    "one field a half second": ("25", lambda n: n % 12 == 11, "24/1", 72),
}


def _lights(path: Path, chain: str = "null") -> list[float]:
    """How bright each frame is, or what `chain` leaves of it."""
    said = told("-v", "info", "-i", path, "-vf", f"{chain},signalstats,metadata=print:key=lavfi.signalstats.YAVG")
    return [float(light) for light in re.findall(r"YAVG=([\d.]+)", said)]


def _film() -> Path:
    return made("film.m2v", "-f", "lavfi", "-i", _FILM, "-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12")


def _muxed(stream: bytes, folder: Path, container: str, *, late_seconds: float = 0.0) -> Path:
    """With a tone that begins earlier, as on discs."""
    raw = folder / "film.m2v"
    raw.write_bytes(stream)
    sound = ("-c:a", "flac" if container == "mkv" else "mp2")
    return made(f"film.{container}", "-v", "fatal", "-f", "lavfi", "-i", "sine=d=3:r=48000", "-fflags", "+genpts",
                "-itsoffset", str(late_seconds), "-i", str(raw), "-map", "1", "-map", "0", "-c:v", "copy",
                *sound)  # fmt: skip


@pytest.mark.parametrize("container", ["vob", "ts", "mkv"])
@pytest.mark.parametrize("pulldown", PULLDOWNS)
async def test_a_film_that_flags_spread_over_video_comes_out_at_its_own_rate(
    pulldown: str, container: str, tmp_path: Path
) -> None:
    """Soft telecine: each frame once, none left out, whatever its container."""
    called, repeats, rate, frames = PULLDOWNS[pulldown]
    result = await one(_muxed(flagged(_film().read_bytes(), called, repeats), tmp_path, container), tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).rate, picture(result.plan).frames) == (rate, frames)
    assert not warned(result.plan)
    assert _lights(result.path) == pytest.approx(_lights(_film()), abs=2)


@pytest.mark.parametrize("late_ms", range(0, 40, 5))
async def test_no_frame_of_such_a_film_falls_into_another(late_ms: int, tmp_path: Path) -> None:
    """Wherever its frames lie between those of the output: at some places every fifth was lost and another repeated."""
    film = flagged(_film().read_bytes(), "30000/1001", lambda n: n % 2 == 1)
    path = _muxed(film, tmp_path, "ts", late_seconds=late_ms / 1000)
    result = await one(path, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert _lights(result.path) == pytest.approx(_lights(_film()), abs=2)


async def test_a_film_with_video_between_keeps_the_rate_of_the_video(tmp_path: Path) -> None:
    """Mixed flags: most frames last three fields here, and nothing of the video may be lost."""
    mixed = flagged(_film().read_bytes(), "30000/1001", lambda n: n % 12 > 3)
    result = await one(_muxed(mixed, tmp_path, "ts"), tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).rate, warned(result.plan)) == ("30000/1001", {"variable_frame_rate"})


# a film of green that is seen through on its right, and over all of it after three of six seconds
_GLASS = "color=green:s=320x180:r=10:d=6,format=rgba,geq=r='mod(N*50,250)':g=200:b=0:a='255*lt(X,W/2)*lt(N,30)'"
_GLASSES = {
    "vp8.webm": ("-c:v", "libvpx", "-pix_fmt", "yuva420p"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"),
    "vp9.mkv": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"),
    "qtrle.mov": ("-c:v", "qtrle"),
}
_QUICK_VPX = ("-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "0")


def _glass(name: str) -> Path:
    coder = _GLASSES[name]
    return made(name, "-f", "lavfi", "-i", _GLASS, *coder, *(_QUICK_VPX if "libvpx" in coder[1] else ()))


@pytest.mark.parametrize("name", _GLASSES)
async def test_what_is_transparent_is_black_also_where_a_decoder_would_not_see_it(name: str, tmp_path: Path) -> None:
    """VP8 and VP9 carry it beside the picture, and libvpx alone reads it. Three black seconds are no fault of ours."""
    result = await one(_glass(name), tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    assert "transparency" in {note.code for note in result.plan.reasons}
    left, right = (_lights(result.path, f"crop=100:100:{x}:40") for x in (20, 200))
    assert min(left[:29]) > 90
    assert max(right) < 20 > max(left[31:])


async def test_a_copy_keeps_what_is_transparent_or_is_none(tmp_path: Path) -> None:
    """MP4 has no place for what WebM keeps beside the pictures."""
    kept = await one(_glass("vp9.webm"), tmp_path, spec(None, container="webm", videoCodec="copy"))
    assert kept.proof.passed, kept.proof.failed
    assert (picture(kept.plan).encoder, kept.opened.media.video[0].alpha_beside) == ("copy", True)
    made_anew = await one(_glass("vp9.webm"), tmp_path, spec(None, container="mp4", videoCodec="copy"))
    assert made_anew.proof.passed, made_anew.proof.failed
    assert "codec_substituted" in warned(made_anew.plan)


_LONG_GOPS = ("-g", "50", "-bf", "2", "-sc_threshold", "0")
# how six seconds are made, where they are cut, and how many frames are left of them that can be decoded
_CUTS = {
    "h264.ts": (("-c:v", "libx264", "-preset", "veryfast", *_LONG_GOPS, "-c:a", "aac"), 0.1, 100),
    "hevc.ts": (("-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                 "open-gop=1:keyint=50:min-keyint=50:log-level=none", "-c:a", "aac"), 0.1, 100),
    "mpeg2.ts": (("-c:v", "mpeg2video", "-b:v", "2M", *_LONG_GOPS[:4], "-c:a", "mp2"), 0.1, 99),
    "mpeg2.mpg": (("-c:v", "mpeg2video", "-b:v", "2M", *_LONG_GOPS[:4], "-c:a", "mp2"), 0.12, 99),
}  # fmt: skip


def _cut(name: str, folder: Path) -> Path:
    """What is left of a recording from somewhere in its first GOP on."""
    coders, share, _ = _CUTS[name]
    whole = made(name, "-f", "lavfi", "-i", "testsrc2=d=6:s=352x288:r=25", "-f", "lavfi", "-i", "sine=d=6:r=48000",
                 "-pix_fmt", "yuv420p", *coders).read_bytes()  # fmt: skip
    path = folder / name
    path.write_bytes(whole[int(len(whole) * share) // 188 * 188 + 7 * name.endswith("mpg") :])
    return path


@pytest.mark.parametrize("video_codec", ["h264", "copy"])
@pytest.mark.parametrize("name", _CUTS)
async def test_a_recording_that_begins_inside_a_gop_begins_with_what_can_be_decoded(
    name: str, video_codec: str, tmp_path: Path
) -> None:
    """It is neither damaged nor a copy that no player could show from its start; and it is told."""
    path = _cut(name, tmp_path)
    wanted = (
        fast(None, container="mp4", videoCodec=video_codec, height=None)
        if video_codec == "h264"
        else spec(None, container="mkv", videoCodec="copy", audioCodec="copy")
    )
    result = await one(path, tmp_path, wanted)
    assert result.proof.passed, result.proof.failed
    assert "begins_inside_gop" in warned(result.plan)
    assert picture(result.plan).frames == _CUTS[name][2]
    assert ssim(result.path, path, options=("-err_detect", "ignore_err")) > 0.9


async def test_a_copy_of_such_a_recording_is_read_alike(tmp_path: Path) -> None:
    """Cutters that copy leave the same behind, in containers that say when each frame is shown."""
    path = made("inside.mp4", "-i", str(_cut("h264.ts", tmp_path)), "-c", "copy", "-copyinkf")
    result = await one(path, tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).frames, warned(result.plan)) == (100, {"begins_inside_gop"})


async def test_a_first_frame_that_is_damaged_is_no_such_beginning(tmp_path: Path) -> None:
    """It is there, and calls itself a keyframe: what leans on it is lost, not cut off."""
    coders = ("-c:v", "libx264", "-preset", "veryfast", *_LONG_GOPS, "-pix_fmt", "yuv420p")
    whole = made("whole.ts", "-f", "lavfi", "-i", "testsrc2=d=6:s=352x288:r=25", *coders).read_bytes()
    slice_at = whole.index(b"\x00\x00\x01\x65") + 4
    path = tmp_path / "damaged.ts"
    path.write_bytes(whole[:slice_at] + bytes(100) + whole[slice_at + 100 :])
    result = await one(path, tmp_path, fast())
    assert (result.code, result.media.video[0].lead_frames) == ("source_damaged", 0)


_RUST = (200, 80, 40)  # as BT.709 shows it
_10_BIT = ("yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
_8_BIT = ("yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "8")
# a film → how zscale makes it of BT.709, and what keeps it
_COLOURS = {
    "bt2020.mp4": ("p=2020:t=709:m=2020_ncl:r=limited", _10_BIT),
    "bt2020-10.mp4": ("p=2020:t=2020_10:m=2020_ncl:r=limited", _10_BIT),
    "bt2020-rgb.mkv": ("p=2020:t=709:m=gbr:r=full", ("gbrp", "-c:v", "ffv1")),
    "display-p3.mov": ("p=smpte432:t=709:m=709:r=limited", _8_BIT),
    "display-p3-full.mov": ("p=smpte432:t=709:m=709:r=full", _8_BIT),
    "pal.mp4": ("p=bt470bg:t=601:m=470bg:r=limited", _8_BIT),
    "ntsc.mp4": ("p=170m:t=601:m=170m:r=limited", _8_BIT),
    "usual.mp4": ("p=709:t=709:m=709:r=limited", _8_BIT),
    "full.mp4": ("p=709:t=709:m=709:r=full", _8_BIT),
    "light.mov": ("p=709:t=linear:m=gbr:r=full", ("gbrpf32le", "-c:v", "exr")),
    "wide-light.mov": ("p=2020:t=linear:m=gbr:r=full", ("gbrpf32le", "-c:v", "exr")),
}


def _rust(name: str) -> Path:
    way, (form, *coder) = _COLOURS[name]
    red, green, blue = _RUST
    curve = "iec61966-2-1" if "linear" in way else "709"
    known = f"zscale=pin=709:tin={curve}:min=gbr:rin=full:{way}"
    plain = f"color=0x{red:02x}{green:02x}{blue:02x}:s=320x180:r=10:d=1,format=gbrp"
    return made(name, "-f", "lavfi", "-i", f"{plain},{known},format={form}", *coder)


def _colour(path: Path, matrix: str = "bt709") -> list[int]:
    """What a player shows in the middle."""
    shown = f"crop=8:8:100:100,scale=in_color_matrix={matrix}:out_range=pc,format=rgb24"
    args = (ffmpeg_binary(), "-v", "error", "-i", path, "-vf", shown, "-frames:v", "1", "-f", "rawvideo", "-")
    return list(subprocess.run(args, capture_output=True, check=True).stdout[:3])


@pytest.mark.parametrize("name", _COLOURS)
async def test_colours_of_any_gamut_range_and_curve_are_those_of_bt709_afterwards(name: str, tmp_path: Path) -> None:
    """Wide-gamut SDR came out pale, with the tags of BT.709."""
    result = await one(_rust(name), tmp_path, fast(height=None, crf=5))
    assert result.proof.passed, result.proof.failed
    assert _colour(result.path) == pytest.approx(_RUST, abs=4)


@pytest.mark.parametrize("form", ["jpg", "png"])
async def test_images_of_wide_gamut_are_in_the_colours_of_bt709(form: str, tmp_path: Path) -> None:
    """They are made of what a video would show, then brought into the matrix that readers of images take."""
    made_of = await image(_rust("bt2020.mp4"), tmp_path, spec(None, container=form, thumbnails={"at": [0.2]}))
    assert made_of.proof.passed, made_of.proof.failed
    assert _colour(made_of.files[0], "bt601" if form == "jpg" else "auto") == pytest.approx(_RUST, abs=6)


def _tones(name: str, *hertz: int, coder: str = "pcm_s16le") -> Path:
    """A picture and a track of one channel for each tone."""
    tones = [word for each in hertz for word in ("-f", "lavfi", "-i", f"sine=d=2:f={each}:r=48000")]
    maps = [word for track in range(len(hertz) + 1) for word in ("-map", str(track))]
    picture_of = ("-f", "lavfi", "-i", "testsrc2=d=2:s=352x288:r=25")
    return made(name, *picture_of, *tones, *maps, "-c:v", "mpeg2video", "-q:v", "3", "-c:a", coder)


def _loudest_hz(path: Path, channel: str) -> float:
    """The tone of a channel, by how often it crosses zero."""
    said = told("-v", "info", "-i", path, "-af", f"pan=mono|FC={channel},astats")
    return number(r"Zero crossings rate: ([\d.]+)", said) * 48000 / 2


@pytest.mark.parametrize("name", ["pair.mxf", "pair.mov", "two-pairs.mxf"])
async def test_two_tracks_of_one_channel_are_left_and_right(name: str, tmp_path: Path) -> None:
    """MXF has a track for each channel: half of the programme was missing."""
    tones = (300, 1500) if name.startswith("pair") else (300, 1500, 5000, 7000)
    wanted = (fast(), fast(audioTracks=[1]), fast(loudness=-20))
    results = await run(_tones(name, *tones), tmp_path, *wanted)
    assert [result.proof.failed for result in results] == [()] * 3
    for result in (results[0], results[2]):
        assert "tracks_paired" in warned(result.plan)
        heard = [_loudest_hz(result.path, channel) for channel in ("FL", "FR")]
        assert heard == pytest.approx([300, 1500], rel=0.05)
    assert (sound(results[1].plan).channels, warned(results[1].plan)) == (1, set())


async def test_a_copy_of_such_a_pair_is_encoded_and_mono_is_made_of_both(tmp_path: Path) -> None:
    path = _tones("pair.mov", 300, 1500)
    both, one_channel = await run(
        path, tmp_path, spec(None, container="mov", videoCodec="h264", audioCodec="copy"), fast(audioChannels=1)
    )
    assert both.proof.passed, both.proof.failed
    assert (sound(both.plan).channels, "codec_substituted" in warned(both.plan)) == (2, True)
    assert one_channel.proof.passed, one_channel.proof.failed
    assert (sound(one_channel.plan).channels, sound(one_channel.plan).right_index) == (1, 2)


@pytest.mark.parametrize(
    ("name", "tones", "coder"),
    [
        ("three.mxf", (300, 1500, 5000), "pcm_s16le"),
        ("pair.mkv", (300, 1500), "pcm_s16le"),
        ("pair-aac.mov", (300, 1500), "aac"),
    ],
)
async def test_other_tracks_of_one_channel_stay_alone(
    name: str, tones: tuple[int, ...], coder: str, tmp_path: Path
) -> None:
    """An odd number, a format that has stereo tracks, a codec of phones: who would say that they belong together?"""
    result = await one(_tones(name, *tones, coder=coder), tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (sound(result.plan).channels, "tracks_paired" in warned(result.plan)) == (1, False)


def _card(rate: str = "25") -> tuple[str, ...]:
    return "-f", "lavfi", "-i", f"testsrc2=d=1:s=352x288:r={rate}"


_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "14")
_HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")
# a file without a container to speak of, or in one that is seldom met → how it is made, rate, frames
_SELDOM = {
    "raw.h264": ((*_card("30"), *_H264, "-bf", "2"), "30/1", 30),
    "raw.hevc": ((*_card("24000/1001"), *_HEVC), "24000/1001", 24),
    "raw.m2v": ((*_card(), "-c:v", "mpeg2video", "-q:v", "2", "-bf", "2"), "25/1", 25),
    "raw.m4v": ((*_card("30"), "-c:v", "mpeg4", "-q:v", "2", "-bf", "2"), "30/1", 30),
    "raw.y4m": (_card("50"), "50/1", 50),
    "raw.obu": ((*_card(), "-c:v", "libsvtav1", "-preset", "12", "-crf", "20"), "25/1", 25),
    "vp9.ivf": ((*_card(), "-c:v", "libvpx-vp9", "-cpu-used", "8", "-b:v", "4M"), "25/1", 25),
    "moving.apng": ((*_card(), "-f", "apng"), "25/1", 25),
    "server.gxf": ((*_card(), "-vf", "scale=720:576", "-c:v", "mpeg2video", "-q:v", "2"), "25/1", 24),
    "any.nut": ((*_card(), *_H264), "25/1", 25),
    "old.rm": ((*_card(), "-vf", "scale=176:144", "-c:v", "rv20", "-q:v", "2"), "25/1", 25),
    "one.ts": ((*_card(), *_H264, "-frames:v", "1"), "25/1", 1),
    "one.h264": ((*_card(), *_H264, "-frames:v", "1"), "25/1", 1),
}


@pytest.mark.parametrize("name", _SELDOM)
async def test_pictures_of_seldom_formats_come_out_at_their_rate(name: str, tmp_path: Path) -> None:
    """Raw streams were refused; and ffmpeg calls each raw H.264 one of 25 frames a second, whatever it says."""
    args, rate, frames = _SELDOM[name]
    path = made(name, *args)
    result = await one(path, tmp_path, fast(height=None, crf=10))
    assert result.proof.passed, result.proof.failed
    assert picture(result.plan).rate == rate
    assert abs(result.opened.counts[0].shown - frames) <= 1
    size = f"{picture(result.plan).width_px}:{picture(result.plan).height_px}"
    assert ssim(result.path, path, f"bwdif=deint=interlaced,scale={size}") > 0.9


@pytest.mark.parametrize("name", ["raw.h264", "raw.hevc"])
async def test_a_copy_of_a_raw_stream_is_encoded_for_its_frames_have_no_times(name: str, tmp_path: Path) -> None:
    path = made(name, *_SELDOM[name][0])
    result = await one(path, tmp_path, spec(None, container="mp4", videoCodec="copy"))
    assert result.proof.passed, result.proof.failed
    assert "codec_substituted" in warned(result.plan)


_SOUNDS = {
    "tone.aiff": (), "tone.caf": (), "tone.au": (), "tone.w64": (), "tone.wv": (), "tone.tta": (), "tone.ac3": (),
    "tone.eac3": (), "tone.wma": (), "tone.amr": ("-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
}  # fmt: skip


@pytest.mark.parametrize("name", _SOUNDS)
async def test_sound_of_seldom_formats_is_as_long_as_it_was(name: str, tmp_path: Path) -> None:
    """Decoders of WMA hold a frame back until their end: good results were called too long."""
    path = made(name, "-f", "lavfi", "-i", "sine=d=2:f=440:r=48000", *_SOUNDS[name])
    result = await one(path, tmp_path, spec("audio-aac"))
    assert result.proof.passed, result.proof.failed
    assert sound(result.plan).duration_seconds == pytest.approx(2, abs=0.07)
    assert _loudest_hz(result.path, "c0") == pytest.approx(440, rel=0.05)


async def test_an_animated_webp_is_refused_by_its_name(tmp_path: Path) -> None:
    path = made("moving.webp", *_card(), "-c:v", "libwebp_anim")
    with pytest.raises(errors.Permanent, match="Animated WebP") as refused:
        await one(path, tmp_path, fast())
    assert refused.value.code == "unsupported_format"


def _recorded(at_seconds: int, container: str) -> bytes:
    """Three seconds of a recording whose clock stood at some time when it began."""
    coders = ("-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2") if container == "mpg" else (*_H264, "-c:a", "aac")
    name = f"at-{at_seconds}.{container}"
    return made(name, "-f", "lavfi", "-i", "testsrc2=d=3:s=352x288:r=25", "-f", "lavfi", "-i", "sine=d=3:r=48000",
                *coders, "-output_ts_offset", str(at_seconds)).read_bytes()  # fmt: skip


@pytest.mark.parametrize("video_codec", ["h264", "copy"])
@pytest.mark.parametrize(("first", "second"), [(0, 500), (500, 0), (0, 0), (0, 3)])
async def test_recordings_that_are_joined_end_to_end_go_on_where_their_clock_jumps(
    first: int, second: int, video_codec: str, tmp_path: Path
) -> None:
    """ffmpeg lets them run on; counted by their own clock they were called truncated, or frames were missing."""
    path = tmp_path / "joined.ts"
    path.write_bytes(_recorded(first, "ts") + _recorded(second, "ts"))
    result = await one(path, tmp_path, spec(None, container="mp4", videoCodec=video_codec))
    assert result.proof.passed, result.proof.failed
    assert (result.plan.duration_seconds or 0) == pytest.approx(6, abs=0.1)
    assert abs(result.opened.counts[0].shown - 150) <= 1


async def test_sound_of_joined_recordings_is_heard_whole_in_a_package(tmp_path: Path) -> None:
    """It overlaps by the samples with which its encoder began, and a rendition of sound alone is held to its packet."""
    path = tmp_path / "joined.ts"
    path.write_bytes(_recorded(0, "ts") + _recorded(500, "ts"))
    rungs: list[Json] = [{"height": 144}]
    made_of = await packaged(path, tmp_path, spec(None, container="hls", encoderPreset="ultrafast", renditions=rungs))
    (tmp_path / "judged").mkdir()
    assert (await made_of.judged(tmp_path / "judged")).proven is not None


async def test_a_disc_whose_clock_begins_anew_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "joined.mpg"
    path.write_bytes(_recorded(100, "mpg") + _recorded(0, "mpg"))
    result = await one(path, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (result.plan.duration_seconds or 0) == pytest.approx(6, abs=0.1)
