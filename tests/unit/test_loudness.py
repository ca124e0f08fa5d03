"""How loud sound gets, decided from what was measured: docs/encoding.md, "Sound"."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import loudness, presets, rules
from encoder.ffmpeg.loudness import Setting, Trial
from encoder.model.job import OutputSpec
from encoder.model.plan import AudioPlan, Loudness
from tests.lab.facts import Able, planned, refused, sound, source, spec

SAID = """
[Parsed_ebur128_1 @ 0x7f] Summary:

  Integrated loudness:
    I:         {lufs} LUFS
    Threshold: -41.8 LUFS

  Loudness range:
    LRA:         3.1 LU
    Threshold: -51.8 LUFS
    LRA low:   -31.8 LUFS
    LRA high:  -31.8 LUFSAll streams finished

  True peak:
    Peak:      {peak} dBFS
"""


def track(**members: float | str) -> AudioPlan:
    return sound(planned(source(), spec(loudness=-23, **members)))


def heard(lufs: float, peak: float) -> Loudness:
    return Loudness(lufs=lufs, range_lu=3.0, peak_dbtp=peak)


def test_the_meter_is_read_from_between_other_lines() -> None:
    assert loudness.heard(SAID.format(lufs=-31.8, peak=-12.5)) == Loudness(lufs=-31.8, range_lu=3.1, peak_dbtp=-12.5)


@pytest.mark.parametrize(("lufs", "peak"), [("-70.0", "-inf"), ("nan", "-inf"), ("-inf", "-inf")])
def test_silence_has_no_loudness(lufs: str, peak: str) -> None:
    assert loudness.heard(SAID.format(lufs=lufs, peak=peak)) == Loudness()


def test_a_meter_that_did_not_come_to_its_end_says_nothing() -> None:
    assert loudness.heard("    I:  -31.8 LUFS\n") is None


def test_a_title_that_imitates_the_meter_is_not_believed() -> None:
    found = loudness.heard("    I:         -5.0 LUFS\n" + SAID.format(lufs=-31.8, peak=-1.0))
    assert found is not None
    assert found.lufs == pytest.approx(-31.8)


@pytest.mark.parametrize(("peak", "linear"), [(-8.9, True), (-8.8, True), (-8.7, False)])
def test_a_plain_gain_keeps_the_ceiling(peak: float, *, linear: bool) -> None:
    assert (loudness.amplified(track(), heard(-30.8, peak)) is not None) is linear


def test_a_plain_gain_stands_after_everything_else() -> None:
    plan = loudness.amplified(track(), heard(-30.8, -20))
    assert plan is not None
    assert plan.filters[-2:] == ("aresample=48000:async=1", "volume=7.80dB")


def test_lossless_sound_needs_no_rehearsal_and_lossy_sound_near_the_ceiling_does() -> None:
    near, far = heard(-23, -1.5), heard(-23, -6)
    lossy, lossless = track(), track(container="mkv", audioCodec="flac")
    for audio, found, safe in ((lossy, near, False), (lossy, far, True), (lossless, near, True)):
        plan = loudness.amplified(audio, found)
        assert plan is not None
        assert loudness.is_safe(plan) is safe


def test_compressing_goes_back_to_the_rate_and_length_of_the_track() -> None:
    plan = loudness.compressing(track(), Setting(peak_dbtp=-2))
    assert plan.filters[-3:] == (
        "loudnorm=I=-23.0:TP=-2.00:LRA=11.0:linear=false:offset=0.00", "aresample=48000", "atrim=end=10.000000",
    )  # fmt: skip


def test_each_trial_corrects_what_the_last_one_missed() -> None:
    first = loudness.next_setting(track(), [])
    assert first == Setting(peak_dbtp=-2)
    loud = loudness.next_setting(track(), [Trial(setting=first, heard=heard(-19.8, 0.4))])
    assert loud == Setting(offset_db=-3.2, peak_dbtp=-3.6)
    assert loudness.next_setting(track(), [Trial(setting=first, heard=heard(-22.6, -1.2))]) is None


def test_trials_end_when_they_bring_nothing() -> None:
    setting = Setting(peak_dbtp=-2)
    same = [Trial(setting=setting, heard=heard(-30, -1.5))] * 2
    assert loudness.next_setting(track(), same) is None


def test_the_best_trial_is_lowered_below_the_ceiling_and_told() -> None:
    plan = loudness.compressed(track(), heard(-30, -1), [Trial(setting=Setting(peak_dbtp=-9), heard=heard(-24, 0.5))])
    assert plan.loudness is not None
    assert (plan.filters[-1], plan.loudness.aim_lufs) == ("volume=-1.70dB", -25.7)
    assert [note.code for note in loudness.told(plan)[1]] == ["loudness_dynamic", "loudness_missed"]


def test_an_ffmpeg_that_cannot_measure_is_refused() -> None:
    able = Able(filters=frozenset({"loudnorm"}))
    assert refused(source(), spec(loudness=-23), able).code == "encoder_not_available"


@pytest.mark.parametrize("wrong", [spec(loudness=-40), spec(loudness=-23, audioCodec="copy"), spec("hevc", loudness=0)])
def test_what_cannot_have_a_loudness_is_refused_before_any_work(wrong: OutputSpec) -> None:
    assert [fault.path for fault in rules.check(wrong)] == ["/loudness"]


def test_loudness_outlives_a_change_of_encoder_but_not_a_copy() -> None:
    assert presets.merge({"loudness": -23, "audioCodec": "aac"}, {"container": "webm", "audioCodec": "opus"}).loudness
    kept = presets.merge({"loudness": -23, "audioCodec": "aac"}, {"container": "mp4", "audioCodec": "copy"})
    assert kept.loudness is None
