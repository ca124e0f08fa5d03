"""What an output is made of: a preset, and what was said explicitly."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import presets, rules
from tests.lab.facts import spec


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
