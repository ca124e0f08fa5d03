"""Where a copy of a picture can end: only where no frame waits for one that is shown later. Pure.

Frames are stored in the order in which they are decoded. Where a copy simply stops, some that others needed first are
there though they are shown after its end, and others before its end are missing: a hole, and then a frame after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from encoder.ffmpeg import codecs, containers, rules, timeline
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.timeline import Span
from encoder.model.job import OutputSpec
from encoder.model.media import VideoStream

_MOST_MOVED_SECONDS = 0.5  # an end is moved no further; such a copy is encoded anew


def wanted(outputs: Iterable[OutputSpec]) -> tuple[float, ...]:
    """The ends of clips near which it must be known."""
    ends = {
        output.clip.end
        for output in outputs
        if output.clip is not None and output.clip.end is not None and _is_copied(output)
    }
    return tuple(sorted(ends))


def may_end(case: Case, stream: VideoStream) -> bool:
    """Whether a copy can end where its clip does, or near it."""
    clip = case.spec.clip
    return clip is None or clip.end is None or (case.able.drops_packets and _nearest(case, stream) is not None)


def parted(case: Case, stream: VideoStream, span: Span, rate: Fraction) -> Span:
    """What a copy shows of `span`: entered at its start, and ended where no frame waits for a later one."""
    span, cut = timeline.entered_at_start(span), _nearest(case, stream)
    if span.end is None or cut is None:
        return span
    if abs(Fraction(cut) - span.end) * rate > Fraction(1, 2):
        told = f"The copy ends at {cut:.6g} s, not at {float(span.end):.6g}: there no frame waits for a later one."
        case.because("end_moved", told)
    return replace(span, end=Fraction(cut))


def _nearest(case: Case, stream: VideoStream) -> float | None:
    """Where a copied clip ends; None: there is no place near."""
    clip = case.spec.clip
    if clip is None or clip.end is None:
        return None
    end, start = clip.end, clip.start
    cuts = [*case.cuts.get(stream.index, ())]
    if stream.duration_seconds is not None:
        last = stream.start_seconds - case.media.start_seconds + stream.duration_seconds
        if end >= last:  # it ends with the sound
            return end
        cuts.append(last)
    near = [cut for cut in cuts if cut > start and abs(cut - end) <= _MOST_MOVED_SECONDS]
    return min(near, key=lambda cut: (abs(cut - end), cut), default=None)


def _is_copied(output: OutputSpec) -> bool:
    return containers.CONTAINERS[output.container].boxes and rules.video_codec(output) == codecs.COPY
