"""Whether a source has all that an output needs of it, as far as that is known before any work. Pure.

What the proof would find missing after hours is told at once, in the plan and in a dry run, by the same code.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from encoder import errors
from encoder.model.base import replace
from encoder.model.media import AudioStream, Media, VideoStream
from encoder.model.plan import AudioPlan, ImagesPlan, OutputPlan, Plan, Refusal, VideoPlan

SHORT_SECONDS, SHORT_SHARE = 1.0, 0.01  # what a source may lack of its length
LOST_FRAMES, LOST_SHARE = 1, 0.01  # of a picture that is read to its end

# others have no header, or only an estimate from their size
_DECLARING = ("mov", "matroska", "flv", "avi", "asf", "wav", "flac", "mxf")

Track = VideoStream | AudioStream


def declared_end(media: Media) -> float | None:
    """When a source ends by its header, in seconds from its first moment; None where it has none that says so."""
    declares = any(name in _DECLARING for name in media.format.split(","))
    return media.duration_seconds if declares else None


def held_end(media: Media) -> float:
    """When the last of its tracks ends."""
    ends = (track.start_seconds + (track.duration_seconds or 0.0) for track in _tracks(media))
    return max(ends, default=0.0) - media.start_seconds


def slack_seconds(length: float) -> float:
    """What may be missing at the end of so much."""
    return max(SHORT_SECONDS, SHORT_SHARE * length)


def held(media: Media, moment: float) -> None:
    """A moment after the end of a picture, for which its last frame shall stand.

    Raises:
        errors.Permanent: `source_truncated`, the source has lost that moment: another would be shown in its place.
    """
    says, has = declared_end(media), held_end(media)
    if says is not None and says - has > slack_seconds(says) and moment >= has:
        raise errors.Permanent("source_truncated", _ends(says, has))


def kept(plan: Plan, media: Media) -> Plan:
    """`plan` without the outputs that need what the source has lost, which are refused with `source_truncated`."""
    told = {output.output: why for output in plan.outputs if (why := _lack(output, media)) is not None}
    passes = ((one, tuple(number for number in one.outputs if number not in told)) for one in plan.passes)
    return replace(
        plan,
        outputs=tuple(output for output in plan.outputs if output.output not in told),
        passes=tuple(replace(one, outputs=numbers) for one, numbers in passes if numbers),
        refused=(*plan.refused, *(Refusal(output=n, code="source_truncated", message=why) for n, why in told.items())),
    )


def _lack(output: OutputPlan, media: Media) -> str | None:
    """Why the proof of an output must fail, of what the source lacks; None: it need not."""
    size, says = media.size_bytes, media.declared_bytes
    if says is not None and not output.clipped and says - size > SHORT_SHARE * says:
        return f"The source says it has {says} bytes, and has {size}."
    needed = [output.clip_start_seconds + (output.clip_seconds or 0.0)] if output.clip_seconds is not None else []
    declared, held = declared_end(media), held_end(media)
    if declared is not None and _reads_on(output) and declared - held > slack_seconds(declared):
        until = min([*needed, declared])
        if until - held > slack_seconds(until):
            return _ends(declared, held)
    return next((_ends(says, has) for says, has in _short(output, media)), None)


def _reads_on(output: OutputPlan) -> bool:
    """Whether all is read that it shows, and not single frames of it."""
    return output.images is None or not (output.images.frames or output.images.kind == "still")


def _short(output: OutputPlan, media: Media) -> Iterator[tuple[float, float]]:
    """When tracks that it needs should end and do, where it needs what is missing of them."""
    tracks = {track.index: track for track in _tracks(media)}
    streams = [stream for each in output.streams for stream in (each.video, *each.sounds) if stream is not None]
    for stream in streams:
        track = tracks[stream.source_index]
        if not track.lost_seconds:
            continue
        says = track.start_seconds - media.start_seconds + (track.duration_seconds or 0.0)
        has = says - track.lost_seconds
        if _needs(output, stream, track, has):
            yield says, has


def _needs(output: OutputPlan, stream: VideoPlan | AudioPlan, track: Track, has: float) -> bool:
    """Whether an output shows too much of a track that ends where it `has` ended."""
    if output.images is not None and isinstance(stream, VideoPlan):
        last = _last_moment(output.images, Fraction(stream.rate))
        if last is not None and output.clip_start_seconds + last >= has:
            return True
    if output.clipped:
        end = output.clip_start_seconds + stream.start_seconds + (stream.duration_seconds or 0.0)
        return output.images is None and end - has > slack_seconds(end - output.clip_start_seconds)
    if output.images is not None and output.images.frames:
        return False
    if isinstance(track, VideoStream) and track.frames is not None and isinstance(stream, VideoPlan):
        lost = round(Fraction(track.lost_seconds) * Fraction(track.frames) / Fraction(track.duration_seconds or 1.0))
        if lost - 1 > max(LOST_FRAMES, LOST_SHARE * track.frames):
            return True
    return output.images is None and track.lost_seconds > slack_seconds(track.duration_seconds or 0.0)


def _last_moment(images: ImagesPlan, rate: Fraction) -> float | None:
    """When the last of its pictures is on show, in the output's time."""
    if images.typical:
        return None
    if images.frames:
        return float(images.frames[-1] / rate)
    if images.count is None:
        return None
    step = Fraction(images.step_frames) if images.step_frames else Fraction(1)
    # what moves may be a frame short
    return float(int(max(0, images.count - (2 if images.kind == "moving" else 1)) * step) / rate)


def _ends(says: float, has: float) -> str:
    return f"The source says {says:.2f} s and ends at {has:.2f} s."


def _tracks(media: Media) -> tuple[Track, ...]:
    return (*media.video, *media.audio)
