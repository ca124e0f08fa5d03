"""What an output is made of: a preset, and what was said explicitly."""

from __future__ import annotations

import hashlib
import json

import pytest

from encoder.ffmpeg import presets, rules
from encoder.model.base import Json
from tests.lab.facts import spec

# by name: the version, and the first of the hash of its members as JSON
VERSIONS = {
    "h264": (1, "4379d7ba"),
    "hevc": (1, "c041e21c"),
    "vp9": (1, "35b960e0"),
    "av1": (1, "301ff012"),
    "av1-fast": (1, "f8d3c108"),
    "hls": (1, "e6938acc"),
    "hls-av1": (1, "4b9954e2"),
    "dash": (1, "65bd21e7"),
    "toggle-h264-hevc": (1, "542aa860"),
    "thumbnails": (1, "5902daa2"),
    "storyboard": (1, "71768e85"),
    "gif": (1, "ffa420aa"),
    "audio-aac": (1, "fe32c808"),
    "audio-opus": (1, "9114e8fe"),
}


def test_presets_say_what_the_contract_says() -> None:
    said = {name: preset.members for name, preset in presets.BUILT_IN.items()}
    assert said["h264"] == {
        "container": "mp4", "videoCodec": "libx264", "encoderPreset": "medium", "crf": 23,
        "audioCodec": "aac", "audioBitrate": 128_000,
    }  # fmt: skip
    assert said["vp9"] == {
        "container": "webm", "videoCodec": "libvpx-vp9", "crf": 30, "audioCodec": "libopus", "audioBitrate": 128_000,
    }  # fmt: skip
    assert said["av1"] == {
        "container": "webm", "videoCodec": "libaom-av1", "encoderPreset": "4", "crf": 30,
        "audioCodec": "libopus", "audioBitrate": 128_000,
    }  # fmt: skip
    assert said["hevc"]["videoCodec"] == "libx265"
    assert said["av1-fast"]["videoCodec"] == "libsvtav1"
    assert said["audio-aac"]["videoCodec"] == said["audio-opus"]["videoCodec"] == "none"


@pytest.mark.parametrize("name", presets.BUILT_IN)
def test_every_preset_keeps_the_rules(name: str) -> None:
    assert rules.check(spec(name)) == []


def test_an_explicit_member_wins_over_the_preset() -> None:
    merged = spec("h264", crf=18, height=720, audioBitrate=192_000)
    assert (merged.crf, merged.height, merged.audio_bitrate) == (18, 720, 192_000)
    assert merged.encoder_preset == "medium"


def test_another_encoder_drops_what_the_preset_said_of_its_own() -> None:
    merged = spec("h264", videoCodec="libvpx-vp9")
    assert (merged.crf, merged.encoder_preset, merged.audio_codec) == (None, None, "aac")


def test_the_preset_s_own_family_is_no_other_encoder() -> None:
    assert spec("h264", videoCodec="h264").crf == 23


def test_a_single_file_drops_the_ladder_of_the_preset_and_a_package_keeps_it() -> None:
    assert spec("hls", container="mp4").renditions == ()
    assert len(spec("hls", container="cmaf").renditions) == 4
    assert rules.check(spec("hls", container="mp4")) == rules.check(spec("h264", container="hls")) == []


def test_a_bitrate_drops_the_quality_of_the_preset() -> None:
    merged = spec("h264", videoBitrate=2_000_000)
    assert (merged.crf, merged.video_bitrate) == (None, 2_000_000)


def test_a_copy_drops_all_that_the_preset_said_of_the_picture() -> None:
    assert rules.check(spec("h264", videoCodec="copy")) == []


def test_another_audio_codec_drops_the_bitrate_of_the_preset() -> None:
    assert spec("h264", audioCodec="flac").audio_bitrate is None


def test_a_clip_is_read_as_a_record() -> None:
    merged = spec("h264", clip={"start": 1, "end": 2.5})
    assert merged.clip is not None
    assert (merged.clip.start, merged.clip.end) == (1.0, 2.5)


OWN: dict[str, Json] = {"preset": "hls", "segmentSeconds": 4, "rotate": 90, "deinterlace": True, "audioBitrate": 96_000}


def test_a_preset_of_ones_own_is_laid_over_the_built_in_one_that_it_names() -> None:
    """And that over nothing of its own: a job's members are the last word."""
    members = presets.whole(OWN)
    assert members["audioBitrate"] == 96_000
    assert members["renditions"] == presets.BUILT_IN["hls"].members["renditions"]
    made = presets.merge(members, {"preset": "mine", "audioBitrate": 64_000, "videoCodec": "libx265"})
    assert (made.preset, made.container, made.audio_bitrate, made.segment_seconds) == ("mine", "hls", 64_000, 4)
    assert (made.video_codec, made.encoder_preset, len(made.renditions)) == ("libx265", None, 4)


def test_auto_takes_back_what_a_preset_said() -> None:
    made = presets.merge(presets.whole(OWN), {"preset": "mine", "rotate": "auto"})
    assert (made.rotate, made.deinterlace) == (None, True)


def test_a_single_file_drops_all_that_a_preset_said_of_a_package() -> None:
    made = presets.merge(
        presets.whole({**OWN, "playlistName": "a.m3u8", "encryption": "aes-128"}), {"container": "mp4"}
    )
    assert rules.check(made) == []


def test_whether_an_output_is_a_folder_is_told_by_a_preset_of_ones_own_too() -> None:
    known = {"mine": presets.Preset(name="mine", about="", members=presets.whole(OWN))}
    assert presets.makes_folder({"preset": "mine"}, known)
    assert not presets.makes_folder({"preset": "mine", "container": "mp4"}, known)
    assert not presets.makes_folder({"preset": "mine"})


def test_a_built_in_preset_that_changes_has_another_version() -> None:
    """Count the version up by hand where this fails, and put its members here."""
    told = {
        name: (preset.version, hashlib.sha256(json.dumps(preset.members).encode()).hexdigest()[:8])
        for name, preset in presets.BUILT_IN.items()
    }
    assert told == VERSIONS
