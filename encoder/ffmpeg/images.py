"""Images of a source: a poster, thumbnails, sheets of them with their cues, a preview that moves. Pure.

All go through the chain of every video: turned upright, deinterlaced, at a constant rate, tone-mapped, in square
pixels. What is shown is counted in frames of that rate, exactly.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from encoder import errors
from encoder.ffmpeg import cadence, codecs, picture, rules, timeline, whole
from encoder.ffmpeg.cadence import Frames
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.codecs import ImageEncoder
from encoder.ffmpeg.rules_images import MOVING, SEVERAL, SHEET_SIDES, STILL, kind
from encoder.model.base import replace
from encoder.model.job import Clip, OutputSpec, Sheet, Thumbnails
from encoder.model.media import VideoStream
from encoder.model.plan import ImagesPlan, OutputPlan, VideoPlan

CUES = "thumbnails"  # in the place of a picture's number, and .vtt behind it
SHEET_CELL_PX = 160
MOST_IMAGES = 10_000
_CANDIDATES = 10  # for a poster
_PREVIEW_SECONDS = 10
_PREVIEW_RATE = 15
_PREVIEW_SIDE_PX = 480
_PREVIEW_MOST_BYTES = 512 * 1024**2  # in memory at once, for all frames have a say in the colours
_PIXEL_BYTES = 4


def planned(number: int, case: Case) -> OutputPlan:
    """The plan of one output of images.

    Raises:
        errors.Permanent: as of a video; `output_too_large`, more than is sensible; `unsupported_format`, the source
            does not say how long it is, and that is needed.
    """
    stream, wanted = picture.track(case), kind(case.spec)
    encoder = _encoder(case, wanted)
    fitting = dataclasses.replace(case, spec=_sized(case.spec, stream, wanted))
    frames = _frames(fitting, stream, wanted)
    video = _video(fitting, encoder, frames)
    images = _PLANNED[wanted](fitting, frames, video)
    container, span = case.container, frames.span
    return OutputPlan(
        output=number,
        container=container.name,
        muxer="webp" if encoder is codecs.MOVING_WEBP else container.muxer,
        extension=container.extension,
        content_type=container.content_type,
        images=images,
        video=replace(
            video, frames=images.files if wanted != MOVING else images.count, held_frames=_held(images, frames)
        ),
        seek_seconds=float(span.seek),
        clip_start_seconds=float(span.start),
        clipped=span.clipped,
        clip_seconds=None if span.end is None else float(span.end - span.start),
        duration_seconds=_seconds(images, frames),
        reasons=tuple(case.reasons),
        warnings=tuple(case.warnings),
    )


def _encoder(case: Case, wanted: str) -> ImageEncoder:
    moving_webp = wanted == MOVING and case.spec.container == "webp"
    encoder = codecs.MOVING_WEBP if moving_webp else codecs.IMAGE_ENCODERS[case.spec.container]
    if encoder.name not in case.able.encoders:
        raise errors.Permanent("encoder_not_available", f"No worker here has the image encoder {encoder.name}.")
    return encoder


def _sized(spec: OutputSpec, stream: VideoStream, wanted: str) -> OutputSpec:
    """With the size that is meant where none is asked."""
    asked = spec.thumbnails.width if spec.thumbnails else None
    if asked is not None:
        return replace(spec, width=asked)
    if spec.width is not None or spec.height is not None:
        return spec
    if spec.thumbnails is not None and spec.thumbnails.sprite is not False:
        return replace(spec, width=min(SHEET_CELL_PX, picture.size(stream, spec).size[0]))
    width, height = picture.size(stream, spec).size
    if wanted != MOVING or min(width, height) <= _PREVIEW_SIDE_PX:
        return spec
    side = "width" if width < height else "height"
    return replace(spec, **{side: _PREVIEW_SIDE_PX})


def _frames(case: Case, stream: VideoStream, wanted: str) -> Frames:
    deinterlace = "send_frame" if cadence.deinterlacing(stream, case.spec, 0) else None
    rate = cadence.frame_rate(stream, case.spec, deinterlace)
    if wanted == MOVING and case.spec.fps is None:
        rate /= -(-rate // _PREVIEW_RATE)  # every second frame, or third: none is shown for longer than the others
    clip = _previewed(case) if wanted == MOVING else case.spec.clip
    span = timeline.span(case.media, clip, rate)
    telecine = cadence.telecine(stream, case.spec)
    frames = Frames(stream=stream, span=span, rate=rate, deinterlace=deinterlace, telecine=telecine)
    return _one(case, frames) if wanted == STILL and span.clipped else cadence.shown(frames)


def _one(case: Case, frames: Frames) -> Frames:
    """The one frame on show when the clip begins; after the picture's end it is the last."""
    span, rate, end = frames.span, frames.rate, frames.end_frame
    moment = round(span.start * rate)
    on_show = moment if end is None else max(0, min(moment, end - 1))
    if case.spec.clip is not None and end is not None and _exact(case.spec.clip.start) * rate >= end:
        whole.held(case.media, case.spec.clip.start)
        told = f"At {case.spec.clip.start:g} s the picture has ended: its last frame stands for that moment."
        case.warn("moments_after_end", told)
    start = on_show / rate
    seek = timeline.seek(case.media, start, rate)
    return dataclasses.replace(frames, span=dataclasses.replace(span, start=start, end=start + 1 / rate, seek=seek))


def _held(images: ImagesPlan, frames: Frames) -> int:
    """Repeats of the last frame, where a moment lies so near to the end that there may be none any more."""
    end = frames.end_frame
    single = images.kind == STILL and frames.span.clipped
    if end is None or images.typical or not (single or images.frames):
        return 0
    moment = round(frames.span.start * frames.rate) + (images.frames[-1] if images.frames else 0)
    return frames.slack_frames if moment + frames.slack_frames >= end else 0


def _previewed(case: Case) -> Clip | None:
    """The part that moves: what is asked, else the beginning."""
    length = case.media.duration_seconds
    if case.spec.clip is not None or (length is not None and length <= _PREVIEW_SECONDS):
        return case.spec.clip
    case.warn("preview_shortened", f"It shows the first {_PREVIEW_SECONDS} seconds; `clip` chooses others.")
    return Clip(end=float(_PREVIEW_SECONDS))


def _video(case: Case, encoder: ImageEncoder, frames: Frames) -> VideoPlan:
    """As of a video, but in the colours in which such images are read."""
    video = picture.planned(case, encoder, frames)
    return replace(
        video,
        options=encoder.always,
        crf=None,
        gop_frames=1,
        from_zero=round(Fraction(frames.late_seconds) * frames.rate) > 0,
        color_range=encoder.color_range,
        color_matrix=encoder.color_matrix,
        # what screens do with BT.709 video, and what is meant where an image says nothing
        color_transfer="iec61966-2-1",
    )


def _all_frames(frames: Frames, video: VideoPlan) -> int | None:
    """How many frames there are from the output's zero on."""
    if video.frames is None:
        return None
    return max(1, video.frames + round(Fraction(frames.late_seconds) * frames.rate))


def _seconds(images: ImagesPlan, frames: Frames) -> float | None:
    count = images.timeline_frames
    return None if count is None else float(count / frames.rate)


def _still(case: Case, frames: Frames, video: VideoPlan) -> ImagesPlan:
    if frames.span.clipped:
        case.because("poster", f"The frame on show at {float(frames.span.start):g} s.")
        return ImagesPlan(kind=STILL, count=1, timeline_frames=1)
    there = _all_frames(frames, video)
    if there is None:  # one a second, as many as there may be
        moments = tuple(round(place * frames.rate) for place in range(_CANDIDATES))
    else:
        moments = tuple(dict.fromkeys((2 * place + 1) * there // (2 * _CANDIDATES) for place in range(_CANDIDATES)))
    case.because("poster", f"The most typical of {len(moments)} frames, and no black one.")
    return ImagesPlan(kind=STILL, count=1, frames=moments, typical=len(moments) > 1, timeline_frames=there)


def _moving(_: Case, frames: Frames, video: VideoPlan) -> ImagesPlan:
    there = _all_frames(frames, video)
    most = _PREVIEW_MOST_BYTES // (video.width_px * video.height_px * _PIXEL_BYTES)
    if there is not None and there > most:
        told = f"A preview of {there} frames of this size is too large: at most {most}."
        raise errors.Permanent("output_too_large", f"{told} Ask for a shorter `clip` or a smaller picture.")
    return ImagesPlan(kind=MOVING, count=there, timeline_frames=there)


def _several(case: Case, frames: Frames, video: VideoPlan) -> ImagesPlan:
    wanted = case.spec.thumbnails
    assert wanted is not None  # noqa: S101  # that is what `kind` goes by
    there = _all_frames(frames, video)
    images = _moments(case, wanted, there, frames.rate)
    if images.count is not None and images.count > MOST_IMAGES:
        raise errors.Permanent("output_too_large", f"{images.count} pictures are too many: at most {MOST_IMAGES}.")
    if images.count is None and (wanted.sprite is not False or wanted.vtt):
        raise errors.Permanent("unsupported_format", "The source does not say how long it is: no sheets, no cues.")
    columns, rows = _sheet(wanted, images.count or 1, (video.width_px, video.height_px))
    with_cues = bool(wanted.vtt) or (wanted.vtt is None and columns * rows > 1 and not wanted.at)
    names = wanted.names or "{index}"
    cues = f"{names.replace('{index}', CUES)}.vtt" if with_cues else None
    return replace(images, columns=columns, rows=rows, cues=cues, names=names)


def _moments(case: Case, wanted: Thumbnails, there: int | None, rate: Fraction) -> ImagesPlan:
    if wanted.at:
        return _at(case, wanted.at, there, rate)
    if wanted.every is not None:
        step = max(Fraction(1), _exact(wanted.every) * rate)
    elif there is None:
        raise errors.Permanent("unsupported_format", "The source does not say how long it is: ask for `every`.")
    else:
        step = max(Fraction(1), Fraction(there, wanted.count or 1))
    count = None if there is None else -(-there // step)
    case.because("moments", f"One picture every {float(step / rate):g} s, from 0 on.")
    return ImagesPlan(
        kind=SEVERAL,
        count=count,
        step_frames=f"{step.numerator}/{step.denominator}",
        timeline_frames=there,
    )


def _at(case: Case, moments: tuple[float, ...], there: int | None, rate: Fraction) -> ImagesPlan:
    """The frames on show at these seconds; after the end it is the last."""
    asked = [int(_exact(moment) * rate) for moment in moments]
    frames = asked if there is None else [min(frame, there - 1) for frame in asked]
    if frames != asked:
        whole.held(case.media, moments[-1] + (case.spec.clip.start if case.spec.clip else 0.0))
        case.warn("moments_after_end", "Some of the moments are after the end: the last frame stands for them.")
    distinct = tuple(dict.fromkeys(frames))
    case.because("moments", f"The frames on show at {len(distinct)} moments.")
    return ImagesPlan(kind=SEVERAL, count=len(distinct), frames=distinct, timeline_frames=there)


def _sheet(wanted: Thumbnails, count: int, cell: tuple[int, int]) -> tuple[int, int]:
    """Columns and rows.

    Raises:
        errors.Permanent: `output_too_large`, such a sheet would be.
    """
    if wanted.sprite is False:
        return 1, 1
    asked = wanted.sprite if isinstance(wanted.sprite, Sheet) else Sheet()
    fitting = [max(1, rules.MAX_SIDE_PX // side) for side in cell]
    columns = asked.columns or min(SHEET_SIDES[-1], fitting[0], count)
    rows = asked.rows or min(SHEET_SIDES[-1], fitting[1], -(-count // columns))
    if columns > fitting[0] or rows > fitting[1]:
        told = f"{columns} × {rows} pictures of {cell[0]} × {cell[1]} pixels do not fit"
        raise errors.Permanent("output_too_large", f"{told} a sheet of {rules.MAX_SIDE_PX} pixels.")
    return columns, rows


def _exact(seconds: float) -> Fraction:
    """As it was written: 0.1 is a tenth."""
    return Fraction(repr(seconds))


_PLANNED = {STILL: _still, SEVERAL: _several, MOVING: _moving}
