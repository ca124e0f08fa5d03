"""How loud sound is to be, and how it gets there: measured first, then a plain gain where that is enough. Pure.

Never ffmpeg's own `loudnorm=linear=true`: where a plain gain does not fit it compresses without a word, and puts out
192 kHz (ffmpeg-normalize#181, #245). Loudness is that of EBU R128 (ITU-R BS.1770-4), of the track as it will be:
mapped, mixed, at its rate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from encoder.errors import Defect
from encoder.ffmpeg import codecs
from encoder.model.base import replace
from encoder.model.plan import AudioPlan, Loudness, LoudnessPlan, Note

CEILING_DBTP = -1.0  # EBU R128
LEAST_LUFS, MOST_LUFS = -36.0, -9.0
LINEAR, DYNAMIC, SILENT = "linear", "dynamic", "silent"
NEEDED = frozenset({"ebur128", "loudnorm"})
OFF_BY_LU = {LINEAR: 0.5, DYNAMIC: 1.0, SILENT: 0.0}  # what a result may be off
PEAK_OFF_BY_DB = 0.1

_METER = "ebur128=peak=true:framelog=quiet"
_GATE_LUFS = -70.0  # what is quieter is silence to the meter
_METER_STEP_LU = 0.1
_LOSSY_OVER_DB = 4.0  # codecs make new peaks: of clicks, Opus at 48 kbit/s 3.9 dB above the old ones, AAC at 128 2.4
_LIMITER_OVER_DB = 1.0  # `loudnorm` itself goes up to 0.7 dB beyond its limit
_LIMITER_STEP_DB = 0.2
_LEAST_PEAK_DBTP = -9.0  # of `loudnorm`
_RANGE_LU = 11.0
_CLOSE_LU = 0.5
_MOST_OFFSET_DB = 20.0
_MOST_TRIALS = 5

_NUMBER = r"(-?\d+(?:\.\d+)?|-?inf|-?nan)"
_SAID = {
    "lufs": re.compile(rf"^ +I: +{_NUMBER} LUFS", re.MULTILINE),
    "range_lu": re.compile(rf"^ +LRA: +{_NUMBER} LU", re.MULTILINE),
    "peak_dbtp": re.compile(rf"^ +Peak: +{_NUMBER} dBFS", re.MULTILINE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What `loudnorm` is told beside the target: what it puts out of a short or sparse track is far from it."""

    offset_db: float = 0.0
    peak_dbtp: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What the codec made of the sound with a setting."""

    setting: Setting
    heard: Loudness


def metered(filters: Sequence[str] = ()) -> str:
    """The filters of a track with the meter behind them."""
    return ",".join((*filters, _METER))


def heard(log: str) -> Loudness | None:
    """What the meter said at its end; None if it did not come to that. Silence has no loudness and no peak.

    The last of each line counts: a title of the file may imitate one, but comes before.
    """
    said = {name: pattern.findall(log) for name, pattern in _SAID.items()}
    if not all(said.values()):
        return None
    lufs, range_lu, peak = (float(said[name][-1]) for name in _SAID)
    if not lufs > _GATE_LUFS:
        return Loudness()
    return Loudness(lufs=lufs, range_lu=range_lu, peak_dbtp=peak)


def silent(audio: AudioPlan, found: Loudness) -> AudioPlan | None:
    """The track as it is, if it is silence."""
    if found.lufs is not None and found.peak_dbtp is not None:
        return None
    return replace(audio, loudness=replace(_wanted(audio), source=found, mode=SILENT))


def amplified(audio: AudioPlan, found: Loudness) -> AudioPlan | None:
    """The track with a plain gain; None where that puts its peaks above the ceiling."""
    wanted = _wanted(audio)
    gain = round(wanted.target_lufs - _lufs(found), 2)
    if _peak(found) + gain > wanted.ceiling_dbtp:
        return None
    plan = replace(wanted, source=found, mode=LINEAR, gain_db=gain, aim_lufs=wanted.target_lufs)
    return replace(audio, filters=(*audio.filters, f"volume={gain:.2f}dB"), loudness=plan)


def is_safe(audio: AudioPlan) -> bool:
    """Whether a plain gain needs no rehearsal: its peaks stay where no codec can put them above the ceiling."""
    plan = _wanted(audio)
    encoder = codecs.audio_encoder(audio.encoder)
    lossless = encoder is not None and encoder.default_bps is None
    peak = _peak(plan.source or Loudness()) + plan.gain_db
    return lossless or peak + _LOSSY_OVER_DB <= plan.ceiling_dbtp


def is_good(audio: AudioPlan, rehearsed: Loudness) -> bool:
    """Whether a rehearsal came out as planned."""
    wanted = _wanted(audio)
    near = abs(_missed(wanted, rehearsed)) <= OFF_BY_LU[LINEAR] - _METER_STEP_LU
    return near and _peak(rehearsed) <= wanted.ceiling_dbtp


def next_setting(audio: AudioPlan, trials: Sequence[Trial]) -> Setting | None:
    """How to compress in the next trial; None when another would not be better."""
    wanted = _wanted(audio)
    if not trials:
        return Setting(peak_dbtp=wanted.ceiling_dbtp - _LIMITER_OVER_DB)
    last = trials[-1]
    missed, over = _missed(wanted, last.heard), _peak(last.heard) - wanted.ceiling_dbtp
    stuck = len(trials) > 1 and over <= 0 and abs(missed) > abs(_missed(wanted, trials[-2].heard)) - _METER_STEP_LU
    if (abs(missed) <= _CLOSE_LU and over <= 0) or stuck or len(trials) == _MOST_TRIALS:
        return None
    offset = last.setting.offset_db + (missed if abs(missed) > _CLOSE_LU else 0.0)
    peak = last.setting.peak_dbtp - (over + _LIMITER_STEP_DB if over > 0 else 0.0)
    return Setting(
        offset_db=round(max(-_MOST_OFFSET_DB, min(_MOST_OFFSET_DB, offset)), 2),
        peak_dbtp=max(_LEAST_PEAK_DBTP, round(peak, 2)),
    )


def compressing(audio: AudioPlan, setting: Setting) -> AudioPlan:
    """The track compressed, then back at its rate and length: `loudnorm` puts out 192 kHz, and tenths of a second."""
    norm = (
        f"loudnorm=I={_wanted(audio).target_lufs:.1f}:TP={setting.peak_dbtp:.2f}:LRA={_RANGE_LU:.1f}"
        f":linear=false:offset={setting.offset_db:.2f}"
    )
    end = () if audio.duration_seconds is None else (f"atrim=end={audio.start_seconds + audio.duration_seconds:.6f}",)
    return replace(audio, filters=(*audio.filters, norm, f"aresample={audio.sample_rate_hz}", *end))


def compressed(audio: AudioPlan, found: Loudness, trials: Sequence[Trial]) -> AudioPlan:
    """The track as the best trial made it, lowered where its peaks are still too high."""
    wanted = _wanted(audio)

    def worth(trial: Trial) -> tuple[float, float]:
        return max(0.0, _peak(trial.heard) - wanted.ceiling_dbtp), abs(_missed(wanted, trial.heard))

    best = min(trials, key=worth)
    over = worth(best)[0]
    gain = -round(over + _LIMITER_STEP_DB, 2) if over else 0.0
    reached = round(_lufs(best.heard) + gain, 1)
    close = abs(reached - wanted.target_lufs) <= OFF_BY_LU[DYNAMIC] - _METER_STEP_LU
    aim = wanted.target_lufs if close else reached
    plan = compressing(audio, best.setting)
    return replace(
        plan,
        filters=(*plan.filters, f"volume={gain:.2f}dB") if gain else plan.filters,
        loudness=replace(wanted, source=found, mode=DYNAMIC, gain_db=gain, aim_lufs=aim),
    )


def told(audio: AudioPlan) -> tuple[Note | None, tuple[Note, ...]]:
    """A reason, and warnings, for what was decided about a track."""
    plan = audio.loudness
    if plan is None or plan.mode is None or plan.source is None:
        return None, ()
    if plan.mode == SILENT:
        note = Note(code="loudness_silent", message="The sound is silence: no gain makes it louder.")
        return None, (note,)
    had = f"The sound has {plan.source.lufs:.1f} LUFS with a peak of {plan.source.peak_dbtp:.1f} dBTP"
    if plan.mode == LINEAR:
        why = f"{had}; a gain of {plan.gain_db:+.1f} dB makes it {plan.target_lufs:g} LUFS."
        return Note(code="loudness", message=why), ()
    why = f"{had}: a plain gain to {plan.target_lufs:g} LUFS would clip, so its dynamics are compressed."
    warnings = [Note(code="loudness_dynamic", message=why)]
    if plan.aim_lufs != plan.target_lufs:
        missed = f"Below a peak of {plan.ceiling_dbtp:g} dBTP this sound comes to {plan.aim_lufs:g} LUFS."
        warnings.append(Note(code="loudness_missed", message=missed))
    return None, tuple(warnings)


def _wanted(audio: AudioPlan) -> LoudnessPlan:
    if audio.loudness is None:
        raise Defect("a track that is to have no loudness was measured")
    return audio.loudness


def _missed(wanted: LoudnessPlan, heard_of: Loudness) -> float:
    return wanted.target_lufs - _lufs(heard_of)


def _lufs(heard_of: Loudness) -> float:
    return _GATE_LUFS if heard_of.lufs is None else heard_of.lufs


def _peak(heard_of: Loudness) -> float:
    return _GATE_LUFS if heard_of.peak_dbtp is None else heard_of.peak_dbtp
