"""How loud sound gets, decided from what was measured: docs/why/encoding.md, "Sound"."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from encoder.ffmpeg import loudness, presets, rules
from encoder.ffmpeg.loudness import Setting, Trial
from encoder.model import base
from encoder.model.job import OutputSpec
from encoder.model.plan import AudioPlan, Loudness, LoudnessPlan
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


def said_of(plan: LoudnessPlan) -> list[str]:
    reasons, warnings = loudness.told(base.replace(track(), loudness=plan))
    return [note.code for note in (*reasons, *warnings)]


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


@pytest.mark.parametrize(("peak", "limited"), [(-8.9, False), (-8.8, False), (-8.7, True)])
def test_a_plain_gain_keeps_the_ceiling(peak: float, *, limited: bool) -> None:
    found = heard(-30.8, peak)
    setting = loudness.next_setting(track(), found, [])
    assert setting == Setting(drive_db=8.8, limit_dbtp=-1.0)
    filters = loudness.applied(track(), found, setting).filters
    assert any(each.startswith("alimiter") for each in filters) is limited


def test_a_plain_gain_stands_after_everything_else() -> None:
    plan = loudness.applied(track(), heard(-30.8, -20), Setting(drive_db=8.8, limit_dbtp=-1.0))
    assert plan.filters[-2:] == ("aresample=48000:async=1", "volume=7.80dB")


def test_only_a_plain_gain_of_lossless_sound_needs_no_rehearsal() -> None:
    setting = Setting(drive_db=8.8, limit_dbtp=-1.0)
    lossy, lossless = track(), track(container="mkv", audioCodec="flac")
    assert loudness.foreseen(lossless, heard(-30.8, -10), setting) == heard(-23.0, -2.2)
    assert loudness.foreseen(lossless, heard(-30.8, -8), setting) is None
    assert loudness.foreseen(lossy, heard(-30.8, -30), setting) is None


def test_a_limiter_sees_peaks_between_samples_and_keeps_the_rate_and_length_of_the_track() -> None:
    plan = loudness.applied(track(), heard(-30.8, -3), Setting(drive_db=9.8, limit_dbtp=-2.0))
    assert plan.filters[-5:] == (
        "volume=7.80dB", "aresample=192000",
        "alimiter=limit=0.794328:level=false:latency=true:attack=5:release=100",
        "aresample=48000", "atrim=end=10.000000",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Codec:
    """What becomes of sound of -30 LUFS with a peak of -8 dBTP: limited ever harder it comes ever nearer to `most`
    below its limit; the codec makes it quieter by `lost` and puts peaks `added` higher, now more and now less."""

    most: float = -3.0
    lost: float = 0.0
    added: float = 0.0

    found = heard(-30.0, -8.0)

    def made(self, setting: Setting) -> Loudness:
        beyond, plain = setting.drive_db - 8, self.most + 22
        below = -22 + min(beyond, 0) + plain * (1 - math.exp(-max(beyond, 0) / plain))
        peak = min(setting.limit_dbtp, (self.found.peak_dbtp or 0.0) + setting.gain_db)
        peak += self.added * (1 + math.sin(setting.drive_db)) / 2
        return heard(round(below + setting.limit_dbtp - self.lost, 1), round(peak, 1))

    def search(self, target: float) -> tuple[list[Trial], LoudnessPlan, float, float]:
        """The trials, what was decided, and the loudness and the peak that come of it."""
        audio = sound(planned(source(), spec(loudness=target)))
        trials: list[Trial] = []
        while (setting := loudness.next_setting(audio, self.found, trials)) is not None:
            trials.append(Trial(setting=setting, heard=self.made(setting)))
        settled = loudness.settled(audio, self.found, trials)
        assert settled.loudness is not None
        taken = {loudness.applied(audio, self.found, trial.setting).filters: trial.heard for trial in trials}
        came = taken[settled.filters]
        return trials, settled.loudness, came.lufs or 0.0, came.peak_dbtp or 0.0


VARIES_LU = 0.2  # by what the codec puts on peaks, now more and now less
CODECS = [Codec(), Codec(lost=0.5, added=0.6), Codec(lost=2.0, added=2.5), Codec(most=-18, lost=0.5, added=0.6)]


@pytest.mark.parametrize("codec", CODECS)
def test_louder_asked_is_never_quieter_and_never_quieter_than_the_plain_gain_that_is_allowed(codec: Codec) -> None:
    before = -math.inf
    for target in range(-36, -8):
        trials, plan, lufs, peak = codec.search(target)
        assert len(trials) <= loudness.MOST_TRIALS
        assert peak <= plan.ceiling_dbtp
        assert lufs >= before - VARIES_LU
        plain_gain = plan.ceiling_dbtp - (codec.found.peak_dbtp or 0.0) - codec.added
        assert lufs >= min(target, (codec.found.lufs or 0.0) + plain_gain - codec.lost) - VARIES_LU
        assert plan.aim_lufs == pytest.approx(lufs, abs=0.41)
        before = lufs


@pytest.mark.parametrize("codec", CODECS[:2])
def test_what_the_ceiling_allows_is_met_closely_and_without_a_word_of_missing_it(codec: Codec) -> None:
    for target in range(-36, -11):
        _, plan, lufs, _ = codec.search(target)
        assert lufs == pytest.approx(target, abs=VARIES_LU + 0.01)
        assert "loudness_missed" not in said_of(plan)


def test_a_codec_that_makes_sound_quieter_gets_it_louder() -> None:
    trials, plan, *_ = Codec(lost=0.5).search(-30)
    assert [trial.setting.gain_db for trial in trials] == [0.0, 0.5]
    assert (plan.mode, said_of(plan)) == ("linear", ["loudness"])


def test_whatever_is_too_loud_is_limited_as_hard_as_is_allowed_and_told() -> None:
    for target in (-12, -9):
        trials, plan, lufs, _ = Codec(most=-18, added=0.6).search(target)
        assert max(trial.setting.drive_db for trial in trials) == 8 + loudness.MOST_LIMITED_DB
        assert plan.aim_lufs == lufs == pytest.approx(-19.5, abs=0.5)
        assert said_of(plan) == ["loudness_dynamic", "loudness_missed"]
        (_, missed) = loudness.told(base.replace(track(), loudness=plan))[1]
        assert f"comes to {lufs:g} LUFS, with at most 30 dB taken from its peaks" in missed.message


def test_where_no_trial_kept_the_ceiling_the_best_is_lowered_below_it_and_told() -> None:
    over = Trial(setting=Setting(drive_db=20, limit_dbtp=-9.0), heard=heard(-24, 0.5))
    plan = loudness.settled(track(), heard(-30, -1), [over])
    assert plan.loudness is not None
    assert (plan.loudness.gain_db, plan.loudness.aim_lufs) == (9.4, -25.6)
    assert said_of(plan.loudness) == ["loudness_dynamic", "loudness_missed"]


def test_an_ffmpeg_that_cannot_measure_is_refused() -> None:
    able = Able(filters=frozenset({"ebur128"}))
    assert refused(source(), spec(loudness=-23), able).code == "encoder_not_available"


@pytest.mark.parametrize("wrong", [spec(loudness=-40), spec(loudness=-23, audioCodec="copy"), spec("hevc", loudness=0)])
def test_what_cannot_have_a_loudness_is_refused_before_any_work(wrong: OutputSpec) -> None:
    assert [fault.path for fault in rules.check(wrong)] == ["/loudness"]


def test_loudness_outlives_a_change_of_encoder_but_not_a_copy() -> None:
    assert presets.merge({"loudness": -23, "audioCodec": "aac"}, {"container": "webm", "audioCodec": "opus"}).loudness
    kept = presets.merge({"loudness": -23, "audioCodec": "aac"}, {"container": "mp4", "audioCodec": "copy"})
    assert kept.loudness is None
