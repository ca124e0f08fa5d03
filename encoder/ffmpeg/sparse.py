"""What of a source must be decoded for its pictures, where nothing else is made of it: often a small part. Pure.

A picture needs what lies between the keyframe before it, where the source can be entered, and itself; the packets
between are read, for the proof counts them, but given to no decoder. What is decoded are the very frames that a decode
of the whole would give, and the filter graph stays as it is: in the gaps it repeats the frame before, which nobody
takes.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from encoder.ffmpeg import codecs, containers, rules
from encoder.ffmpeg.case import Able
from encoder.model.base import replace
from encoder.model.job import OutputSpec
from encoder.model.plan import ImagesPlan, Note, OutputPlan, Pass, Plan, Stretch, VideoPlan

Entries = Mapping[int, Sequence[float]]

_MOST_SHARE = 0.9  # of the source: to spare less is not worth a longer command
_MOST_STRETCHES = 1000  # an argument may have 128 KiB
_NEAR = Fraction(1, 4)  # of a frame: times are rounded to frames, and what comes so little after a moment is on show


def wanted(outputs: Iterable[OutputSpec]) -> bool:
    """Whether it is worth knowing where the source can be entered: its picture is needed for images alone."""
    images = others = False
    for output in outputs:
        if containers.CONTAINERS[output.container].images:
            images = True
        else:
            others = others or rules.video_codec(output) not in (codecs.NONE, codecs.COPY)
    return images and not others


def decided(plan: Plan, entries: Entries, able: Able) -> Plan:
    """`plan` with what each pass of images decodes, and why so much."""
    passes: list[Pass] = []
    outputs = {output.output: output for output in plan.outputs}
    for one_pass in plan.passes:
        made = [outputs[number] for number in one_pass.outputs]
        told = [output for output in made if _moments(output) and not output.clipped]
        stretches, note = _chosen(made, entries, able) if told else ((), None)
        passes.append(replace(one_pass, decoded=stretches))
        outputs |= {each.output: _told(each, note, sparse=bool(stretches)) for each in told if note is not None}
    return replace(plan, passes=tuple(passes), outputs=tuple(outputs[each.output] for each in plan.outputs))


def _moments(output: OutputPlan) -> tuple[int, ...]:
    """The frames that are shown, where they are known before."""
    images = output.images
    if images is None or images.frames:
        return () if images is None else images.frames
    if images.step_frames is None or images.count is None:
        return ()
    step = Fraction(images.step_frames)
    return tuple(int(place * step) for place in range(images.count))


def _chosen(outputs: Sequence[OutputPlan], entries: Entries, able: Able) -> tuple[tuple[Stretch, ...], Note]:
    """What is decoded for these outputs, (): the whole source; and why."""
    why = _hindrance(outputs, entries, able)
    if why is None:
        stretches = _bounded(_merged(stretch for output in outputs for stretch in _needed(output, entries)))
        whole = max(_read_seconds(output) for output in outputs)
        held = sum(max(0.0, min(each.end_seconds, whole) - max(each.start_seconds, 0.0)) for each in stretches)
        if held <= _MOST_SHARE * whole:
            told = f"Of {whole:.0f} s about {held:.0f} are decoded: from the keyframe before each picture on, up to it."
            return stretches, Note(code="decoded_sparsely", message=told)
        why = "its keyframes lie too far apart for pictures as close as these"
    return (), Note(code="decoded_whole", message=f"The whole source is decoded: {why}.")


def _hindrance(outputs: Sequence[OutputPlan], entries: Entries, able: Able) -> str | None:
    """Why it cannot be done for less."""
    videos = [output.video for output in outputs if output.video is not None]
    if not all(_moments(output) for output in outputs):
        return "something that plays is made of it too"
    if any(output.clipped for output in outputs):
        return "a part of it is made into pictures too"
    if any(video.deinterlace or video.telecine or video.evened for video in videos):
        return "its frames are woven of fields, with those beside them"
    if not able.drops_packets:
        return "this ffmpeg can leave nothing out"
    if not all(entries.get(video.source_index) for video in videos):
        return "where it can be entered is not known"
    return None


def _needed(output: OutputPlan, entries: Entries) -> list[Stretch]:
    """For the pictures of one output. Frames are counted from the first one on, and each is on show until the next."""
    if output.video is None:
        return []
    keys = entries[output.video.source_index]
    found = [_around(frame, output.video, keys) for frame in (0, *_moments(output))]
    after = bisect_right(keys, found[-1].end_seconds)
    if after == len(keys):
        return [*found[:-1], replace(found[-1], end_seconds=math.inf)]
    frame_seconds = float(1 / Fraction(output.video.rate))
    return [*found, Stretch(start_seconds=keys[after], end_seconds=keys[after] + frame_seconds)]


def _around(frame: int, video: VideoPlan, keys: Sequence[float]) -> Stretch:
    """From the last entry before a frame of the constant rate is shown, to the frame after it."""
    rate = Fraction(video.rate)
    place = bisect_right(keys, float((frame + _NEAR) / rate))
    end = max(float(frame / rate), video.start_seconds) + float(1 / rate)
    return Stretch(start_seconds=keys[place - 1] if place else -math.inf, end_seconds=end)


def _merged(needed: Iterable[Stretch], *, nearer_s: float = 0.0) -> tuple[Stretch, ...]:
    """In order, those made one that overlap or lie no further apart than `nearer_s`."""
    merged: list[Stretch] = []
    for stretch in sorted(needed, key=lambda stretch: stretch.start_seconds):
        if merged and stretch.start_seconds <= merged[-1].end_seconds + nearer_s:
            end = max(merged[-1].end_seconds, stretch.end_seconds)
            merged[-1] = replace(merged[-1], end_seconds=end)
        else:
            merged.append(stretch)
    return tuple(merged)


def _bounded(stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """Not more than fit into a command: the smallest gaps are closed."""
    if len(stretches) <= _MOST_STRETCHES:
        return stretches
    gaps = sorted(later.start_seconds - earlier.end_seconds for earlier, later in pairwise(stretches))
    return _merged(stretches, nearer_s=gaps[len(stretches) - _MOST_STRETCHES - 1])


def _read_seconds(output: OutputPlan) -> float:
    """How much would be decoded: after single moments the run ends."""
    if output.images is not None and output.images.frames and output.video is not None:
        return float((output.images.frames[-1] + 1) / Fraction(output.video.rate))
    return output.duration_seconds or 0.0


def _told(output: OutputPlan, note: Note, *, sparse: bool) -> OutputPlan:
    images: ImagesPlan | None = None if output.images is None else replace(output.images, sparse=sparse)
    return replace(output, images=images, reasons=(*output.reasons, note))
