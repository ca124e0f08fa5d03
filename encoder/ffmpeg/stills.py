"""Pairs of stills of a source and of what was made of it, at the same frames. Pure.

They are made as images are (`images`), by the chain of the output itself, so that both sides are turned, cut,
deinterlaced and tone-mapped alike and count their frames on one grid. A result in HDR is tone-mapped to be seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from encoder.errors import Defect
from encoder.ffmpeg import codecs, colours, command, sparse, timeline
from encoder.ffmpeg.case import Able
from encoder.model.base import replace
from encoder.model.media import Media, Opened, VideoStream
from encoder.model.plan import ImagesPlan, OutputPlan, Pass, Plan, VideoPlan
from encoder.model.proof import Proof

MOST_SIDE_PX = 640
MOST_BYTES = 40_000  # of one
PAIRS = 9
QUALITIES = (70, 40, 15)  # of WebP, until they are small enough
NAMES = "{index}"
_ENCODER = codecs.IMAGE_ENCODERS["webp"]
ENCODER = _ENCODER.name
_CHEAP_PIXELS = 1920 * 1080 * 900  # so much is decoded for what it costs to enter a source in nine places
_DISCONTINUITIES = ("-dts_delta_threshold", "1000000")  # of segments with others left out, times stay as they are


def moments(output: OutputPlan, opened: Opened, proof: Proof) -> tuple[int, ...]:
    """The frames of an output that are shown: the first, the last, seven between, evenly apart; and of what was
    compared with its source by VMAF, the frame that is least like it.
    """
    video, stream = _video(output), opened.media.video[0]
    count = next((count.shown for count in opened.counts if count.index == stream.index), 0)
    if video.encoder == codecs.COPY:  # its frames may be uneven, and are taken from a grid
        count = int((stream.duration_seconds or 0.0) * Fraction(video.rate))
    last = max(0, count - 1)
    even = (round(Fraction(place * last, PAIRS - 1)) for place in range(PAIRS))
    return tuple(sorted({*even, *(frame for frame in _worst(output, proof) if frame <= last)}))


def _worst(output: OutputPlan, proof: Proof) -> Iterator[int]:
    for check in proof.checks:
        if check.name == "quality" and (check.rendition or "") == output.name and isinstance(check.measured, dict):
            frame = check.measured.get("vmafLowestFrame")
            if isinstance(frame, int):
                yield frame


def seconds(output: OutputPlan, frame: int) -> tuple[float, float]:
    """When a frame is shown: in the output, and in the source, from its first moment on."""
    video = _video(output)
    begins = Fraction(0) if video.from_zero else Fraction(video.start_seconds)
    at = begins + frame / Fraction(video.rate)
    return float(at), float(at + Fraction(output.clip_start_seconds))


def tone_map(output: OutputPlan) -> str | None:
    """Whether what is shown was HDR, and became SDR in the output or only here."""
    video = _video(output)
    if video.tone_map is not None:
        return "planned"
    return "display" if video.color_transfer in colours.HDR else None


def of_source(output: OutputPlan, media: Media, frames: Sequence[int], size: tuple[int, int]) -> tuple[Plan, ...]:
    """The runs that show these frames of an output as its source has them: one through all of it where that is cheap,
    or cannot be otherwise; else one for each. `size`: of the stills.
    """
    video = _still_video(_video(output), size)
    still = replace(
        _webp(video, output.duration_seconds),
        seek_seconds=output.seek_seconds,
        clip_start_seconds=output.clip_start_seconds,
        clip_seconds=output.clip_seconds,
        clipped=output.clipped,
    )
    if not timeline.has_index(media) or _is_cheap(video, media):
        return (_run(replace(still, images=_chosen(frames), video=_held(video))),)
    return tuple(_run(_alone(still, media, frame)) for frame in frames)


def of_result(
    output: OutputPlan, opened: Opened, frames: Sequence[int], size: tuple[int, int], *, able: Able, whole: bool
) -> Plan:
    """The run that shows these frames of the result itself. `whole`: all of it is there, not only what holds them."""
    made = opened.media.video[0]
    planned = _video(output)
    video = VideoPlan(
        source_index=made.index,
        encoder=_ENCODER.name,
        codec=_ENCODER.codec,
        width_px=size[0],
        height_px=size[1],
        rate=planned.rate,
        pixel_format="yuv420p",
        gop_frames=1,
        matrix_in=colours.matrix_in(made),
        tone_map=made.color_transfer if made.color_transfer in colours.HDR else None,
        peak_nits=planned.peak_nits,
        strip_hdr=made.hdr_side_data,
        start_seconds=made.start_seconds - opened.media.start_seconds,
    )
    video = _held(_still_video(video, size))
    still = replace(_webp(video, opened.media.duration_seconds), images=_chosen(frames))
    plan = _run(still)
    keys = next((count.key_seconds for count in opened.counts if count.index == made.index), ())
    return sparse.decided(plan, {made.index: keys}, able) if whole else plan


def argv(plan: Plan, folder: Path, *, source_args: Sequence[str], threads: int | None, quality: int) -> list[str]:
    """The arguments of a run; it leaves its pictures in `folder`, called by `names`."""
    (still,) = plan.outputs
    asked = replace(still, video=replace(_video(still), options=(("-quality", str(quality)),)))
    path = folder / _name(0) if _is_single(still) else folder
    built = command.build(
        replace(plan, outputs=(asked,)),
        plan.passes[0],
        files={asked.output: path},
        threads=threads,
        source_args=source_args,
    )
    return [*_DISCONTINUITIES, *built]


def names(plan: Plan) -> tuple[str, ...]:
    """What a run calls its pictures, in order."""
    (still,) = plan.outputs
    return (
        (_name(0),) if _is_single(still) or still.images is None else tuple(map(_name, range(still.images.count or 0)))
    )


def size_of(streams: Sequence[OutputPlan], opened: Sequence[Opened]) -> tuple[int, int]:
    """The size of all stills of an output: that of the largest picture that it holds, within `MOST_SIDE_PX`."""
    shown = [each.media.video[0] for plan, each in zip(streams, opened, strict=True) if plan.video is not None]
    largest = max(shown, key=lambda stream: stream.display_width_px * stream.display_height_px)
    return _within(largest)


def _within(stream: VideoStream) -> tuple[int, int]:
    width, height = stream.display_width_px, stream.display_height_px
    share = min(Fraction(1), Fraction(MOST_SIDE_PX, max(width, height)))
    return max(2, 2 * int(width * share / 2)), max(2, 2 * int(height * share / 2))


def _webp(video: VideoPlan, seconds: float | None) -> OutputPlan:
    return OutputPlan(
        output=0,
        container="webp",
        muxer="image2",
        extension="webp",
        content_type="image/webp",
        video=video,
        duration_seconds=seconds,
    )


def _still_video(video: VideoPlan, size: tuple[int, int]) -> VideoPlan:
    """As it would be in a still of this size: in the colours of such images, and SDR."""
    width, height = size
    scale = None
    if video.scale is not None:
        across, down = Fraction(width, video.width_px), Fraction(height, video.height_px)
        scale = max(2, 2 * round(video.scale[0] * across / 2)), max(2, 2 * round(video.scale[1] * down / 2))
        if video.crop:
            scale = max(scale[0], width), max(scale[1], height)
        elif video.pad:
            scale = min(scale[0], width), min(scale[1], height)
    hdr = video.color_transfer if video.color_transfer in colours.HDR else None
    return replace(
        video,
        encoder=_ENCODER.name,
        codec=_ENCODER.codec,
        codec_tag=None,
        width_px=width,
        height_px=height,
        scale=scale,
        pixel_format=_ENCODER.pixel_formats[0],
        color_range=_ENCODER.color_range,
        color_matrix=_ENCODER.color_matrix,
        color_primaries="bt709",
        color_transfer="iec61966-2-1",
        tone_map=video.tone_map or hdr,
        strip_hdr=video.strip_hdr or hdr is not None,
        options=(),
        crf=None,
        two_pass=False,
        target_quality=None,
        profile=None,
        level=None,
        grid=False,
        upload=(),
        frames=None,
    )


def _held(video: VideoPlan) -> VideoPlan:
    """A source's length may be some frames off: then its last one stands for the moment."""
    return replace(video, held_frames=max(video.held_frames, video.frames_limit) + 1)


def _chosen(frames: Sequence[int]) -> ImagesPlan:
    return ImagesPlan(kind="several", count=len(frames), frames=tuple(frames), names=NAMES)


def _alone(still: OutputPlan, media: Media, frame: int) -> OutputPlan:
    """One frame, entered near it."""
    rate = Fraction(_video(still).rate)
    start = round(Fraction(seconds(still, frame)[1]) * rate) / rate
    return replace(
        still,
        images=ImagesPlan(kind="still", count=1),
        video=_held(replace(_video(still), from_zero=False)),
        seek_seconds=float(timeline.seek(media, start, rate)),
        clip_start_seconds=float(start),
        clip_seconds=float(1 / rate),
        clipped=True,
        duration_seconds=float(1 / rate),
    )


def _is_cheap(video: VideoPlan, media: Media) -> bool:
    stream = next(stream for stream in media.video if stream.index == video.source_index)
    length = stream.duration_seconds or media.duration_seconds
    frames = None if length is None else length * Fraction(video.rate)
    return frames is not None and frames * stream.coded_width * stream.coded_height <= _CHEAP_PIXELS


def _run(still: OutputPlan) -> Plan:
    return Plan(outputs=(still,), passes=(Pass(outputs=(still.output,)),))


def _is_single(still: OutputPlan) -> bool:
    return still.images is not None and still.images.kind == "still"


def _name(place: int) -> str:
    return f"{place + 1:05}.webp"


def _video(output: OutputPlan) -> VideoPlan:
    if output.video is None:
        raise Defect("an output without a picture has no stills")
    return output.video
