"""What is told of an output over time has a bound, whatever its length."""

from __future__ import annotations

from array import array
from fractions import Fraction
from pathlib import Path

import msgspec

from encoder.ffmpeg.prober.series import MOST_BINS, MOST_KEYS, Clock, bins, thinned
from encoder.model.evidence import Evidence, Series, StreamEvidence
from encoder.worker.evidence import _write
from encoder.worker.shots import Album


def test_bytes_count_in_the_second_in_which_they_are_shown() -> None:
    clock = Clock.over(1.0, 3.5)
    stamps, sizes = array("q", [900, 1000, 1999, 2000, 3400, 9000]), array("q", [1, 2, 4, 8, 16, 32])
    assert clock.bin_seconds == 1.0
    assert bins(stamps, sizes, Fraction(1, 1000), clock) == (7, 8, 48)


def test_a_long_file_has_wider_bins_and_fewer_keyframes() -> None:
    clock = Clock.over(0.0, 12 * 3600.0)
    assert clock.count <= MOST_BINS
    assert clock.bin_seconds * clock.count >= 12 * 3600
    keys = [float(key) for key in range(20_000)]
    assert len(thinned(keys)) <= MOST_KEYS
    assert thinned(keys)[:2] == (0.0, 8.0)
    assert thinned(keys[:10]) == tuple(keys[:10])


def test_what_is_told_of_many_renditions_is_halved_until_it_fits(tmp_path: Path) -> None:
    series = Series(kind="video", bytes=(123_456,) * MOST_BINS)
    stream = StreamEvidence(bin_seconds=1.0, series=(series,), keyframes=tuple(map(float, range(MOST_KEYS))))
    _write(tmp_path / "kept", Evidence(streams=(stream,) * 8), Album(pictures={b"one": 0, b"two": 1}))
    said = (tmp_path / "kept" / "evidence.json").read_bytes()
    assert 20_000 < len(said) <= 64_000
    found = msgspec.json.decode(said, type=Evidence).streams[0]
    assert sum(found.series[0].bytes) == 123_456 * MOST_BINS
    assert found.bin_seconds * len(found.series[0].bytes) == MOST_BINS
    assert (tmp_path / "kept" / "stills").read_bytes() == b"onetwo"
