"""How loud sound is to be, and how it gets there: measured first, then a plain gain where that is enough, else a gain
and a limiter of peaks. What the codec makes of it is rehearsed, and one search over the rehearsals finds both. Pure.

Not by `loudnorm`: short and sparse sound it leaves up to 7 LU below its target, the more the higher that is, and with
`linear=true` it compresses without a word (ffmpeg-normalize#181, #245). Loudness is that of EBU R128 (ITU-R BS.1770-4),
of the track as it will be: mapped, mixed, at its rate.
"""

from __future__ import annotations

import dataclasses
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
NEEDED = frozenset({"ebur128", "alimiter"})
OFF_BY_LU = 0.5  # what a result may be off
PEAK_OFF_BY_DB = 0.1
MOST_LIMITED_DB = 30.0  # what peaks may lose: with more, of sparse sound its noise alone gets louder
MOST_TRIALS = 8

_METER = "ebur128=peak=true:framelog=quiet"
_METER_STEP = 0.1
_GATE_LUFS = -70.0  # what is quieter is silence to the meter
_CLOSE_LU = 0.2
_LEAST_LIMIT_DBTP = -24.0  # that `alimiter` takes
_LEAST_SLOPE = 0.25  # of loudness over drive, where the search must guess it
_OVERSAMPLED_HZ = 192_000  # true peaks lie between the samples
_LIMITER = "level=false:latency=true:attack=5:release=100"  # ms: as Spotify's, where it makes quiet music loud

_NUMBER = r"(-?\d+(?:\.\d+)?|-?inf|-?nan)"
_SAID = {
    "lufs": re.compile(rf"^ +I: +{_NUMBER} LUFS", re.MULTILINE),
    "range_lu": re.compile(rf"^ +LRA: +{_NUMBER} LU", re.MULTILINE),
    "peak_dbtp": re.compile(rf"^ +Peak: +{_NUMBER} dBFS", re.MULTILINE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A limit that no peak passes, and the gain before it, counted from the limit: the drive.

    How far below its limit sound is, its drive alone decides: the more, the nearer.
    """

    drive_db: float
    limit_dbtp: float

    @property
    def gain_db(self) -> float:
        return round(self.drive_db + self.limit_dbtp, 2)


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


def foreseen(audio: AudioPlan, found: Loudness, setting: Setting) -> Loudness | None:
    """What a plain gain makes of a track without loss; None where only a rehearsal tells. `found`: the track before."""
    encoder = codecs.audio_encoder(audio.encoder)
    if encoder is None or encoder.default_bps is not None or _is_limiting(found, setting):
        return None
    gain = setting.gain_db
    return replace(found, lufs=round(_lufs(found) + gain, 1), peak_dbtp=round(_peak(found) + gain, 1))


def next_setting(audio: AudioPlan, found: Loudness, trials: Sequence[Trial]) -> Setting | None:
    """What to try next; None when the target is met, or no more is allowed.

    The drive comes from the straight line through the two trials beside the target; the limit lies as far below the
    ceiling as the codec went above what it was given. The hardest drive regards its own trials alone, so that all that
    is asked for and too loud comes out alike, as far as the best of the trials before is no better.
    """
    wanted = _wanted(audio)
    hardest = round(MOST_LIMITED_DB - _peak(found), 2)
    if trials and (len(trials) == MOST_TRIALS or _is_last(wanted, trials[-1], hardest)):
        return None
    limit = _limit(wanted, found, trials)
    drive = min(hardest, round(_drive(wanted.target_lufs - limit, found, trials), 2))
    if drive == hardest:
        limit = _limit(wanted, found, [trial for trial in trials if trial.setting.drive_db == hardest])
    return Setting(drive_db=drive, limit_dbtp=limit)


def applied(audio: AudioPlan, found: Loudness, setting: Setting) -> AudioPlan:
    """The track with a plain gain, and the limiter where a peak would pass its limit."""
    gain = f"volume={setting.gain_db:.2f}dB"
    if not _is_limiting(found, setting):
        return replace(audio, filters=(*audio.filters, gain))
    limiter = f"alimiter=limit={10 ** (setting.limit_dbtp / 20):.6f}:{_LIMITER}"
    end = () if audio.duration_seconds is None else (f"atrim=end={audio.start_seconds + audio.duration_seconds:.6f}",)
    rates = f"aresample={_OVERSAMPLED_HZ}", f"aresample={audio.sample_rate_hz}"
    return replace(audio, filters=(*audio.filters, gain, rates[0], limiter, rates[1], *end))


def settled(audio: AudioPlan, found: Loudness, trials: Sequence[Trial]) -> AudioPlan:
    """The track as the best trial made it; if none kept the ceiling, lower by what that one went above it."""
    wanted = _wanted(audio)
    best = min(trials, key=lambda trial: (max(0.0, _over(wanted, trial)), abs(_missed(wanted, trial))))
    over = _over(wanted, best)
    lowered = round(over + _METER_STEP, 2) if over > 0 else 0.0
    setting = dataclasses.replace(best.setting, limit_dbtp=round(best.setting.limit_dbtp - lowered, 2))
    reached = round(_lufs(best.heard) - lowered, 1)
    close = round(abs(reached - wanted.target_lufs), 1) <= OFF_BY_LU - _METER_STEP
    plan = replace(
        wanted,
        source=found,
        mode=DYNAMIC if _is_limiting(found, setting) else LINEAR,
        gain_db=setting.gain_db,
        aim_lufs=wanted.target_lufs if close else reached,
    )
    return replace(applied(audio, found, setting), loudness=plan)


def told(audio: AudioPlan) -> tuple[tuple[Note, ...], tuple[Note, ...]]:
    """Reasons, and warnings, for what was decided about a track."""
    plan = audio.loudness
    if plan is None or plan.mode is None or plan.source is None:
        return (), ()
    if plan.mode == SILENT:
        return (), (Note(code="loudness_silent", message="The sound is silence: no gain makes it louder."),)
    had = f"The sound has {plan.source.lufs:.1f} LUFS with a peak of {plan.source.peak_dbtp:.1f} dBTP"
    missed = () if plan.aim_lufs == plan.target_lufs else (Note(code="loudness_missed", message=_why_missed(plan)),)
    if plan.mode == LINEAR:
        why = f"{had}; a gain of {plan.gain_db:+.1f} dB makes it {plan.aim_lufs:g} LUFS."
        return (Note(code="loudness", message=why),), missed
    why = (
        f"{had}: a plain gain to {plan.target_lufs:g} LUFS would clip, so a gain of {plan.gain_db:+.1f} dB is followed "
        "by a limiter, which compresses its dynamics."
    )
    return (), (Note(code="loudness_dynamic", message=why), *missed)


def _why_missed(plan: LoudnessPlan) -> str:
    return (
        f"Below a peak of {plan.ceiling_dbtp:g} dBTP this sound comes to {plan.aim_lufs:g} LUFS, "
        f"with at most {MOST_LIMITED_DB:g} dB taken from its peaks."
    )


def _limit(wanted: LoudnessPlan, found: Loudness, trials: Sequence[Trial]) -> float:
    """The ceiling; below it by what the codec put on top of the peaks that it was given, where it went above it."""
    added = [_added(found, trial) for trial in trials if _over(wanted, trial) > 0]
    return (
        round(max(_LEAST_LIMIT_DBTP, wanted.ceiling_dbtp - max(added) - _METER_STEP), 2)
        if added
        else wanted.ceiling_dbtp
    )


def _added(found: Loudness, trial: Trial) -> float:
    given = min(_peak(found) + trial.setting.gain_db, trial.setting.limit_dbtp)
    return _peak(trial.heard) - given


def _drive(wanted_lufs: float, found: Loudness, trials: Sequence[Trial]) -> float:
    """What makes sound so loud; all loudness is counted from the limit. Without a trial, as a plain gain does."""
    if not trials:
        return wanted_lufs - _lufs(found)
    start = (-_peak(found), _lufs(found) - _peak(found))  # its highest peak just reaches the limit
    points = sorted((trial.setting.drive_db, _lufs(trial.heard) - trial.setting.limit_dbtp) for trial in trials)
    place = next((place for place, (_, loud) in enumerate(points) if loud >= wanted_lufs), len(points))
    between = 0 < place < len(points)
    (less, quiet), (more, loud) = [start, *points][min(place, len(points) - 1) :][:2]
    slope = (loud - quiet) / (more - less) if more != less else 1.0
    return more + (wanted_lufs - loud) / (slope if between else max(_LEAST_SLOPE, min(1.0, slope)))


def _is_last(wanted: LoudnessPlan, trial: Trial, hardest: float) -> bool:
    missed = _missed(wanted, trial)
    enough = round(abs(missed), 1) <= _CLOSE_LU or (missed > 0 and trial.setting.drive_db == hardest)
    return enough and _over(wanted, trial) <= 0


def _is_limiting(found: Loudness, setting: Setting) -> bool:
    return _peak(found) + setting.gain_db > setting.limit_dbtp


def _wanted(audio: AudioPlan) -> LoudnessPlan:
    if audio.loudness is None:
        raise Defect("a track that is to have no loudness was measured")
    return audio.loudness


def _missed(wanted: LoudnessPlan, trial: Trial) -> float:
    return wanted.target_lufs - _lufs(trial.heard)


def _over(wanted: LoudnessPlan, trial: Trial) -> float:
    return _peak(trial.heard) - wanted.ceiling_dbtp


def _lufs(heard_of: Loudness) -> float:
    return _GATE_LUFS if heard_of.lufs is None else heard_of.lufs


def _peak(heard_of: Loudness) -> float:
    return _GATE_LUFS if heard_of.peak_dbtp is None else heard_of.peak_dbtp
