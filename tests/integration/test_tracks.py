"""docs/why/encoding.md, "Tracks of sound": several in one file, through real ffmpeg and the proof."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from encoder.model.base import Json
from encoder.model.plan import LoudnessPlan
from tests.lab import second_opinion
from tests.lab.encoding import fast, one, run
from tests.lab.facts import spec
from tests.lab.media import clip, made, public_clip


@functools.cache
def film() -> Path:
    """A picture with a low tone in English and a high one in German, which begins later."""
    return made(
        "film.mkv", "-i", str(clip(size="160x90", name="film.mp4")), "-itsoffset", "0.3",
        "-f", "lavfi", "-i", "sine=f=2000:d=1.6:r=44100,volume=-6dB", "-map", "0:v", "-map", "0:a", "-map", "1:a",
        "-c:v", "copy", "-c:a", "aac", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger",
        "-disposition:a:0", "0", "-disposition:a:1", "default",
    )  # fmt: skip


CONTAINERS = {
    "mp4": ("mp4", "aac"), "mov": ("mov", "aac"), "webm": ("webm", "opus"), "mkv": ("mkv", "flac"),
    "mpegts": ("mpegts", "aac"),
}  # fmt: skip


@pytest.mark.parametrize(("container", "codec"), CONTAINERS.values(), ids=CONTAINERS)
async def test_all_tracks_keep_language_default_and_offset(container: str, codec: str, tmp_path: Path) -> None:
    video = {"videoCodec": "libvpx-vp9", "encoderPreset": "8"} if container == "webm" else {}
    result = await one(film(), tmp_path, fast(None, container=container, audioCodec=codec, audioTracks="all", **video))
    assert result.proof.passed, result.proof.failed
    assert [sound.language for sound in result.opened.media.audio] == ["eng", "ger"]
    checks = {check.name: check.expected for check in result.proof.checks}
    assert isinstance(checks["sync"], dict)
    assert checks["sync"]["start2Seconds"] == pytest.approx(0.3, abs=0.05)
    if container != "mpegts":
        assert [sound.default for sound in result.opened.media.audio] == [False, True]


@pytest.mark.parametrize("container", ["mp4", "mov", "webm", "mkv"])
@pytest.mark.parametrize("copied", [False, True], ids=["anew", "copied"])
async def test_picture_and_sound_say_that_they_are_to_be_taken(container: str, copied: bool, tmp_path: Path) -> None:
    """Also of a source that says it of neither, and to a reader that shares no code with ffmpeg."""
    codecs = ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus") if container == "webm" else ("-c", "copy")
    source = made("mute.mkv", "-i", str(clip(size="160x90", name="mute.mp4")), *codecs, "-disposition", "0",
                  "-default_mode", "passthrough")  # fmt: skip
    again: dict[str, Json] = {"videoCodec": "copy", "audioCodec": "copy"}
    anew = {"height": 90, "encoderPreset": "8" if container == "webm" else "ultrafast"}
    result = await one(source, tmp_path, spec(None, container=container, **(again if copied else anew)))
    assert result.proof.passed, result.proof.failed
    before, after = ((media.video[0].default, media.audio[0].default) for media in (result.media, result.opened.media))
    assert (before, after) == ((False, False), (True, True))
    streams = next(check for check in result.proof.checks if check.name == "streams").expected
    assert isinstance(streams, dict)
    assert (streams["videoDefault"], streams["default"]) == (True, True)
    seen = second_opinion.look(result.path)
    if container in ("webm", "mkv"):
        assert (seen.video["default"], seen.audio["default"]) == ("Yes", "Yes")


async def test_a_list_decides_order_and_default(tmp_path: Path) -> None:
    result = await one(film(), tmp_path, fast(audioTracks=["deu", "eng"]))
    assert result.proof.passed, result.proof.failed
    assert [(sound.language, sound.default) for sound in result.opened.media.audio] == [("ger", True), ("eng", False)]


async def test_tracks_are_copied(tmp_path: Path) -> None:
    result = await one(film(), tmp_path, fast(audioCodec="copy", audioTracks="all"))
    assert result.proof.passed, result.proof.failed
    assert {sound.encoder for sound in result.plan.sounds} == {"copy"}


async def test_each_track_is_as_loud_as_was_asked(tmp_path: Path) -> None:
    result = await one(film(), tmp_path, fast(audioTracks="all", loudness=-23))
    assert result.proof.passed, result.proof.failed
    gains = [sound.loudness.gain_db for sound in result.plan.sounds if isinstance(sound.loudness, LoudnessPlan)]
    assert len(set(gains)) == 2
    check = next(check for check in result.proof.checks if check.name == "loudness")
    assert isinstance(check.expected, dict)
    assert (check.expected["lufs"], check.expected["lufs2"]) == (-23, -23)


async def test_two_passes_find_their_notes_behind_several_tracks(tmp_path: Path) -> None:
    twice = fast(audioTracks="all", videoBitrate=200_000, twoPass=True)
    results = await run(film(), tmp_path, fast(audioTracks="all"), twice)
    assert [result.proof.failed for result in results] == [(), ()]


async def test_both_tracks_of_a_real_clip_are_carried(tmp_path: Path) -> None:
    result = await one(public_clip("nasa_multitrack.mp4"), tmp_path, fast(audioTracks="all", height=90))
    assert result.proof.passed, result.proof.failed
    assert [sound.sample_rate_hz for sound in result.opened.media.audio] == [48000, 48000]


async def test_a_language_of_a_real_clip_is_the_track_that_the_list_has_not_named(tmp_path: Path) -> None:
    """Both are in English."""
    result = await one(public_clip("nasa_multitrack.mp4"), tmp_path, fast(audioTracks=[1, "eng"], height=90))
    assert result.proof.passed, result.proof.failed
    assert len(result.opened.media.audio) == len({sound.source_index for sound in result.plan.sounds}) == 2
