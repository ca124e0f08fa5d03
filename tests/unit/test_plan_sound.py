"""The rules of docs/why/encoding.md for sound, one test each, named by the rule."""

from __future__ import annotations

import pytest

from encoder.ffmpeg.channels import NAMES
from tests.lab.facts import (
    audio,
    planned,
    refused,
    sound,
    source,
    spec,
    warned,
)


def test_the_default_sound_is_taken_and_what_cannot_be_decoded_is_passed_over() -> None:
    tracks = (audio(index=1, default=False), audio(index=2), audio(index=3, decodable=False))
    assert sound(planned(source(audio=tracks), spec())).source_index == 2
    iphone = (audio(index=1, decodable=False), audio(index=2, default=False))
    assert sound(planned(source(audio=iphone), spec())).source_index == 2


def test_a_silent_source_makes_a_silent_video_with_a_warning() -> None:
    plan = planned(source(silent=True), spec())
    assert (plan.audio, warned(plan)) == (None, {"no_audio"})


def test_sound_of_a_silent_source_is_refused() -> None:
    """D9"""
    assert refused(source(silent=True), spec("audio-aac")).code == "no_audio_stream"


def test_mono_stays_mono_at_48_khz() -> None:
    made = sound(planned(source(sound=audio(channels=1, layout="mono", sample_rate_hz=22050)), spec()))
    assert (made.channels, made.layout, made.sample_rate_hz) == (1, "mono", 48000)


def test_surround_becomes_stereo_by_a_pan_in_float() -> None:
    made = sound(planned(source(sound=audio(channels=6, layout="5.1(side)")), spec()))
    assert made.channels == 2
    assert made.filters == (
        "aformat=sample_fmts=fltp",
        "pan=stereo|FL=FL+0.707*FC+0.707*SL|FR=FR+0.707*FC+0.707*SR",
        "aresample=48000:async=1",
    )


def test_surround_is_kept_on_request_and_its_sides_renamed_for_opus() -> None:
    made = sound(planned(source(sound=audio(channels=6, layout="5.1(side)")), spec("vp9", audioChannels=6)))
    assert (made.channels, made.layout) == (6, "5.1")
    assert "pan=5.1|FL=FL|FR=FR|FC=FC|LFE=LFE|BL=SL|BR=SR" in made.filters


@pytest.mark.parametrize(
    ("preset", "channels", "bitrate"),
    [
        ("audio-aac", 1, 128_000), ("audio-aac", 2, 128_000), ("audio-aac", 6, 384_000), ("audio-aac", 8, 512_000),
        ("h264", 6, 384_000), ("hls", 6, 384_000), ("audio-opus", 2, 128_000), ("audio-opus", 6, 256_000),
        ("vp9", 8, 450_000),
    ],
)  # fmt: skip
def test_the_bitrate_follows_the_channels_and_an_explicit_one_is_obeyed(
    preset: str, channels: int, bitrate: int
) -> None:
    around = source(sound=audio(channels=channels, layout=NAMES[channels]))
    assert sound(planned(around, spec(preset, audioChannels=channels))).bitrate_bps == bitrate
    assert sound(planned(around, spec(preset, audioChannels=channels, audioBitrate=96_000))).bitrate_bps == 96_000


def test_channels_are_not_invented() -> None:
    plan = planned(source(), spec(audioChannels=6))
    assert (sound(plan).channels, warned(plan)) == (2, {"channels_kept"})


def test_a_bitrate_that_so_many_channels_do_not_take_is_lowered_with_a_reason() -> None:
    mono = source(sound=audio(channels=1, layout="mono"))
    plan = planned(mono, spec("vp9", audioBitrate=500_000))
    assert sound(plan).bitrate_bps == 256_000
    assert "audio_bitrate" in {note.code for note in plan.reasons}


@pytest.mark.parametrize(
    ("language", "kept"), [("ger", "ger"), ("und", None), (None, None), ("-map", None), ("a\nb", None), ("GER", None)]
)
def test_a_language_is_three_letters_or_nothing(language: str | None, kept: str | None) -> None:
    assert sound(planned(source(sound=audio(language=language)), spec())).language == kept


def test_an_unnamed_layout_is_the_usual_one() -> None:
    assert "pan=mono|FC=0.5*FL+0.5*FR" in sound(
        planned(source(sound=audio(layout="2 channels")), spec(audioChannels=1))
    ).filters  # fmt: skip


@pytest.mark.parametrize(
    ("has", "wanted", "made"), [(1, 2, 2), (1, 6, 1), (4, 6, 2), (5, 6, 6), (5, 8, 6), (6, 8, 6), (7, 8, 8), (12, 8, 8)]
)
def test_no_channel_is_invented_but_a_silent_low_one(has: int, wanted: int, made: int) -> None:
    plan = planned(source(sound=audio(channels=has, layout=f"{has} channels")), spec(audioChannels=wanted))
    assert (sound(plan).channels, "channels_kept" in warned(plan)) == (made, made != wanted)
