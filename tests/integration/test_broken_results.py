"""Corrupt results never pass (docs/why/proof.md): real ones, broken on disk between encode and verify.

Each break is done by real tools to a result of the real encode, and judged by the worker's own stage. It must be
refused as `output_invalid`, and told as the check that claims to see it, with the member that is wrong.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from encoder import packaging
from encoder.errors import FailureClass
from encoder.ffmpeg import checks
from encoder.model.job import OutputSpec
from encoder.model.state import JobState
from encoder.store.postgres import PostgresStore
from encoder.worker.context import Made
from encoder.worker.encode import Encode
from tests.integration.test_job_ends import ended
from tests.lab.broken import Judged, Result, result
from tests.lab.encoding import fast
from tests.lab.facts import spec
from tests.lab.media import clip, ffmpeg_binary, made
from tests.lab.titles import LINES, film

Damage = Callable[[Path], object]
Shelf = Callable[[str], Awaitable[Result]]

OUTPUTS: dict[str, OutputSpec] = {
    "mp4": fast(height=120, keyframeInterval=1),
    "loud": fast(height=120, loudness=-23),
    "webm": spec("vp9", height=120, encoderPreset="8"),
    "titled": fast(None, container="mkv", height=120, subtitles={"mode": "copy"}),
    "vtt": spec(None, container="vtt", subtitles={"mode": "extract", "tracks": ["eng"]}),
    "titled hls": spec(
        None, container="cmaf", encoderPreset="ultrafast", segmentSeconds=2, subtitles={"mode": "copy"},
        renditions=[{"height": 72, "videoBitrate": 80_000}],
    ),
    "hls": spec(
        None, container="hls", encoderPreset="ultrafast", segmentSeconds=2,
        renditions=[{"height": 120, "videoBitrate": 150_000}, {"height": 72, "videoBitrate": 80_000}],
    ),
    "dash": spec(
        None, container="dash", encoderPreset="ultrafast", segmentSeconds=2,
        renditions=[{"height": 120, "videoBitrate": 150_000}],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Good results, each made once."""
    there: dict[str, Result] = {}

    async def get(kind: str) -> Result:
        if kind not in there:
            seconds = 5 if kind in ("hls", "dash") else 3
            source = film() if kind in ("titled", "vtt", "titled hls") else clip(seconds=seconds, rate="25")
            there[kind] = await result(source, tmp_path_factory.mktemp(kind), OUTPUTS[kind])
        return there[kind]

    return get


@pytest.mark.parametrize("kind", OUTPUTS)
async def test_what_nobody_broke_passes(kind: str, shelf: Shelf, tmp_path: Path) -> None:
    judged = await (await shelf(kind)).judged(tmp_path)
    assert judged.failed is None
    assert judged.proven is not None


def assert_refused(judged: Judged, told: str) -> None:
    """Told as this, for good, with the proof that failed; and there is nothing that could be delivered."""
    assert judged.proven is None
    problem = judged.problem
    assert (problem.code, problem.kind, problem.check) == ("output_invalid", FailureClass.PERMANENT, told)
    assert told.split(".", maxsplit=1)[0] in judged.checks


def cut(share: float) -> Damage:
    """The first part of the bytes."""
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def cut_before(box: bytes) -> Damage:
    def damage(path: Path) -> None:
        data = path.read_bytes()
        os.truncate(path, data.rindex(box) - 4)

    return damage


def flip(place: float, count: int) -> Damage:
    """Some bytes turned over, where the media is."""

    def damage(path: Path) -> None:
        data = bytearray(path.read_bytes())
        at = int(len(data) * place)
        data[at : at + count] = bytes(byte ^ 0xFF for byte in data[at : at + count])
        path.write_bytes(data)

    return damage


def append(data: bytes) -> Damage:
    def damage(path: Path) -> None:
        with path.open("ab") as file:
            file.write(data)

    return damage


def overwritten(old: bytes, new: bytes) -> Damage:
    def damage(path: Path) -> None:
        data = path.read_bytes()
        assert data.count(old) == 1
        path.write_bytes(data.replace(old, new))

    return damage


FASTSTART = ("-movflags", "+faststart")
COPY = ("-i", "{}", "-c", "copy")
X264 = ("-i", "{}", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "copy")
COLOURS = ("h264_metadata=colour_primaries", "transfer_characteristics", "matrix_coefficients")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "copy")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-c:a", "copy")
BT709 = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")


def made_anew(*args: str) -> Damage:
    """What ffmpeg makes of it, in its place; `{}` is the good one."""

    def damage(path: Path) -> None:
        good = path.with_name(f"good{path.suffix}")
        path.rename(good)
        ending = FASTSTART if path.suffix == ".mp4" and "-movflags" not in args else ()
        run = [ffmpeg_binary(), "-v", "error", "-nostdin", "-y", *(str(good) if arg == "{}" else arg for arg in args)]
        subprocess.run([*run, *ending, path], check=True)
        good.unlink()

    return damage


def edited(name: str, pattern: str, by: str) -> Damage:
    """Another word in a manifest, once all are written."""

    def damage(folder: Path) -> None:
        path = folder / name
        text, count = re.subn(pattern, by, path.read_text(), count=1, flags=re.DOTALL)
        assert count == 1
        path.write_text(text)

    return damage


def swapped(one: str, other: str) -> Damage:
    def damage(folder: Path) -> None:
        between = folder / "between"
        (folder / one).rename(between)
        (folder / other).rename(folder / one)
        between.rename(folder / other)

    return damage


def gone(name: str) -> Damage:
    return lambda folder: (folder / name).unlink()


def copied(one: str, other: str) -> Damage:
    return lambda folder: shutil.copy(folder / one, folder / other)


# what is done, to which result: what it is told as
def retold(old: str, new: str) -> Damage:
    """With other words in its first subtitles."""

    def damage(path: Path) -> None:
        assert old in LINES
        lines = path.with_name("retold.srt")
        lines.write_text(LINES.replace(old, new))
        made_anew("-i", "{}", "-i", str(lines), "-c", "copy", *PICTURE, "-map", "1:0", "-map", "0:s:1", *ENGLISH)(path)

    return damage


PICTURE = ("-map", "0:v", "-map", "0:a")
ENGLISH = ("-metadata:s:s:0", "language=eng", "-disposition:s:0", "0")
LAST_LINE = "\n3\n00:00:02,000 --> 00:00:03,500\n{\\an8}Above <b>all</b>\n"
TITLES: dict[str, tuple[str, Damage, str]] = {
    "a track of subtitles dropped": ("titled", made_anew(*COPY, *PICTURE, "-map", "0:s:0"), "streams.subtitles"),
    "subtitles in another language": (
        "titled", made_anew(*COPY, "-map", "0", "-metadata:s:s:0", "language=spa"), "streams.subtitleLanguage",
    ),
    "subtitles that players show by themselves": (
        "titled", made_anew(*COPY, "-map", "0", "-disposition:s:0", "default"), "streams.subtitleDefault",
    ),
    "subtitles that nobody is forced to see": (
        "titled", made_anew(*COPY, "-map", "0", "-disposition:s:1", "default"), "streams.subtitleForced2",
    ),
    "subtitles in another codec": (
        "titled", made_anew(*COPY, "-map", "0", "-c:s:1", "srt"), "streams.subtitleCodec2",
    ),
    "a caption dropped": ("titled", retold(LAST_LINE, ""), "captions.captions"),
    "a caption 100 ms late": ("titled", retold("00:00:02,000", "00:00:02,100"), "captions.times"),
    "a caption that goes on after the end": ("titled", retold("00:00:03,500", "00:00:09,500"), "captions.times"),
    "a letter of a caption dropped": ("titled", retold("Three", "Tree"), "captions.text"),
    "WebVTT with another word": ("vtt", overwritten(b"Three", b"Seven"), "captions.text"),
    "WebVTT cut in its middle": ("vtt", cut(0.6), "captions.captions"),
    "WebVTT that is none": ("vtt", overwritten(b"WEBVTT", b"WEBVTX"), "container.format"),
}  # fmt: skip


FILES: dict[str, tuple[str, Damage, str]] = {
    "cut to 60 % of its bytes": ("mp4", cut(0.6), "container.cutShort"),
    "WebM cut to 60 % of its bytes": ("webm", cut(0.6), "frames"),
    "emptied": ("mp4", cut(0), "container.format"),
    "cut before its media": ("mp4", cut_before(b"mdat"), "container.faststart"),
    "cut inside its index": ("mp4", cut(0.01), "container.format"),
    "bytes turned over in its middle": ("mp4", flip(0.5, 64), "decode"),
    "WebM with bytes turned over": ("webm", flip(0.5, 64), "frames"),
    "bytes behind its end": ("mp4", append(b"left over"), "container.trailingBytes"),
    "the index behind the media": ("mp4", made_anew(*COPY, "-movflags", "0"), "container.faststart"),
    "Matroska by the name of MP4": ("mp4", made_anew(*COPY, "-f", "matroska"), "container.format"),
    "another size": ("mp4", made_anew(*X264, "-s", "160x90", *BT709), "picture.width"),
    "sound dropped": ("mp4", made_anew(*COPY, "-an"), "streams.audio"),
    "WebM, sound dropped": ("webm", made_anew(*COPY, "-an"), "streams.audio"),
    "picture dropped": ("mp4", made_anew(*COPY, "-vn"), "streams.video"),
    "a second sound": ("mp4", made_anew(*COPY, "-map", "0", "-map", "0:a"), "streams.audio"),
    "sound 200 ms late": (
        "mp4", made_anew("-i", "{}", "-itsoffset", "0.2", *COPY, "-map", "0:v", "-map", "1:a"), "sync.startSeconds",
    ),
    "WebM, sound 200 ms late": (
        "webm", made_anew("-i", "{}", "-itsoffset", "0.2", *COPY, "-map", "0:v", "-map", "1:a"), "sync.startSeconds",
    ),
    "picture 200 ms late": (
        "mp4", made_anew("-i", "{}", "-itsoffset", "0.2", *COPY, "-map", "1:v", "-map", "0:a"), "sync.startSeconds",
    ),
    "sound ends 200 ms early": (
        "mp4", made_anew("-i", "{}", "-t", "2.8", *COPY, "-map", "0:v", "-map", "1:a"), "frames",
    ),
    "sound that is played slower": (
        "mp4",
        made_anew("-i", "{}", "-c", "copy", "-bsf:a", "setts=ts=TS*1.1:duration=DURATION*1.1"),
        "sync.endSeconds",
    ),
    "both 200 ms late": (
        "mp4", made_anew("-itsoffset", "0.2", *COPY), "duration.video",
    ),
    "turned by a display matrix": ("mp4", made_anew("-display_rotation", "90", *COPY), "picture.rotation"),
    "mirrored by a display matrix": ("mp4", made_anew("-display_hflip", *COPY), "picture.rotation"),
    "pixels that are not square": ("mp4", made_anew(*COPY, "-aspect", "2:1"), "picture.sampleAspectRatio"),
    "full range": ("mp4", made_anew(*COPY, "-bsf:v", "h264_metadata=video_full_range_flag=1"), "streams.pixelFormat"),
    "tags of HDR": (
        "mp4",
        made_anew(*COPY, "-bsf:v", f"{COLOURS[0]}=9:{COLOURS[1]}=16:{COLOURS[2]}=9"),
        "picture.primaries",
    ),
    "no tags of colour": (
        "mp4",
        made_anew(*COPY, "-bsf:v", f"{COLOURS[0]}=2:{COLOURS[1]}=2:{COLOURS[2]}=2"),
        "picture.primaries",
    ),
    "frames dropped": (
        "mp4", made_anew(*X264, "-vf", r"select=not(between(n\,30\,33))", "-fps_mode", "vfr", *BT709), "frames",
    ),
    "frames that stand twice": ("mp4", made_anew(*X264, "-r", "50", *BT709), "frames"),
    "WebM, half the frames": (
        "webm",
        made_anew("-i", "{}", "-r", "12.5", *VP9, *BT709),
        "frames",
    ),
    "one frame lost on the way to the disk": (
        "mp4", made_anew(*COPY, "-bsf:v", r"noise=drop=eq(n\,40)"), "frames",
    ),
    "sound with a hole": ("mp4", made_anew(*COPY, "-bsf:a", r"noise=drop=between(n\,40\,60)"), "frames"),
    "HEVC in place of H.264": (
        "mp4",
        made_anew("-i", "{}", *HEVC, *BT709),
        "streams.videoCodec",
    ),
    "High 4:4:4": ("mp4", made_anew(*X264, "-pix_fmt", "yuv444p", *BT709), "streams.pixelFormat"),
    "10 bits": ("mp4", made_anew(*X264, "-pix_fmt", "yuv420p10le", *BT709), "streams.pixelFormat"),
    "sound of 44.1 kHz": (
        "mp4",
        made_anew("-i", "{}", "-c:v", "copy", "-c:a", "aac", "-ar", "44100"),
        "streams.sampleRate",
    ),
    "sound of two channels": (
        "mp4",
        made_anew("-i", "{}", "-c:v", "copy", "-c:a", "aac", "-ac", "2"),
        "streams.channels",
    ),
    "MP3 in place of AAC": ("mp4", made_anew("-i", "{}", "-c:v", "copy", "-c:a", "libmp3lame"), "streams.audioCodec"),
    "black where the source is not": (
        "mp4",
        made_anew(*X264, "-vf", r"drawbox=t=fill:c=black:enable=gt(n\,5)", "-g", "25", *BT709),
        "content.blackSeconds",
    ),
    "keyframes too far apart": ("mp4", made_anew(*X264, "-g", "300", "-keyint_min", "300", *BT709), "keyframes"),
    "louder than asked": (
        "loud",
        made_anew("-i", "{}", "-c:v", "copy", "-c:a", "aac", "-af", "volume=6dB"),
        "loudness",
    ),
    "a time stamp that stands twice": ("webm", overwritten(b"\x81\x06\x40", b"\x81\x06\x18"), "timestamps"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "damage", "told"), (FILES | TITLES).values(), ids=FILES | TITLES)
async def test_a_broken_file_is_refused_as_what_is_broken(
    kind: str, damage: Damage, told: str, shelf: Shelf, tmp_path: Path
) -> None:
    """D17"""
    judged = await (await shelf(kind)).judged(tmp_path, damage)
    assert_refused(judged, told)


PARTS: dict[str, tuple[str, Damage, str]] = {
    "a segment is missing": ("hls", gone("120p/00002.m4s"), "package.missing"),
    "the last segment is missing": ("hls", gone("72p/00003.m4s"), "package.missing"),
    "a segment of sound is missing": ("dash", gone("audio/00002.m4s"), "package.missing"),
    "the init segment is missing": ("hls", gone("120p/init.mp4"), "package.missing"),
    "a segment is cut": ("hls", lambda folder: cut(0.6)(folder / "120p/00002.m4s"), "container.trailingBytes"),
    "a segment of sound is cut": (
        "dash",
        lambda folder: cut(0.6)(folder / "audio/00002.m4s"),
        "container.trailingBytes",
    ),
    "bytes of a segment are turned over": ("hls", lambda folder: flip(0.6, 64)(folder / "120p/00002.m4s"), "decode"),
    "two segments are swapped": ("hls", swapped("120p/00001.m4s", "120p/00002.m4s"), "frames"),
    "a segment is another rung's": ("hls", copied("72p/00002.m4s", "120p/00002.m4s"), "decode"),
    "an init segment is another rung's": ("hls", copied("72p/init.mp4", "120p/init.mp4"), "picture.width"),
    "an init segment is that of sound": ("dash", copied("audio/init.mp4", "120p/init.mp4"), "streams.video"),
    "a file that is none of it": ("hls", lambda folder: (folder / "120p/notes.txt").write_text("x"), "package.unnamed"),
    "a link to elsewhere": (
        "hls",
        lambda folder: (folder / "72p/x.m4s").symlink_to("/etc/hostname"),
        "package.unnamed",
    ),
    "a caption of a package says something else": (
        "titled hls",
        lambda folder: overwritten(b"Three", b"Seven")(folder / "subtitles-eng" / "subtitles.vtt"),
        "captions.text",
    ),
    "subtitles of a package that are missing": (
        "titled hls", gone("subtitles-eng/subtitles.vtt"), "package.missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "damage", "told"), PARTS.values(), ids=PARTS)
async def test_a_package_of_broken_parts_is_refused_as_what_is_broken(
    kind: str, damage: Damage, told: str, shelf: Shelf, tmp_path: Path
) -> None:
    judged = await (await shelf(kind)).judged(tmp_path, damage)
    assert_refused(judged, told)


# done once the manifests are written, which is later than all encoding
MANIFESTS: dict[str, tuple[str, Damage, str]] = {
    "a wrong BANDWIDTH": ("hls", edited("master.m3u8", r":BANDWIDTH=\d+", ":BANDWIDTH=1000"), "package.bandwidth"),
    "a wrong bandwidth in DASH": (
        "dash",
        edited("manifest.mpd", r'bandwidth="\d+"', 'bandwidth="1000"'),
        "package.bandwidth",
    ),
    "wrong CODECS": ("hls", edited("master.m3u8", r"avc1\.[0-9A-Fa-f]{6}", "avc1.64002A"), "package.codecs"),
    "a wrong RESOLUTION": ("hls", edited("master.m3u8", r"RESOLUTION=\d+x", "RESOLUTION=999x"), "package.resolution"),
    "no ENDLIST": ("hls", edited("120p/index.m3u8", "#EXT-X-ENDLIST\n", ""), "package.endlist"),
    "a wrong EXTINF": ("hls", edited("72p/index.m3u8", r"EXTINF:2\.0", "EXTINF:1.9"), "package.extinf"),
    "a segment is missing after all": ("hls", gone("120p/00002.m4s"), "package.missing"),
    "a rung that nobody names": (
        "hls", edited("master.m3u8", r"#EXT-X-STREAM-INF:[^#]*72p/index.m3u8\n", ""), "package.tracks",
    ),
    "a DASH manifest that ends early": ("dash", lambda folder: cut(0.6)(folder / "manifest.mpd"), "package.broken"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "damage", "told"), MANIFESTS.values(), ids=MANIFESTS)
async def test_a_manifest_that_lies_is_refused_as_what_is_wrong_in_it(
    kind: str, damage: Damage, told: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = await shelf(kind)
    write = packaging.write

    def written(folder: Path, *args: Any, **more: Any) -> tuple[str, ...]:  # noqa: ANN401  # as the real one
        names = write(folder, *args, **more)
        damage(folder)
        return names

    monkeypatch.setattr(packaging, "write", written)
    judged = await good.judged(tmp_path)
    assert_refused(judged, told)
    assert judged.checks == {"package"}


async def test_a_run_that_never_came_to_its_end_is_refused_though_all_lies_there(shelf: Shelf, tmp_path: Path) -> None:
    """O7"""
    judged = await (await shelf("mp4")).judged(tmp_path, log="frame=   75 fps=0.0\n")
    assert_refused(judged, "run")


async def test_a_source_that_ended_early_is_told_as_that_and_delivered_as_nothing(tmp_path: Path) -> None:
    """What it was made of is to blame here, and only here: a cut result of a whole source is not told so."""
    part = tmp_path / "part.mp4"
    faststart = made("whole.mp4", "-i", str(clip(seconds=6)), "-c", "copy", *FASTSTART)
    part.write_bytes(faststart.read_bytes()[: faststart.stat().st_size * 6 // 10])
    (tmp_path / "made").mkdir()
    (tmp_path / "judged").mkdir()
    judged = await (await result(part, tmp_path / "made", OUTPUTS["mp4"])).judged(tmp_path / "judged")
    assert judged.proven is None
    assert (judged.problem.code, judged.problem.check) == ("source_truncated", None)
    assert "source" in judged.checks


async def test_of_a_broken_result_nothing_is_published_and_its_job_tells_the_check(
    store: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D17: the whole worker, of which only the disk is bad."""
    encode = Encode.__call__

    async def badly(self: Encode, *args: Any) -> list[Made]:  # noqa: ANN401  # as the real one
        results = await encode(self, *args)
        for each in results:
            cut(0.6)(each.path)
        return results

    monkeypatch.setattr(Encode, "__call__", badly)
    tone = base64.b64encode(clip(seconds=3, rate="25").read_bytes()).decode("ascii")
    job = await ended(store, tmp_path, {"kind": "inline", "data": tone})
    assert job.state is JobState.FAILED
    (output,) = job.outputs
    assert output.problem == job.problem
    assert output.problem is not None
    assert (output.problem.code, output.problem.check) == ("output_invalid", "container.cutShort")
    assert output.proof is not None
    assert output.delivered is None
    assert [path for path in (tmp_path / "storage").rglob("*") if path.is_file()] == []


def test_every_check_has_a_real_result_that_fails_it() -> None:
    told = {
        told.split(".")[0] for _, _, told in (*FILES.values(), *TITLES.values(), *PARTS.values(), *MANIFESTS.values())
    }
    joined = {"seams"}  # tests/integration/test_chunked.py
    assert told | joined | {"run", "source"} == {check.__name__ for check in checks.ALL} | {"package"}
