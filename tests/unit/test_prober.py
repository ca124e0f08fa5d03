"""The pure parts of the prober: rates, NAL units, boxes, turns, combs."""

from __future__ import annotations

import math
import os
import random
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoder.ffmpeg.prober import transport
from encoder.ffmpeg.prober.combing import Combs, pulled_down
from encoder.ffmpeg.prober.describe import sane_aspect
from encoder.ffmpeg.prober.layout import Layout, layout
from encoder.ffmpeg.prober.look import turn
from encoder.ffmpeg.prober.nal import Idr, length_size
from encoder.ffmpeg.prober.timing import Cadence, cadence

MS = Fraction(1, 1000)


@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60"])
@pytest.mark.parametrize("time_base", [MS, Fraction(1, 90000), Fraction(1, 600)])
def test_the_rate_is_found_through_any_time_base(rate: str, time_base: Fraction) -> None:
    stamps = [round(number / Fraction(rate) / time_base) for number in range(300)]
    random.Random(1).shuffle(stamps)  # noqa: S311  # any fixed seed
    found = cadence(stamps, time_base)
    assert (found.rate, found.variable) == (Fraction(rate), False)


def test_a_rate_of_no_family_is_kept() -> None:
    assert cadence(range(0, 1000, 80), MS).rate == Fraction(25, 2)


def test_some_dropped_frames_make_no_variable_rate_many_do() -> None:
    every = set(range(0, 10_000, 40))
    assert cadence(every - {400, 4000, 8000}, MS) == Cadence(
        rate=Fraction(25), step_seconds=Fraction(1, 25), variable=False
    )
    assert cadence(every - set(range(0, 10_000, 400)), MS).variable


def test_an_uneven_stream_has_the_rate_of_its_ordinary_interval() -> None:
    steps = [33, 34, 33, 500, 33, 34, 1200, 33, 34, 5]
    found = cadence(accumulate(steps, initial=0), MS)
    assert (found.rate, found.variable) == (Fraction(30000, 1001), True)


@pytest.mark.parametrize("time_base", [MS, Fraction(1, 90000)])
@pytest.mark.parametrize(
    ("video", "every", "film"), [("30000/1001", 2, "24000/1001"), ("30", 2, "24"), ("25", 12, "24")]
)
def test_frames_of_two_and_three_fields_are_a_film_while_they_keep_pace_with_it(
    video: str, every: int, film: str, time_base: Fraction
) -> None:
    def found(repeats: Callable[[int], bool]) -> Cadence:
        fields = accumulate((2 + repeats(frame) for frame in range(300)), initial=0)
        return cadence([round(count / (2 * Fraction(video)) / time_base) for count in fields], time_base)

    whole = found(lambda frame: frame % every == 0)
    assert (whole.rate, whole.variable, whole.pulled_down) == (Fraction(film), False, True)
    mixed = found(lambda frame: frame > 50 and frame % every < every - 1)
    assert (mixed.rate, mixed.variable, mixed.pulled_down) == (Fraction(video), True, False)


@given(st.lists(st.binary(min_size=188, max_size=188), min_size=3, max_size=6), st.sampled_from([0, 0x1FF]))
def test_tables_of_a_transport_stream_may_say_anything(packets: list[bytes], pid: int) -> None:
    begun = (0x4000 | pid).to_bytes(2)
    head = b"".join(b"\x47" + begun + b"\x10\x00" + packet[5:] for packet in packets)
    table = b"\x47\x40\x00\x10\x00" + bytes([0, 0xB0, 13, 0, 1, 0xC1, 0, 0, 0, 1, 0xE1, 0xFF]).ljust(183, b"\xff")
    assert transport.dolby_vision(table + head) in (None, *range(128))


def test_one_frame_has_no_rate() -> None:
    assert cadence([5], MS) == cadence([], MS) == cadence([7, 7], MS) == Cadence()


AVCC = bytes([1, 100, 0, 31, 0xFF, 0xE1, 0, 4])
HVCC = bytes([1, *[0] * 20, 0xFC | 3, 0])


def _sized(*units: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def _coded(*units: bytes) -> bytes:
    return b"".join(b"\x00\x00\x01" + unit for unit in units)


def test_the_length_of_lengths_is_read_from_the_configuration() -> None:
    assert length_size("h264", AVCC) == length_size("hevc", HVCC) == 4
    assert length_size("h264", b"\x00\x00\x00\x01\x67") == length_size("hevc", b"") == 0


@pytest.mark.parametrize(("join", "size"), [(_sized, 4), (_coded, 0)])
def test_an_idr_is_told_by_its_first_slice(join: object, size: int) -> None:
    assert callable(join)
    sps, sei, idr, plain = b"\x67\x01\x02", b"\x06\x05", b"\x65\x88", b"\x41\x9a"
    h264 = Idr("h264", size)
    assert h264.begins(join(sps, sei, idr, plain))
    assert not h264.begins(join(sps, sei, plain, idr))
    assert not h264.begins(join(sps, sei))


@pytest.mark.parametrize(("kind", "is_idr"), [(19, True), (20, True), (21, False), (1, False), (16, False)])
def test_a_cra_picture_of_hevc_is_no_idr(kind: int, is_idr: bool) -> None:  # a column of the table
    parameters, picture = bytes([33 << 1, 1]), bytes([kind << 1, 1, 0xAF])
    assert Idr("hevc", 0).begins(_coded(parameters, picture)) is is_idr


def test_lengths_that_point_nowhere_end_the_search() -> None:
    assert not Idr("h264", 4).begins(b"\xff\xff\xff\xff\x41" + b"\x00" * 20)
    assert not Idr("h264", 4).begins(b"")


def _box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


@contextmanager
def _written(path: Path, data: bytes) -> Iterator[int]:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _layout(tmp_path: Path, data: bytes, form: str = "mov,mp4,m4a,3gp,3g2,mj2") -> Layout:
    with _written(tmp_path / "boxes", data) as descriptor:
        return layout(descriptor, form)


FTYP, MOOV, MDAT = _box(b"ftyp", b"isom"), _box(b"moov", b"x" * 50), _box(b"mdat", b"y" * 100)


def test_the_order_of_index_and_media_is_told(tmp_path: Path) -> None:
    assert _layout(tmp_path, FTYP + MOOV + MDAT) == Layout(faststart=True)
    assert _layout(tmp_path, FTYP + MDAT + MOOV) == Layout(faststart=False)
    assert _layout(tmp_path, FTYP).faststart is None


def test_bytes_after_the_last_box_are_counted(tmp_path: Path) -> None:
    assert _layout(tmp_path, FTYP + MOOV + MDAT + b"\x00" * 37).trailing_bytes == 37


def test_a_box_longer_than_the_file_shows_that_it_is_cut(tmp_path: Path) -> None:
    assert _layout(tmp_path, (FTYP + MOOV + MDAT)[:-1]).cut_short
    assert not _layout(tmp_path, FTYP + MOOV + MDAT).cut_short


def test_long_and_endless_boxes_are_followed(tmp_path: Path) -> None:
    long = struct.pack(">I4sQ", 1, b"mdat", 16 + 100) + b"y" * 100
    endless = struct.pack(">I4s", 0, b"mdat") + b"y" * 100
    assert _layout(tmp_path, FTYP + long + MOOV) == Layout(faststart=False)
    assert _layout(tmp_path, FTYP + MOOV + endless) == Layout(faststart=True)


def test_the_profile_of_dolby_vision_is_found(tmp_path: Path) -> None:
    moov = _box(b"moov", b"x" * 40 + _box(b"dvcC", bytes([1, 0, 5 << 1, 0])))
    assert _layout(tmp_path, FTYP + moov + MDAT).dolby_vision_profile == 5


def test_the_size_that_a_riff_file_says_it_has_is_read_chunk_by_chunk(tmp_path: Path) -> None:
    riff = b"RIFF" + (20).to_bytes(4, "little") + bytes(20)
    assert _layout(tmp_path, riff, "avi").declared_bytes == 28
    assert _layout(tmp_path, riff + riff[:-9], "avi").declared_bytes == 56
    assert _layout(tmp_path, riff + b"more", "wav").declared_bytes == 28
    for unknown in (0, 2**31 - 1, 2**32 - 1):
        assert _layout(tmp_path, b"RIFF" + unknown.to_bytes(4, "little") + bytes(20), "avi").declared_bytes is None


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x04junk", b"\xff" * 64, b"<html><body>"])
def test_what_is_no_box_ends_the_reading(tmp_path: Path, data: bytes) -> None:
    assert _layout(tmp_path, data).faststart is None


def _matrix(degrees: float, *, mirrored: bool = False) -> bytes:
    """As libavutil's av_display_rotation_set and av_display_matrix_flip write it, clockwise."""
    sine, cosine = (
        round(value * 65536) for value in (math.sin(math.radians(degrees)), math.cos(math.radians(degrees)))
    )
    flip = -1 if mirrored else 1
    return struct.pack("=9i", flip * cosine, sine, 0, flip * -sine, cosine, 0, 0, 0, 1 << 30)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_display_matrix_is_a_clockwise_quarter_turn(degrees: int) -> None:
    assert turn(_matrix(degrees)) == (degrees, False)


def test_mirroring_shows_in_the_determinant() -> None:
    assert turn(_matrix(0, mirrored=True))[1]
    assert turn(_matrix(90, mirrored=True))[1]


def test_an_empty_matrix_turns_nothing() -> None:
    assert turn(bytes(36)) == (0, False)


@pytest.mark.parametrize(
    ("ratio", "read"),
    [
        (None, "1/1"),
        (Fraction(0), "1/1"),
        (Fraction(64, 45), "64/45"),
        (Fraction(5120, 5123), "1/1"),
        (Fraction(1, 90), "1/1"),
    ],
)
def test_absent_and_absurd_pixel_shapes_are_square(ratio: Fraction | None, read: str) -> None:
    assert sane_aspect(ratio) == read


def test_combs_one_way_are_interlace_whatever_the_flag_says() -> None:
    combs = Combs(top_first=30, progressive=1)
    assert combs.interlaced(flagged=False)
    assert combs.interlaced(flagged=True)
    assert combs.order == "tt"


def test_whole_frames_are_progressive_whatever_the_flag_says() -> None:
    assert not Combs(progressive=20, top_first=1).interlaced(flagged=True)


def test_moving_lines_that_look_combed_now_and_then_are_no_interlace() -> None:
    assert not Combs(top_first=46, bottom_first=4, progressive=11).interlaced(flagged=False)


def test_combs_both_ways_are_noise() -> None:
    assert not Combs(top_first=5, bottom_first=5).interlaced(flagged=False)


def test_frames_that_do_not_tell_leave_it_to_the_flag() -> None:
    assert Combs(top_first=2).interlaced(flagged=True)
    assert not Combs(top_first=2).interlaced(flagged=False)


def test_fields_that_repeat_in_step_are_a_film_on_video() -> None:
    """Telecine, 2:3: of five frames one repeats a top field and one a bottom field, whichever comes first."""
    assert pulled_down(["neither", "top", "neither", "bottom", "neither"] * 4) == 8
    assert pulled_down(["bottom", "neither", "top", "neither", "neither"] * 4) == 8
    assert pulled_down(["neither"] * 24) == 0


def test_fields_that_repeat_out_of_step_are_a_still_scene() -> None:
    """Telecine is not told by the share of repeated fields alone."""
    assert pulled_down(["top", "bottom", "neither", "neither"] * 6) == 0
    assert pulled_down(["top", "bottom"] * 12) == 0
