"""The rules of docs/why/encoding.md, "Source hygiene", on sources of each odd kind: planned, made, proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder.ffmpeg.launcher import Launcher, Leash
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from tests.lab.dolby import with_dolby_vision, with_dolby_vision_in_table
from tests.lab.encoding import fast, number, one, ssim, told
from tests.lab.facts import ABLE, picture, sound, spec, warned
from tests.lab.media import ffmpeg_binary, made

_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-crf", "14")
_FILM = "testsrc2=d=2:s=720x480:r=24000/1001,scroll=h=0.01"


def _card(size: str = "352x288", rate: str = "25", more: str = "") -> tuple[str, ...]:
    return "-f", "lavfi", "-i", f"testsrc2=d=1:s={size}:r={rate}{more}"


def _tone(rate: int = 48000) -> tuple[str, ...]:
    return "-f", "lavfi", "-i", f"sine=d=1:r={rate}"


@pytest.mark.parametrize("field", ["top", "bottom"])
async def test_a_film_on_video_is_put_together_again(field: str, tmp_path: Path) -> None:
    """Telecine: `fieldmatch,decimate`. Its own frames come out, none combed, none twice."""
    video = made(f"film-{field}.mp4", "-f", "lavfi", "-i", f"{_FILM},telecine=pattern=23:first_field={field}", *_H264)
    result = await one(video, tmp_path, fast(height=None, crf=12))
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).rate, picture(result.plan).frames) == ("24000/1001", 48)
    assert "film_restored" in warned(result.plan)
    film = made("film.mp4", "-f", "lavfi", "-i", _FILM, *_H264)
    assert ssim(result.path, film) > 0.97


async def test_interlace_is_not_taken_for_telecine(tmp_path: Path) -> None:
    """Telecine is told by fields that repeat in step: true interlace has none, and keeps its rate."""
    fields = made("fields.mp4", "-f", "lavfi", "-i", "testsrc2=d=2:s=720x480:r=60000/1001,scroll=h=0.01,"
                  "tinterlace=interleave_top:flags=vlpf", *_H264)  # fmt: skip
    result = await one(fields, tmp_path, fast(height=240))
    assert result.media.video[0].interlaced
    assert (result.media.video[0].telecined, picture(result.plan).rate) == (False, "30000/1001")


# name → how it is made; what it is called afterwards, size, frames
KINDS: dict[str, tuple[tuple[str, ...], tuple[int, int, int]]] = {
    "prores.mov": ((*_card(), *_tone(), "-c:v", "prores_ks", "-c:a", "pcm_s24le"), (352, 288, 25)),
    "dnxhd.mov": ((*_card("1280x720"), "-c:v", "dnxhd", "-b:v", "90M", "-pix_fmt", "yuv422p"), (1280, 720, 25)),
    "tape.mxf": ((*_card(), *_tone(), "-c:v", "mpeg2video", "-b:v", "8M", "-c:a", "pcm_s16le"), (352, 288, 25)),
    "old.wmv": ((*_card(), *_tone(44100), "-c:v", "wmv2", "-b:v", "4M", "-c:a", "wmav2"), (352, 288, 25)),
    "phone.3gp": ((*_card(), *_tone(8000), "-c:v", "h263", "-b:v", "2M", "-c:a", "libopencore_amrnb", "-b:a", "12.2k",
                   "-ac", "1"), (352, 288, 25)),
    "old.flv": ((*_card(), *_tone(44100), "-c:v", "flv", "-b:v", "4M", "-c:a", "libmp3lame"), (352, 288, 25)),
    "divx.avi": ((*_card(), *_tone(44100), "-c:v", "mpeg4", "-vtag", "XVID", "-bf", "2", "-b:v", "4M",
                  "-c:a", "libmp3lame"), (352, 288, 25)),
    "theora.ogg": ((*_card(), *_tone(44100), "-c:v", "libtheora", "-q:v", "9", "-c:a", "libvorbis"), (352, 288, 25)),
    "disc.vob": ((*_card(), *_tone(), "-c:v", "mpeg2video", "-b:v", "6M", "-c:a", "ac3"), (352, 288, 25)),
    "camera.avi": ((*_card(), *_tone(8000), "-c:v", "mjpeg", "-q:v", "2", "-c:a", "pcm_u8"), (352, 288, 25)),
    "animated.gif": (("-f", "lavfi", "-i", "testsrc2=d=1:s=321x181:r=10"), (320, 180, 10)),
    "colour-444.mp4": ((*_card(), "-c:v", "libx264", "-crf", "14", "-pix_fmt", "yuv444p"), (352, 288, 25)),
    "colour-422-10.mp4": ((*_card(), "-c:v", "libx264", "-crf", "14", "-pix_fmt", "yuv422p10le"), (352, 288, 25)),
    "rgb.mkv": ((*_card(), "-c:v", "ffv1", "-pix_fmt", "bgr0"), (352, 288, 25)),
    "grey.mkv": ((*_card(), "-c:v", "ffv1", "-pix_fmt", "gray"), (352, 288, 25)),
    "odd.mp4": ((*_card("321x181"), "-c:v", "libx264", "-crf", "14", "-pix_fmt", "yuv444p"), (320, 180, 25)),
    "absurd-shape.mp4": ((*_card(more=",setsar=5120/5123"), *_H264), (352, 288, 25)),
    "endless.webm": ((*_card(), *_tone(), "-c:v", "libvpx", "-deadline", "realtime", "-b:v", "4M", "-c:a", "libopus",
                      "-live", "1"), (352, 288, 25)),
    "before-zero.mkv": ((*_card(), *_tone(), "-vf", "setpts=PTS-0.4/TB", "-af", "asetpts=PTS-0.4/TB",
                         "-enc_time_base:v", "1/1000", *_H264, "-c:a", "flac", "-avoid_negative_ts", "disabled"),
                        (352, 288, 15)),
    "wrapped.ts": ((*_card(), *_tone(), *_H264, "-c:a", "aac", "-output_ts_offset", "95442"), (352, 288, 25)),
    "fragments.mp4": ((*_card(), *_tone(), *_H264, "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
                      (352, 288, 25)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
async def test_a_source_of_any_kind_comes_out_as_it_looks(name: str, tmp_path: Path) -> None:
    """Kinds of files, odd sizes, 4:2:2, 4:4:4, RGB, full range, an absurd pixel shape, no duration, wrapped times."""
    args, (width, height, frames) = KINDS[name]
    path = made(name, *args)
    result = await one(path, tmp_path, fast(height=None, crf=10))
    assert result.proof.passed, result.proof.failed
    plan = picture(result.plan)
    assert (plan.width_px, plan.height_px) == (width, height)
    assert abs((plan.frames or 0) - frames) <= 1
    colours = f"in_color_matrix={plan.matrix_in or 'auto'}:out_color_matrix=bt709:out_range=tv"
    assert ssim(result.path, path, f"fps={plan.rate},scale={width}:{height}:{colours},format=yuv420p") > 0.97


async def test_raw_dv_is_read_and_its_fields_made_whole(tmp_path: Path) -> None:
    tape = made("tape.dv", *_card("720x576"), *_tone(), "-c:v", "dvvideo", "-pix_fmt", "yuv420p", "-ac", "2")
    result = await one(tape, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert "deinterlaced" in warned(result.plan)


@pytest.mark.parametrize("name", ["seen-through.gif", "seen-through.mov", "seen-through-yuv.mov"])
async def test_what_is_transparent_is_black(name: str, tmp_path: Path) -> None:
    """Transparency: not the colour that happens to lie under it. A green on the left, nothing on the right."""
    hole = "geq=r=0:g=200:b=0:a='255*lt(X,W/2)'" if name.endswith("gif") else "geq=r=250:g=200:b=0:a='255*lt(X,W/2)'"
    coder = {"gif": (), "mov": ("-c:v", "qtrle"), "yuv.mov": ("-c:v", "prores_ks", "-pix_fmt", "yuva444p10le")}
    palette = ",split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse" if name.endswith("gif") else ""
    green = f"color=green:s=320x180:r=10:d=1,format=rgba,{hole}{palette}"
    path = made(name, "-f", "lavfi", "-i", green, *coder["yuv.mov" if "yuv" in name else name.rpartition(".")[2]])
    result = await one(path, tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    assert _brightness(result.path, "crop=100:100:200:40") < 20
    assert _brightness(result.path, "crop=100:100:20:40") > 90
    assert "transparency" in {note.code for note in result.plan.reasons}


def _brightness(path: Path, crop: str) -> float:
    args = ("-v", "info", "-i", path, "-vf", f"{crop},signalstats,metadata=print:key=lavfi.signalstats.YAVG")
    return number(r"YAVG=([\d.]+)", told(*args))


# how ffmpeg is told to mark a file → what turns the stored picture upright
TURNS = {
    "90": (("-display_rotation", "-90"), "transpose=clock"),
    "180": (("-display_rotation", "180"), "hflip,vflip"),
    "270": (("-display_rotation", "90"), "transpose=cclock"),
    "mirrored": (("-display_rotation", "0", "-display_hflip"), "hflip"),
    "upside down": (("-display_rotation", "0", "-display_vflip"), "vflip"),
    "90 mirrored": (("-display_rotation", "-90", "-display_hflip"), "transpose=clock,hflip"),
}


@pytest.mark.parametrize("turn", TURNS)
async def test_a_turned_or_mirrored_picture_stands_as_it_is_to_be_shown(turn: str, tmp_path: Path) -> None:
    """Rotation: by the display matrix, mirrors by its determinant, and no matrix is left."""
    marked, upright = TURNS[turn]
    flat = made("flat.mp4", *_card("320x180"), *_H264)
    path = made(f"turned-{turn.replace(' ', '-')}.mp4", *marked, "-i", str(flat), "-c", "copy")
    result = await one(path, tmp_path, fast(height=None, crf=10))
    assert result.proof.passed, result.proof.failed
    assert "rotated" in warned(result.plan)
    assert ssim(result.path, flat, upright) > 0.97


async def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    """Pixel shape: `scale=iw*sar:ih`, then fit, then `setsar=1`."""
    wide = made("wide.mp4", *_card("720x576", more=",setsar=64/45"), *_H264)
    result = await one(wide, tmp_path, fast(height=288, crf=10))
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).width_px, picture(result.plan).height_px) == (512, 288)
    assert ssim(result.path, wide, "scale=512:288:flags=bicubic") > 0.97


async def test_a_phone_that_drops_and_hurries_becomes_constant_and_keeps_its_sound(tmp_path: Path) -> None:
    """VFR: constant at the family rate nearest the median, sync kept."""
    uneven = "testsrc2=d=3:s=320x180:r=120,select='not(mod(n,4))*gt(mod(n,100),20)+eq(mod(n,52),1)'"
    phone = made("uneven.mp4", "-f", "lavfi", "-i", uneven, "-f", "lavfi", "-i", "sine=d=3:r=44100", *_H264,
                 "-c:a", "aac", "-fps_mode", "vfr", "-enc_time_base", "1/600")  # fmt: skip
    result = await one(phone, tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    assert "variable_frame_rate" in warned(result.plan)
    assert (picture(result.plan).rate, result.opened.media.video[0].variable_rate) == ("30/1", False)


async def test_the_film_is_made_of_the_film_and_not_of_its_cover(tmp_path: Path) -> None:
    """Attached pictures, data and time codes: never a stream of the output."""
    cover = made("cover.png", "-f", "lavfi", "-i", "testsrc2=s=64x64", "-frames:v", "1")
    film = made("covered.mp4", *_card(), *_tone(), "-i", str(cover), "-map", "0", "-map", "1", "-map", "2", *_H264,
                "-c:v:1", "png", "-pix_fmt:v:1", "rgb24", "-disposition:v:1", "attached_pic", "-c:a", "aac",
                "-timecode", "01:00:00:00")  # fmt: skip
    result = await one(film, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert [stream.attached_picture for stream in result.media.video] == [False, True]
    assert [stream.codec for stream in result.media.other] != []
    assert (picture(result.plan).source_index, len(result.opened.counts)) == (0, 2)


async def test_of_several_pictures_the_default_one_is_taken(tmp_path: Path) -> None:
    """Several video tracks."""
    two = made("two.mkv", *_card("160x90"), *_card("320x180"), "-map", "0", "-map", "1", *_H264,
               "-disposition:v:0", "0", "-disposition:v:1", "default")  # fmt: skip
    result = await one(two, tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    assert (picture(result.plan).source_index, picture(result.plan).width_px) == (1, 320)


async def test_sound_that_nobody_can_decode_is_passed_over(tmp_path: Path) -> None:
    """Audio choice: iPhone APAC must be passed over, though it be the default track."""
    two = made("spatial.mp4", *_card(), *_tone(), *_tone(), "-map", "0", "-map", "1", "-map", "2", *_H264,
               "-c:a", "aac", "-disposition:a:0", "default", "-disposition:a:1", "0")  # fmt: skip
    path = tmp_path / "apac.mp4"
    path.write_bytes(two.read_bytes().replace(b"mp4a", b"apac", 1).replace(b"esds", b"apcc", 1))
    result = await one(path, tmp_path, fast())
    assert result.proof.passed, result.proof.failed
    assert (sound(result.plan).source_index, result.media.audio[0].decodable) == (2, False)


async def test_what_an_edit_list_hides_stays_hidden(tmp_path: Path) -> None:
    """Edit lists: counts and durations from the presented timeline."""
    whole = made("whole-gop.mp4", "-f", "lavfi", "-i", "testsrc2=d=2:s=320x180:r=30", *_H264, "-g", "60", "-bf", "0")
    cut = made("cut-gop.mp4", "-ss", "0.7", "-i", str(whole), "-c", "copy")
    result = await one(cut, tmp_path, fast(height=None, crf=10))
    assert result.proof.passed, result.proof.failed
    assert picture(result.plan).frames == 39
    assert ssim(result.path, whole, "trim=start_frame=21") > 0.97


@pytest.mark.parametrize("name", ["cut.avi", "cut.wav"])
async def test_less_than_a_riff_header_promises_is_told_as_truncated(name: str, tmp_path: Path) -> None:
    """Truncated: libavformat shortens the duration of a cut AVI or WAV, and nothing but its header tells."""
    coder = ("-c:v", "mpeg4", "-c:a", "libmp3lame") if name.endswith("avi") else ()
    whole = made(name, *(_card() if coder else ()), *_tone(), *coder)
    part = tmp_path / f"part-{name}"
    part.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    wanted = fast() if coder else spec("audio-aac")
    assert (await one(whole, tmp_path, wanted)).code is None
    result = await one(part, tmp_path, wanted)
    assert (result.code, [check.name for check in result.proof.failed]) == ("source_truncated", ["source"])


# high dynamic range

_HDR10 = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L({peak},1):max-cll={light},400"


def _hdr(name: str, transfer: str, side: str = "") -> Path:
    """Grey of a nit value that is known, and colours."""
    tags = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:range=limited"
    return made(name, "-f", "lavfi", "-i", "color=0x949494:d=1:s=320x180:r=10,format=yuv420p10le", "-c:v", "libx265",
                "-preset", "ultrafast", "-x265-params", f"{tags}:hdr10=1:{side}".rstrip(":"), "-tag:v", "hvc1",
                "-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")  # fmt: skip


# what the file says of display (in 0.0001 nits) and content → how bright 203 nits come out
PEAKS = {
    "a usual peak": (10_000_000, 1000, 0.76),
    "a bright peak": (40_000_000, 4000, 0.70),
    "an absurd peak": (50, 0, 0.76),
    "none": (None, None, 0.76),
}


@pytest.mark.parametrize("peak", PEAKS)
async def test_white_is_as_bright_as_the_brightest_light_that_can_be_believed_allows(peak: str, tmp_path: Path) -> None:
    """HDR → SDR: 203 nits (58 % of PQ) come out at about 76 % of SDR; absurd mastering data changes nothing."""
    display, light, white = PEAKS[peak]
    side = "" if display is None else _HDR10.format(peak=display, light=light)
    result = await one(_hdr(f"pq-{display}.mp4", "smpte2084", side), tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    assert (_brightness(result.path, "null") - 16) / 219 == pytest.approx(white, abs=0.02)
    assert not result.opened.media.video[0].hdr_side_data


async def test_hlg_becomes_sdr_without_a_cast(tmp_path: Path) -> None:
    result = await one(_hdr("hlg.mp4", "arib-std-b67"), tmp_path, fast(height=None))
    assert result.proof.passed, result.proof.failed
    args = ("-v", "info", "-i", result.path, "-vf", "signalstats,metadata=print")
    said = told(*args)
    assert all(abs(number(rf"signalstats.{plane}AVG=([\d.]+)", said) - 128) <= 2 for plane in "UV")


@pytest.mark.parametrize("preset", ["hevc", "vp9", "av1-fast"])
@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
async def test_hdr_is_kept_in_ten_bits_with_its_tags(preset: str, transfer: str, tmp_path: Path) -> None:
    """HDR kept: `toneMap: false` with HEVC, VP9 and AV1; side data is kept, or the proof would not pass."""
    side = _HDR10.format(peak=10_000_000, light=1000) if transfer == "smpte2084" else ""
    speed = {"hevc": "ultrafast", "vp9": "8", "av1-fast": "12"}[preset]
    result = await one(_hdr(f"kept-{transfer}.mp4", transfer, side), tmp_path,
                       spec(preset, toneMap=False, encoderPreset=speed))  # fmt: skip
    assert result.proof.passed, result.proof.failed
    kept = result.opened.media.video[0]
    assert (kept.pixel_format, kept.color_transfer, kept.color_primaries) == ("yuv420p10le", transfer, "bt2020")
    assert transfer != "smpte2084" or kept.hdr_peak_nits == 1000


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts", "m2ts"])
@pytest.mark.parametrize("profile", [5, 8])
async def test_dolby_vision_is_made_of_its_base_or_refused(profile: int, container: str, tmp_path: Path) -> None:
    """Dolby Vision: profiles 7 and 8 by their base; profile 5 has none."""
    path = with_dolby_vision(_hdr("base.mp4", "smpte2084"), tmp_path, profile)
    if container == "mkv":
        path = made(f"dolby-{profile}.mkv", "-i", str(path), "-c", "copy")
    elif container != "mp4":
        stream = made("base.ts", "-i", str(_hdr("base.mp4", "smpte2084")), "-c", "copy")
        path = with_dolby_vision_in_table(stream, tmp_path, profile)
        if container == "m2ts":
            packets = [path.read_bytes()[at : at + 188] for at in range(0, path.stat().st_size, 188)]
            path.write_bytes(b"time" + b"time".join(packets))
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    media = await inspect(launcher, path, folder=tmp_path, leash=Leash())
    assert media.video[0].dolby_vision_profile == profile
    plan = decide(media, {0: fast()}, ABLE)
    assert [refusal.code for refusal in plan.refused] == (["unsupported_hdr"] if profile == 5 else [])
