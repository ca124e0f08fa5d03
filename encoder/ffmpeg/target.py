"""The CRF at which a picture reaches a quality (VMAF): tried on samples, and interpolated. Pure.

Three to five samples of two to four seconds, each at three CRFs: what a target costs has a bound, however long the
source. The encode that follows is measured whole: what was predicted and what came stand side by side in its proof.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from encoder.errors import Defect
from encoder.ffmpeg import codecs, timeline
from encoder.ffmpeg.codecs import VideoEncoder
from encoder.ffmpeg.quality import VMAF
from encoder.model.base import replace
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan, VideoPlan

LEAST, MOST = 30.0, 99.0  # VMAF: below nobody wants it, above it is not told apart from the source

_SHARES = (0.2, 0.5, 0.8)  # of the sane range: where it is tried
_SHORT_SECONDS, _LONG_SECONDS = 30.0, 600.0
_SAMPLES_BY_LENGTH = ((_SHORT_SECONDS, 3, 2), (_LONG_SECONDS, 4, 3), (math.inf, 5, 4))  # up to, how many, how long
_WHOLE_SECONDS = 6.0  # up to here the picture is its own sample
_BEGINNING_SECONDS = 60.0  # of a source that cannot be entered in its middle, only so much is tried


def crfs(encoder: VideoEncoder) -> tuple[float, ...]:
    """Where an encoder is tried."""
    low, high = encoder.sane_crf
    return tuple(float(round(low + share * (high - low))) for share in _SHARES)


def samples(output: OutputPlan, media: Media) -> tuple[OutputPlan, ...]:
    """The parts of an output that are tried, each as an output of a picture alone."""
    rate = Fraction(_video(output).rate)
    seconds = output.duration_seconds
    if seconds is not None:
        seconds -= float(_video(output).held_frames / rate)
    if seconds is None or (seconds > _BEGINNING_SECONDS and not timeline.has_index(media)):
        seconds = _BEGINNING_SECONDS if seconds else _WHOLE_SECONDS
    if seconds <= _WHOLE_SECONDS:
        return (_part(output, media, Fraction(0), int(Fraction(seconds) * rate)),)
    count, length = next((count, length) for most, count, length in _SAMPLES_BY_LENGTH if seconds <= most)
    step = Fraction(seconds) / count
    starts = (step * place + (step - length) / 2 for place in range(count))
    return tuple(_part(output, media, start, round(length * rate)) for start in starts)


def tried(sample: OutputPlan, crf: float, number: int) -> OutputPlan:
    """A sample at a CRF; `number` tells it from the others of its run."""
    return replace(sample, output=number, video=_at(_video(sample), crf))


def settled(output: OutputPlan, found: Mapping[float, Sequence[float]]) -> OutputPlan:
    """The output at the CRF that should reach its target. `found`: the VMAF of each sample, by CRF."""
    video = _video(output)
    encoder = codecs.VIDEO_ENCODERS[video.encoder]
    curve = _falling({crf: statistics.fmean(scores) for crf, scores in found.items()})
    target = video.target_quality or MOST
    low, high = encoder.sane_crf
    wanted = _crf_of(curve, target)
    crf = _rounded(min(max(wanted, low), high), encoder)
    predicted = round(min(max(_score_at(curve, crf), 0.0), 100.0), 2)
    whose = f"{output.name}: " if output.name else ""
    why = f"{whose}CRF {crf:g} should reach VMAF {target:g}: {predicted:g} by {len(next(iter(found.values())))} samples"
    bound = "" if low <= wanted <= high else f", at the end of the sane range of {encoder.name}"
    return replace(
        output,
        video=replace(_at(video, crf), predicted_quality=predicted),
        reasons=(*output.reasons, Note(code="crf_found", message=f"{why}{bound}.")),
    )


def _part(output: OutputPlan, media: Media, start: Fraction, frames: int) -> OutputPlan:
    """So many frames of an output from `start` on, in seconds of its own time."""
    video = _video(output)
    rate = Fraction(video.rate)
    begin = round((Fraction(output.clip_start_seconds) + start) * rate) / rate
    seconds = float(frames / rate)
    return replace(
        output,
        container="mkv",
        muxer="matroska",
        extension="mkv",
        faststart=False,
        audio=None,
        subtitles=(),
        clipped=True,
        seek_seconds=float(timeline.seek(media, begin, rate)),
        clip_start_seconds=float(begin),
        clip_seconds=seconds,
        duration_seconds=seconds,
        measure=(VMAF,),
        video=replace(video, codec_tag=None, held_frames=0, start_seconds=0.0, duration_seconds=seconds, frames=frames),
    )


def _at(video: VideoPlan, crf: float) -> VideoPlan:
    option = codecs.VIDEO_ENCODERS[video.encoder].quality_option
    options = tuple((name, f"{crf:g}" if name == option else value) for name, value in video.options)
    return replace(video, crf=crf, options=options)


def _falling(scores: Mapping[float, float]) -> list[tuple[float, float]]:
    """Scores by rising CRF, none above the one before: what rises is noise."""
    curve: list[tuple[float, float]] = []
    for crf, score in sorted(scores.items()):
        curve.append((crf, min(score, curve[-1][1]) if curve else score))
    return curve


def _crf_of(curve: Sequence[tuple[float, float]], target: float) -> float:
    """The highest CRF that reaches `target`, on the line through the two tries around it, or beyond them."""
    pairs = list(pairwise(curve))
    (low, better), (high, worse) = next((pair for pair in reversed(pairs) if pair[0][1] >= target), pairs[0])
    if better == worse:
        return high if worse >= target else -math.inf
    return low + (better - target) * (high - low) / (better - worse)


def _score_at(curve: Sequence[tuple[float, float]], crf: float) -> float:
    pairs = list(pairwise(curve))
    (low, better), (high, worse) = next((pair for pair in pairs if crf <= pair[1][0]), pairs[-1])
    return better + (crf - low) * (worse - better) / (high - low)


def _rounded(crf: float, encoder: VideoEncoder) -> float:
    """Towards quality, as fine as the encoder takes it."""
    steps = 1 if encoder.whole_crf else 10
    return math.floor(crf * steps) / steps


def _video(output: OutputPlan) -> VideoPlan:
    if output.video is None:
        raise Defect("an output without a picture has no quality to reach")
    return output.video
