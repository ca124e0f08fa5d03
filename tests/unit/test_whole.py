"""What a truncated source has too little for is known before any work, and what it has enough for is made."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import whole
from encoder.ffmpeg.plan import decide
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Plan
from tests.lab.facts import ABLE, MKV, audio, source, spec, video

JPG = "jpg"

NEEDING = {
    "all": spec(),
    "sound": spec("audio-aac"),
    "a copy": spec(None, container="mp4", videoCodec="copy", audioCodec="copy"),
    "a package": spec("hls"),
    "the end": spec(clip={"start": 3}),
    "a clip beyond": spec(clip={"start": 3, "end": 8}),
    "pictures": spec("thumbnails", thumbnails={"every": 1}),
    "a moment": spec(None, container=JPG, clip={"start": 7}),
    "moments": spec(None, container=JPG, thumbnails={"at": [1, 7]}),
    "a moment after the end": spec(None, container=JPG, thumbnails={"at": [1, 60]}),
    "a preview": spec("gif", clip={"start": 5, "end": 9}),
}
HAVING = {
    "a clip": spec(clip={"start": 1, "end": 5}),
    "sound of a clip": spec("audio-aac", clip={"start": 1, "end": 5}),
    "a moment": spec(None, container=JPG, clip={"start": 5}),
    "moments": spec(None, container=JPG, thumbnails={"at": [1, 5.9]}),
    "pictures of a clip": spec("thumbnails", thumbnails={"every": 1}, clip={"end": 5}),
    "a preview": spec("gif", clip={"start": 1, "end": 3}),
}

MEDIA = {
    # of ten seconds the file has six: the index of an MP4 tells which
    "mp4": source(picture=video(lost_seconds=4.0), sound=audio(lost_seconds=4.0), cut_short=True),
    # what can be counted of a Matroska ends early
    "mkv": source(
        picture=video(duration_seconds=6.0, frames=150), sound=audio(duration_seconds=6.0), format=MKV,
    ),
}  # fmt: skip


def kept(media: Media, output: OutputSpec) -> Plan:
    return whole.kept(decide(media, {7: output, 8: spec(clip={"end": 1})}, ABLE), media)


@pytest.mark.parametrize("output", NEEDING.values(), ids=NEEDING)
@pytest.mark.parametrize("media", MEDIA.values(), ids=MEDIA)
def test_what_needs_the_lost_part_is_refused_alone(media: Media, output: OutputSpec) -> None:
    plan = kept(media, output)
    assert [(refusal.output, refusal.code) for refusal in plan.refused] == [(7, "source_truncated")]
    assert plan.refused[0].message == "The source says 10.00 s and ends at 6.00 s."
    assert [each.output for each in plan.outputs] == [8]
    assert [one.outputs for one in plan.passes] == [(8,)]


@pytest.mark.parametrize("output", HAVING.values(), ids=HAVING)
@pytest.mark.parametrize("media", MEDIA.values(), ids=MEDIA)
def test_what_is_there_is_made(media: Media, output: OutputSpec) -> None:
    assert not kept(media, output).refused


@pytest.mark.parametrize("output", [*NEEDING.values(), *HAVING.values()], ids=[*NEEDING, *HAVING])
def test_of_a_whole_source_nothing_is_refused(output: OutputSpec) -> None:
    assert not kept(source(), output).refused
    assert not kept(source(cut_short=True), output).refused  # a box behind the media may be cut, and nothing lost


def test_a_source_as_short_as_the_proof_lets_pass_is_not_refused() -> None:
    nearly = source(picture=video(lost_seconds=0.08), sound=audio(lost_seconds=0.9), cut_short=True)
    assert not kept(nearly, spec()).refused


def test_what_only_the_picture_lost_keeps_no_sound_from_being_made() -> None:
    media = source(picture=video(lost_seconds=4.0), cut_short=True)
    assert not kept(media, spec("audio-aac")).refused
    assert kept(media, spec()).refused


def test_bytes_that_a_header_promises_and_the_file_has_not_are_told() -> None:
    short = source(format="avi", declared_bytes=20_000_000)
    assert kept(short, spec()).refused[0].message == "The source says it has 20000000 bytes, and has 10000000."
