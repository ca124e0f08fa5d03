"""Members that do not go together are told by name, before any source is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from encoder.ffmpeg import codecs, containers, rules
from tests.lab.facts import spec

SUBTITLES = ("/subtitles", "unsupported_combination")
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown container": ({"container": "exe"}, "/container", "invalid_value"),
    "h264 in webm": ({"container": "webm", "videoCodec": "h264"}, "/videoCodec", "unsupported_combination"),
    "vp9 in mov": ({"container": "mov", "videoCodec": "vp9"}, "/videoCodec", "unsupported_combination"),
    "a picture in wav": ({"container": "wav", "videoCodec": "h264"}, "/videoCodec", "unsupported_combination"),
    "a copied picture in mp3": ({"container": "mp3", "videoCodec": "copy"}, "/videoCodec", "unsupported_combination"),
    "an option in the codec": ({"container": "mp4", "videoCodec": "libx264 -f tee"}, "/videoCodec", "invalid_value"),
    "nothing at all": (
        {"container": "mp4", "videoCodec": "none", "audioCodec": "none"}, "/audioCodec", "unsupported_combination",
    ),
    "aac in webm": ({"container": "webm", "audioCodec": "aac"}, "/audioCodec", "unsupported_combination"),
    "an unknown audio codec": ({"container": "mp4", "audioCodec": "aac;id"}, "/audioCodec", "invalid_value"),
    "quality and bitrate": ({"container": "mp4", "crf": 20, "videoBitrate": 10**6}, "/crf", "unsupported_combination"),
    "quality beyond the scale": ({"container": "mp4", "crf": 52}, "/crf", "out_of_range"),
    "lossless x264": ({"container": "mp4", "crf": 0}, "/crf", "out_of_range"),
    "half a step of vp9": ({"container": "webm", "crf": 30.5}, "/crf", "invalid_value"),
    "a peak below the average": (
        {"container": "mp4", "videoBitrate": 2_000_000, "maxBitrate": 10**6}, "/maxBitrate", "unsupported_combination",
    ),
    "options in the speed": (
        {"container": "mp4", "encoderPreset": "ultrafast:dump-yuv=/x"}, "/encoderPreset", "unsupported_combination",
    ),
    "a speed of another encoder": (
        {"container": "webm", "encoderPreset": "medium"}, "/encoderPreset", "unsupported_combination",
    ),
    "a tune of another encoder": (
        {"container": "webm", "tune": "film"}, "/tune", "unsupported_combination",
    ),
    "ten bits of h264": (
        {"container": "mp4", "pixelFormat": "yuv420p10le"}, "/pixelFormat", "unsupported_combination",
    ),
    "ten bits in an eight-bit profile": (
        {"container": "mp4", "videoCodec": "hevc", "profile": "main", "pixelFormat": "yuv420p10le"},
        "/profile", "unsupported_combination",
    ),
    "eight bits in a ten-bit profile": (
        {"container": "mp4", "videoCodec": "hevc", "profile": "main10", "pixelFormat": "yuv420p"},
        "/profile", "unsupported_combination",
    ),
    "a level of vp9": ({"container": "webm", "level": "4.1"}, "/level", "unsupported_combination"),
    "a size for a copy": (
        {"container": "mp4", "videoCodec": "copy", "width": 640}, "/width", "unsupported_combination",
    ),
    "a rate for no picture": ({"container": "mp3", "fps": 25}, "/fps", "unsupported_combination"),
    "cover without a box": ({"container": "mp4", "fit": "cover", "width": 640}, "/fit", "unsupported_combination"),
    "an unknown fit": ({"container": "mp4", "fit": "crop"}, "/fit", "invalid_value"),
    "too wide": ({"container": "mp4", "width": 8194}, "/width", "out_of_range"),
    "too many pixels": ({"container": "mp4", "width": 8192, "height": 8192}, "/width", "out_of_range"),
    "too many pixels a second": (
        {"container": "mp4", "width": 8192, "height": 4320, "fps": 120}, "/fps", "job_too_large",
    ),
    "a million frames a second": ({"container": "mp4", "fps": 10**6}, "/fps", "out_of_range"),
    "a crooked turn": ({"container": "mp4", "rotate": 45}, "/rotate", "invalid_value"),
    "keyframes an hour apart": ({"container": "mp4", "keyframeInterval": 3600}, "/keyframeInterval", "out_of_range"),
    "three channels": ({"container": "mp4", "audioChannels": 3}, "/audioChannels", "invalid_value"),
    "surround in mp3": ({"container": "mp3", "audioChannels": 6}, "/audioChannels", "unsupported_combination"),
    "opus at 44.1 kHz": (
        {"container": "webm", "audioSampleRate": 44100}, "/audioSampleRate", "unsupported_combination",
    ),
    "a bitrate for flac": ({"container": "flac", "audioBitrate": 128000}, "/audioBitrate", "unsupported_combination"),
    "a bitrate for copied sound": (
        {"container": "mp4", "audioCodec": "copy", "audioBitrate": 128000}, "/audioBitrate", "unsupported_combination",
    ),
    "a bitrate beyond mp3": ({"container": "mp3", "audioBitrate": 400_000}, "/audioBitrate", "out_of_range"),
    "subtitles in a container of sound": ({"container": "mp3", "subtitles": {"mode": "copy"}}, *SUBTITLES),
    "subtitles in a stream of bytes": ({"container": "mpegts", "subtitles": {"mode": "copy"}}, *SUBTITLES),
    "subtitles burnt into a copy": (
        {"container": "mp4", "videoCodec": "copy", "subtitles": {"mode": "burn-in"}}, *SUBTITLES,
    ),
    "subtitles extracted beside a picture": ({"container": "mp4", "subtitles": {"mode": "extract"}}, *SUBTITLES),
    "subtitles copied into a file of subtitles": ({"container": "vtt", "subtitles": {"mode": "copy"}}, *SUBTITLES),
    "all tracks burnt in": (
        {"container": "mp4", "subtitles": {"mode": "burn-in", "tracks": "all"}},
        "/subtitles/tracks", "unsupported_combination",
    ),
    "two files burnt in": (
        {"container": "mp4", "subtitles": {"mode": "burn-in", "files": [{"source": {}}, {"source": {}}]}},
        "/subtitles/files", "unsupported_combination",
    ),
    "a track and a file extracted": (
        {"container": "vtt", "subtitles": {"mode": "extract", "tracks": ["eng"], "files": [{"source": {}}]}},
        "/subtitles/tracks", "unsupported_combination",
    ),
    "a codec of text": ({"container": "vtt", "videoCodec": "h264"}, "/videoCodec", "unsupported_combination"),
    "a loudness of text": ({"container": "vtt", "loudness": -23}, "/loudness", "unsupported_combination"),
    "subtitles of an image": (
        {"container": "jpg", "subtitles": {"mode": "burn-in"}}, *SUBTITLES,
    ),
    "a clip that ends first": ({"container": "mp4", "clip": {"start": 5, "end": 4}}, "/clip", "invalid_range"),
    "a clip before the source": ({"container": "mp4", "clip": {"start": -1}}, "/clip/start", "invalid_range"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "path", "code"), WRONG.values(), ids=WRONG)
def test_a_wrong_output_is_told_where_it_is_wrong(members: dict[str, Any], path: str, code: str) -> None:
    """F1, F2"""
    assert (path, code) in {(fault.path, fault.code) for fault in rules.check(spec(None, **members))}


@pytest.mark.parametrize("container", containers.CONTAINERS)
def test_every_container_has_defaults_that_fit_it(container: str) -> None:
    output = spec(None, container=container)
    assert rules.check(output) == []
    kind = containers.CONTAINERS[container]
    silent = kind.images or kind.captions
    assert (codecs.audio_encoder(rules.audio_codec(output)) is None) is silent


def test_every_family_of_a_container_has_an_encoder_or_is_for_copies() -> None:
    copied_only = {"vp8", "mpeg4", "mpeg2video", "ac3", "eac3", "alac", "mp2"}
    images = {encoder.codec for encoder in codecs.IMAGE_ENCODERS.values()}
    for container in containers.CONTAINERS.values():
        for family in container.video:
            assert family in images if container.images else codecs.video_encoders(family) or family in copied_only
        for family in container.audio:
            assert codecs.audio_encoder(family) or family in copied_only


def test_several_faults_are_told_at_once() -> None:
    faults = rules.check(spec(None, container="mp4", crf=99, fps=0.1, audioChannels=5))
    assert {fault.path for fault in faults} == {"/crf", "/fps", "/audioChannels"}
