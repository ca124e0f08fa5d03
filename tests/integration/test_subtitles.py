"""docs/why/encoding.md, "Subtitles": copied, burnt in, extracted, through real ffmpeg and the proof."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from encoder.ffmpeg import box, captions, closing, fonts
from encoder.ffmpeg.captions import SRT, Captions
from encoder.model import base
from encoder.model.base import Json
from encoder.model.job import OutputSpec
from encoder.model.plan import Script
from tests.lab.encoding import Made, fast, one, run
from tests.lab.facts import spec, warned
from tests.lab.media import clip, ffmpeg_binary, made, public_clip
from tests.lab.origin import Served
from tests.lab.pgs import sup
from tests.lab.platform import running
from tests.lab.titles import LINES, film, script
from tests.lab.wire import Server

TIMES = [(500, 1503), (1503, 3000), (2000, 3500)]
APART = [(500, 1503), (1503, 2000), (2000, 3000), (3000, 3500)]  # MP4 shows one at a time


def wanting(mode: str, preset: str | None = "h264", *, clip: Json = None, **members: Json) -> OutputSpec:
    cut = {} if clip is None else {"clip": clip}
    return fast(preset, height=90, subtitles={"mode": mode, **members}, **cut)


def times(result: Made, place: int = 0) -> list[tuple[int, int]]:
    return [(each.start_ms, each.end_ms) for each in said(result, place).listed]


def said(result: Made, place: int = 0) -> Captions:
    """What a track says, as ffmpeg reads it."""
    text = subprocess.run(
        [ffmpeg_binary(), "-v", "error", "-i", result.path, "-map", f"0:s:{place}", "-c:s", "srt", "-f", "srt", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    return captions.read(text.decode(), SRT)


CONTAINERS: dict[str, tuple[dict[str, Json], list[str], list[tuple[int, int]]]] = {
    "mp4": ({"container": "mp4"}, ["mov_text"] * 2, APART),
    "mov": ({"container": "mov"}, ["mov_text"] * 2, APART),
    "mkv": ({"container": "mkv"}, ["subrip", "ass"], TIMES),
    "webm": (
        {"container": "webm", "videoCodec": "libvpx-vp9", "encoderPreset": "8", "audioCodec": "libopus"},
        ["webvtt"] * 2, TIMES,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("members", "codecs", "shown"), CONTAINERS.values(), ids=CONTAINERS)
async def test_copied_they_keep_text_times_language_default_and_forced(
    members: dict[str, Json], codecs: list[str], shown: list[tuple[int, int]], tmp_path: Path
) -> None:
    result = await one(film(), tmp_path, fast(None, height=90, subtitles={"mode": "copy"}, **members))
    assert result.proof.passed, result.proof.failed
    tracks = result.opened.media.subtitles
    assert [track.codec for track in tracks] == codecs
    forced = members["container"] != "mov"  # which has no mark for it
    assert [(track.language, track.default, track.forced) for track in tracks[1:]] == [("ger", True, forced)]
    assert (tracks[0].language, tracks[0].forced) == ("eng", False)
    assert times(result) == shown
    assert "four" in said(result).listed[1].text


async def test_a_copied_picture_keeps_its_subtitles_too(tmp_path: Path) -> None:
    output = spec(None, container="mp4", videoCodec="copy", audioCodec="copy", subtitles={"mode": "copy"})
    result = await one(film(), tmp_path, output)
    assert result.proof.passed, result.proof.failed
    assert times(result) == APART


@pytest.mark.parametrize("picture", ["encoded", "copied"])
async def test_their_times_move_with_the_clip_and_what_spans_its_start_is_there(picture: str, tmp_path: Path) -> None:
    part: dict[str, Json] = {"clip": {"start": 1.0, "end": 2.5}}
    if picture == "encoded":
        output = fast(height=90, subtitles={"mode": "copy", "tracks": ["eng"]}, **part)
    else:
        output = spec(
            None, container="mp4", videoCodec="copy", audioCodec="copy", subtitles={"mode": "copy", "tracks": ["eng"]},
            **part,
        )  # fmt: skip
    result = await one(film(), tmp_path, output)
    assert result.proof.passed, result.proof.failed
    assert times(result) == [(0, 503), (503, 1000), (1000, 1500)]


async def test_extracted_they_are_a_file_of_webvtt(tmp_path: Path) -> None:
    output = spec(None, container="vtt", subtitles={"mode": "extract", "tracks": ["eng"]})
    result = await one(film(), tmp_path, output)
    assert result.proof.passed, result.proof.failed
    assert result.path.read_text() == (
        "WEBVTT\n\n00:00.500 --> 00:01.503\nOne <i>two</i>, %{x} [in];out,'q' ÄÖ\n\n"
        "00:01.503 --> 00:03.000\nThree\nfour\n\n00:02.000 --> 00:03.500 line:0\nAbove <b>all</b>\n"
    )


@pytest.mark.parametrize("mode", ["copy", "burn-in"])
async def test_a_source_without_them_is_made_with_a_warning(mode: str, tmp_path: Path) -> None:
    result = await one(clip(size="160x90", name="film.mp4"), tmp_path, wanting(mode))
    assert result.proof.passed, result.proof.failed
    assert "subtitles_missing" in warned(result.plan)


async def test_both_tracks_of_a_real_clip_are_carried(tmp_path: Path) -> None:
    result = await one(public_clip("nasa_multitrack.mp4"), tmp_path, wanting("copy"))
    assert result.proof.passed, result.proof.failed


async def test_chapters_are_no_subtitles(tmp_path: Path) -> None:
    named = made("chapters.txt", "-f", "lavfi", "-i", "nullsrc", "-frames:v", "0", "-f", "null")
    named.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=One\n")
    told = made("chaptered.mkv", "-i", str(film()), "-i", str(named), "-map", "0", "-map_chapters", "1", "-c", "copy")
    result = await one(told, tmp_path, wanting("copy"))
    assert result.proof.passed, result.proof.failed


# burnt in


def white(path: Path, *, area: str, rate: int = 4) -> list[bool]:
    """Whether the brightest pixel of an area is white, so many times a second. No stroke of small letters fills one."""
    graph = f"fps={rate},crop={area},format=gray"
    width, height = (int(side) for side in area.split(":")[:2])
    shown = subprocess.run(
        [ffmpeg_binary(), "-v", "error", "-i", path, "-vf", graph, "-f", "rawvideo", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    size = width * height
    return [max(shown[at : at + size]) > 150 for at in range(0, len(shown), size)]


LOW, HIGH = "160:60:80:110", "160:40:80:0"  # of 320×180
SCHEDULE = [False] * 2 + [True] * 10 + [False] * 4  # the lower lines, four times a second


def blue(name: str, *titles: str, seconds: int = 4, size: str = "320x180") -> Path:
    return made(
        name, "-copyts", "-f", "lavfi", "-i", f"color=c=blue:d={seconds}:s={size}:r=25", *titles,
        "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
    )  # fmt: skip


TEXTS = {
    "subrip": ("mkv", "srt"), "ass": ("mkv", "ass"), "mov_text": ("mp4", "mov_text"), "webvtt": ("webm", "webvtt"),
}  # fmt: skip


@pytest.mark.parametrize(("container", "codec"), TEXTS.values(), ids=TEXTS)
async def test_text_is_drawn_at_its_times_below_and_above(container: str, codec: str, tmp_path: Path) -> None:
    picture = ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime") if container == "webm" else ()
    source = made(
        f"blue.{container}", "-f", "lavfi", "-i", "color=c=blue:d=4:s=320x180:r=25", "-i", str(script()),
        "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", *picture, "-pix_fmt", "yuv420p",
        "-c:s", codec,
    )  # fmt: skip
    output = fast(height=180, audioCodec="none", subtitles={"mode": "burn-in"})
    part = fast(height=180, audioCodec="none", subtitles={"mode": "burn-in"}, clip={"start": 1, "end": 2.5})
    whole, cut = await run(source, tmp_path, output, part)
    assert whole.proof.passed, whole.proof.failed
    assert cut.proof.passed, cut.proof.failed
    says_where = codec in ("srt", "ass")  # in the others all of it stands below
    below = SCHEDULE if says_where else [False] * 2 + [True] * 12 + [False] * 2
    assert white(whole.path, area=LOW) == below
    assert white(cut.path, area=LOW) == below[4:10]
    above = [False] * 8 + [True] * 6 + [False] * 2
    assert white(whole.path, area=HIGH) == (above if says_where else [False] * 16)


PICTURES = {"pgs": ("mkv", "copy"), "dvd": ("mkv", "dvdsub"), "dvb": ("ts", "dvbsub")}


@pytest.mark.parametrize(("container", "codec"), PICTURES.values(), ids=PICTURES)
async def test_pictures_are_drawn_at_their_times(container: str, codec: str, tmp_path: Path) -> None:
    boxes = sup(tmp_path / "boxes.sup", (1.0, 2.0), (3.0, 6.0))
    source = blue(f"boxes.{container}", "-fix_sub_duration", "-i", str(boxes), "-c:s", codec, seconds=8)
    burnt: dict[str, Json] = {"audioCodec": "none", "subtitles": {"mode": "burn-in"}}
    whole, small, cut = await run(
        source, tmp_path, fast(height=180, **burnt), fast(height=90, **burnt),
        fast(height=180, clip={"start": 4, "end": 7}, **burnt),
    )  # fmt: skip
    for result in (whole, small, cut):
        assert result.proof.passed, result.proof.failed
    shown = [False] * 4 + [True] * 4 + [False] * 4 + [True] * 12 + [False] * 8
    assert white(whole.path, area="8:8:156:146") == shown
    assert white(small.path, area="4:4:78:73") == shown
    assert white(cut.path, area="8:8:156:146") == [True] * 8 + [False] * 4


async def test_pictures_made_for_a_higher_picture_stay_inside_this_one(tmp_path: Path) -> None:
    """Of a film whose bars were cut off: what stood in the lower bar stands at the lower edge."""
    boxes = sup(tmp_path / "boxes.sup", (0.0, 2.0), size=(320, 240))
    source = blue("cut.mkv", "-fix_sub_duration", "-i", str(boxes), "-c:s", "copy", size="320x136")
    result = await one(source, tmp_path, fast(height=136, audioCodec="none", subtitles={"mode": "burn-in"}))
    assert result.proof.passed, result.proof.failed
    assert white(result.path, area="8:8:156:110")[:8] == [True] * 8


async def test_each_size_and_both_passes_have_them(tmp_path: Path) -> None:
    burnt: dict[str, Json] = {"audioCodec": "none", "subtitles": {"mode": "burn-in", "tracks": ["eng"]}}
    source = blue("passes.mkv", "-i", str(script()), "-c:s", "srt", "-metadata:s:s:0", "language=eng")
    outputs = [
        fast(height=180, videoBitrate=200_000, twoPass=True, **burnt),
        fast("hevc", height=180, profile="main10", **burnt),
        fast(width=180, height=180, fit="pad", **burnt),
    ]
    twice, deep, padded = await run(source, tmp_path, *outputs)
    for result in (twice, deep, padded):
        assert result.proof.passed, result.proof.failed
    assert white(twice.path, area=LOW) == white(deep.path, area=LOW) == SCHEDULE
    assert white(padded.path, area="180:60:0:120") == SCHEDULE


FANCY = """\
[Script Info]
PlayResX: 320
PlayResY: 180

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Alignment, MarginV
Style: Fancy,Nobody Has This,16,&H00FFFFFF,2,10

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.00,0:00:01.00,Fancy,,0,0,0,,♪ {\\b1}Glück{\\b0} {\\fnNor This}Жω {\\i1}ế{\\i0} ไทย
"""


@pytest.mark.skipif(not box.landlock_abi(), reason="only Landlock takes the system's fonts away from ffmpeg")
async def test_the_letters_are_ours_whatever_fonts_the_system_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of text that names a font which is nowhere."""
    written = made("fancy.ass", "-f", "lavfi", "-i", "nullsrc", "-frames:v", "0", "-f", "null")
    written.write_text(FANCY)
    source = blue("fancy.mkv", "-i", str(written), "-c:s", "ass", seconds=1)
    output = fast(height=180, audioCodec="none", subtitles={"mode": "burn-in"})
    (tmp_path / "there").mkdir()
    there = await one(source, tmp_path / "there", output)
    monkeypatch.setattr(fonts, "SYSTEM", ())
    bare = await one(source, tmp_path, output)
    assert bare.proof.passed, bare.proof.failed
    assert white(bare.path, area=LOW) == [True] * 4
    assert closing.letters_without_font(bare.log) == ""
    assert bare.path.read_bytes() == there.path.read_bytes()


async def test_a_copied_track_and_a_drawn_one_share_a_decode(tmp_path: Path) -> None:
    carrying, drawn = await run(film(), tmp_path, wanting("copy"), wanting("burn-in"))
    assert carrying.proof.passed, carrying.proof.failed
    assert drawn.proof.passed, drawn.proof.failed
    assert not drawn.opened.media.subtitles


# files that a caller brings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
async def test_a_job_takes_files_of_subtitles_and_tells_no_secret(encoding: str, dsn: str, tmp_path: Path) -> None:
    """Fetched once by the guarded fetcher; a bad one fails its output alone; a dry run says both."""
    (tmp_path / "in.mp4").write_bytes(clip(seconds=4, size="160x90", name="four.mp4").read_bytes())
    scripts = {
        "/a.srt": Served(data=LINES.encode(encoding)),
        "/odd.srt": Served(data="1\n00:00:01,000 --> 00:00:02,000\nO\U0010fffd\n".encode()),
        "/evil.srt": Served(data=b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n"),
    }
    async with running(dsn, tmp_path) as platform, Server(scripts={**scripts}) as origin:

        def file(path: str) -> dict[str, Any]:
            place = {"kind": "http", "url": f"{origin.url(path)}?sig=SENTINEL", "headers": {"X-Token": "SENTINEL"}}
            return {"source": place, "language": "ger", "default": True}

        quick: dict[str, Any] = {"preset": "h264", "encoderPreset": "ultrafast"}
        job = {
            "source": {"kind": "file", "path": str(tmp_path / "in.mp4")},
            "outputs": [
                {**quick, "subtitles": {"mode": "copy", "files": [file("/a.srt")]}},
                {**quick, "subtitles": {"mode": "burn-in", "files": [file("/a.srt")]}},
                {"container": "vtt", "subtitles": {"mode": "extract", "files": [file("/a.srt")]}},
                {**quick, "subtitles": {"mode": "copy", "files": [file("/evil.srt")]}},
                {**quick, "subtitles": {"mode": "copy", "files": [file("/none.srt")]}},
                {"container": "vtt"},
                {**quick, "subtitles": {"mode": "burn-in", "files": [file("/odd.srt")]}},
            ],
        }
        status, preview = await platform.call("POST", "/jobs?dryRun=true", json=job)
        assert status == 200, preview
        done = await platform.ended(await platform.submit(job))
        text = (platform.storage / "jobs" / done["uuid"] / "2.vtt").read_bytes()
    asked = [seen.target.partition("?")[0] for seen in origin.seen]
    assert (asked.count("/a.srt"), asked.count("/evil.srt")) == (2, 2)  # by the dry run, and by the job
    assert "SENTINEL" not in f"{done}{preview}"
    states = [each["status"] for each in done["outputs"]]
    assert states == ["uploaded"] * 3 + ["failed"] * 3 + ["uploaded"], done
    told = [{note["code"] for note in each["warnings"]} for each in done["outputs"]]
    assert ("letters_missing" in told[1], "letters_missing" in told[6]) == (False, True)
    assert [each["error"]["code"] for each in done["outputs"][3:6]] == [
        "unsupported_format", "source_not_found", "no_subtitle_stream",
    ]  # fmt: skip
    assert "ÄÖ".encode() in text
    assert preview["outputs"][0]["plan"]["subtitles"][0]["language"] == "ger"


async def test_a_script_that_a_caller_brings_keeps_its_styles_in_matroska(tmp_path: Path) -> None:
    ass = "[Script Info]\n\n[V4+ Styles]\nStyle: Loud\n\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Loud,,0,0,0,,Oh\n"
    (tmp_path / "script-file-0.ass").write_text(ass)
    brought = (Script(file="script-file-0.ass", form=captions.ASS),)
    output = base.replace(
        fast(None, container="mkv", height=90), subtitles=spec(
            subtitles={"mode": "copy", "files": [{"source": {"kind": "file", "path": "/x"}, "language": "eng"}]}
        ).subtitles,
    )  # fmt: skip
    (result,) = await run(clip(seconds=4, size="160x90", name="four.mp4"), tmp_path, output, scripts={0: brought})
    assert result.proof.passed, result.proof.failed
    assert [track.codec for track in result.opened.media.subtitles] == ["ass"]
