"""Estimates: rough, but on the right side of each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from encoder.ffmpeg.estimate import estimate, need
from encoder.ffmpeg.plan import decide
from encoder.model.job import OutputSpec
from encoder.model.media import Media
from encoder.model.plan import Need
from tests.lab.facts import ABLE, hdr, planned, source, spec, video


def cost(output: OutputSpec, media: Media | None = None) -> tuple[int, float]:
    media = media or source()
    said = estimate(planned(media, output), media)
    assert said.size_bytes is not None
    assert said.cpu_seconds is not None
    assert said.scratch_bytes == media.size_bytes + said.size_bytes
    return said.size_bytes, said.cpu_seconds


def need_of(*outputs: OutputSpec, threads: int = 2, media: Media | None = None) -> Need:
    media = media or source()
    return need(decide(media, dict(enumerate(outputs)), ABLE), media, threads=threads)


def test_a_bitrate_tells_the_size() -> None:
    assert cost(spec(videoBitrate=2_000_000))[0] == (2_000_000 + 128_000) * 10 // 8


def test_smaller_pictures_and_lower_quality_cost_less() -> None:
    full, half, coarse = cost(spec()), cost(spec(height=540)), cost(spec(crf=29))
    assert half[0] < full[0]
    assert half[1] < full[1]
    assert coarse[0] < full[0]


def test_a_peak_bounds_the_size() -> None:
    assert cost(spec(maxBitrate=100_000))[0] <= (100_000 + 128_000) * 10 // 8


def test_a_slower_preset_takes_longer() -> None:
    assert cost(spec(encoderPreset="ultrafast"))[1] < cost(spec())[1] < cost(spec(encoderPreset="veryslow"))[1]
    assert cost(spec("av1", encoderPreset="8"))[1] < cost(spec("av1"))[1]
    able = replace(ABLE, encoders=ABLE.encoders | {"h264_nvenc"})
    quick, slow = (
        estimate(
            planned(source(), spec(None, container="mp4", videoCodec="h264_nvenc", encoderPreset=step), able), source()
        )
        for step in ("p1", "p7")
    )
    assert (quick.cpu_seconds or 0) < (slow.cpu_seconds or 0)


def test_a_copy_costs_nothing_and_keeps_its_bits() -> None:
    media = source(picture=video(bitrate_bps=1_000_000))
    size, cpu = cost(spec(videoCodec="copy", audioCodec="none"), media)
    assert (size, cpu) == (1_250_000, 0.1)


def test_a_lossless_sound_is_counted_by_its_samples() -> None:
    assert cost(spec(None, container="wav"))[0] == 48000 * 2 * 2 * 10


def test_an_attempt_needs_its_source_and_the_largest_of_its_passes() -> None:
    one, small = spec(videoBitrate=4_000_000), spec(videoBitrate=1_000_000, height=360)
    media = source()
    alone = need_of(one)
    assert alone.scratch_bytes == pytest.approx(media.size_bytes + 1.1 * cost(one)[0], abs=2)
    assert need_of(one, small).scratch_bytes > alone.scratch_bytes  # of one decode
    apart = spec(videoBitrate=1_000_000, height=360, clip={"start": 1, "end": 3})
    assert need_of(one, apart) == alone  # a pass of its own, and the first has cleared its files by then


def test_more_pixels_threads_and_outputs_hold_more_memory() -> None:
    full = need_of(spec()).memory_bytes
    assert need_of(spec(height=540)).memory_bytes < full
    assert need_of(spec(), threads=16).memory_bytes > full
    assert need_of(spec(), spec(height=540)).memory_bytes > full
    assert need_of(spec(videoCodec="copy", audioCodec="none")).memory_bytes < need_of(spec(height=90)).memory_bytes


def test_trials_measures_and_ten_bits_hold_more_memory() -> None:
    full = need_of(spec()).memory_bytes
    tried = need_of(spec(targetQuality=93)).memory_bytes
    assert tried > 2 * full  # three at a time
    hevc = spec("hevc", toneMap=False)
    ten = need_of(hevc, media=source(picture=hdr())).memory_bytes
    assert ten > 1.3 * need_of(hevc).memory_bytes
    assert need_of(spec(encoderPreset="veryslow")).memory_bytes > 1.5 * full
    copied = spec("h264", videoCodec="copy", audioCodec="none")
    assert need_of(copied).memory_bytes < need_of(spec(height=90)).memory_bytes


def test_an_output_of_unknown_length_is_taken_to_be_as_large_as_its_source() -> None:
    endless = source(picture=video(duration_seconds=None), silent=True, duration_seconds=None)
    assert need_of(spec(), media=endless).scratch_bytes == int(endless.size_bytes * 2.1)


def test_without_a_duration_nothing_is_claimed() -> None:
    endless = source(picture=video(duration_seconds=None), silent=True, duration_seconds=None)
    said = estimate(planned(endless, spec()), endless)
    assert (said.size_bytes, said.cpu_seconds, said.scratch_bytes) == (None, None, None)


def test_a_package_costs_the_sum_of_its_rungs() -> None:
    """Of "Ladder and grid": and scratch for the largest once more, while it is judged."""
    media = source(picture=video(bitrate_bps=20_000_000))
    said = estimate(planned(media, spec("hls")), media)
    sizes = [rate * 10 // 8 for rate in (5_000_000, 3_000_000, 1_500_000, 800_000, 128_000)]
    assert said.size_bytes == sum(sizes)
    assert said.scratch_bytes == media.size_bytes + sum(sizes) + sizes[0]
    assert said.cpu_seconds is not None
    assert said.cpu_seconds > cost(spec(videoBitrate=5_000_000), media)[1] * 1.5
