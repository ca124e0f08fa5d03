"""Whether the pictures of a job are made in chunks: by their length, what they cost, and the slots that are free."""

from __future__ import annotations

from fractions import Fraction

import pytest

from encoder.ffmpeg.plan import decide
from encoder.model.chunk import Chunk, Split
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import OutputPlan, Plan
from encoder.worker.choice import choose
from tests.lab.facts import ABLE, audio, source, spec, video


def film(seconds: float, *outputs: OutputSpec) -> tuple[Plan, Media, dict[int, OutputSpec]]:
    media = source(
        picture=video(duration_seconds=seconds, frames=round(25 * seconds)),
        sound=audio(duration_seconds=seconds),
        duration_seconds=seconds,
    )
    specs = dict(enumerate(outputs or (spec(),)))
    return decide(media, specs, ABLE), media, specs


def chosen(
    seconds: float, *outputs: OutputSpec, free: int = 0, chunk: float = 300, before: tuple[Chunk, ...] = ()
) -> tuple[Plan, Split | None]:
    plan, media, specs = film(seconds, *outputs)
    return choose(plan, media, specs=specs, free_slots=free, chunk_seconds=chunk, identity="x", before=before)


def told(output: OutputPlan, code: str) -> str:
    (note,) = [note for note in output.reasons if note.code == code]
    return note.message


def lengths(split: Split | None) -> list[float]:
    """Seconds of all chunks but the last."""
    assert split is not None
    return [
        float(Fraction(chunk.end_seconds) - Fraction(chunk.start_seconds))
        for chunk in split.chunks
        if chunk.end_seconds is not None
    ]


def test_a_long_film_is_made_in_chunks_also_where_no_other_slot_is_free() -> None:
    plan, split = chosen(3600)
    assert lengths(split) == pytest.approx([300] * 11, abs=3)
    assert told(plan.outputs[0], "chunked") == (
        "Its picture is made in 12 chunks: 3,600 s are more than twice the 300 s of a chunk."
    )


def test_a_short_one_is_made_at_once_and_the_numbers_say_why() -> None:
    plan, split = chosen(599, free=9)
    assert split is not None  # 599 s of 1080p take long, and slots are free
    plan, split = chosen(20, free=9)
    assert split is None
    assert told(plan.outputs[0], "not_chunked").startswith(
        "It is made in one piece: 20 s are not more than twice the 300 s of a chunk, and "
    )
    assert told(plan.outputs[0], "not_chunked").endswith(" CPU s are soon done.")
    assert plan.outputs[0].warnings == ()


def test_what_takes_long_is_shared_out_among_free_slots_in_shorter_chunks() -> None:
    assert chosen(500)[1] is None
    plan, split = chosen(500, free=4)
    assert set(lengths(split)) == {48.0}  # two for each of five slots, in whole GOPs
    assert told(plan.outputs[0], "chunked").endswith(" CPU s, and 4 more slots are free.")
    assert lengths(chosen(500, free=400)[1])[0] >= 10


def test_no_chunk_is_so_cheap_that_its_overhead_counts() -> None:
    """Seen to fail where the least length alone bounds them."""
    small = spec("h264", height=90, encoderPreset="ultrafast")
    plan, split = chosen(3600, small, free=100)
    assert split is None or min(lengths(split)) > 250
    plan, split = chosen(3600, small, chunk=5)
    assert split is None
    assert " and cost 2 more" in told(plan.outputs[0], "not_chunked")


def test_what_is_asked_for_is_done_however_short_it_is() -> None:
    plan, split = chosen(10, spec(chunked=True), chunk=2)
    assert lengths(split) == pytest.approx([2] * 4)
    assert told(plan.outputs[0], "chunked") == "Its picture is made in 5 chunks: it is asked for."
    assert chosen(10, spec(chunked=False), chunk=2) == (film(10, spec(chunked=False))[0], None)
    assert chosen(7200, spec(chunked=False))[1] is None


def test_what_is_asked_for_and_cannot_be_is_warned_of() -> None:
    plan, split = chosen(1, spec(chunked=True))
    assert split is None
    assert [note.code for note in plan.outputs[0].warnings][-1] == "not_chunked"
    tele = chosen(7200, spec("gif", chunked=True, clip={"start": 0, "end": 3}))
    assert tele[1] is None
    assert "not_chunked" in {note.code for note in tele[0].outputs[0].warnings}


def test_what_has_no_film_says_nothing_of_chunks() -> None:
    plan, split = chosen(7200, spec("thumbnails"), spec("audio-aac"), spec(None, container="mp4", videoCodec="copy"))
    assert split is None
    assert {note.code for output in plan.outputs for note in output.reasons} & {"chunked", "not_chunked"} == set()


def test_what_shares_its_decode_with_a_forced_one_goes_along_and_what_wants_not_does_not() -> None:
    plan, split = chosen(60, spec(chunked=True), spec(height=360), spec(height=240, chunked=False), chunk=40)
    assert split is not None
    assert {number for chunk in split.chunks for number in chunk.outputs} == {0, 1}
    assert told(plan.outputs[1], "chunked").endswith(": so is what shares its decode.")
    assert plan.outputs[2] == film(60, *[spec()] * 2, spec(height=240, chunked=False))[0].outputs[2]


def test_chunks_that_an_earlier_run_made_are_made_alike_though_other_slots_are_free() -> None:
    first = chosen(500, free=4)[1]
    assert first is not None
    assert chosen(500, free=9)[1] != first
    again = chosen(500, free=9, before=first.chunks)[1]
    assert again == first


def test_the_key_of_chunks_does_not_change_with_what_is_told_of_them() -> None:
    """What a run told in its plan must not keep the next one from finding its chunks."""
    plan, media, specs = film(3600)
    once, split = choose(plan, media, specs=specs, free_slots=0, chunk_seconds=300, identity="x")
    _, again = choose(
        once, media, specs=specs, free_slots=7, chunk_seconds=300, identity="x", before=split.chunks if split else ()
    )
    assert split is not None
    assert again is not None
    assert again.key == split.key
