"""The picture of an output in chunks: which pictures can be made so, where they part, and the plan of one. Pure.

A chunk is a clip of the picture, without sound: of the same source, through the same chain, on the same grid of frames.
Sound is made whole, by the run that joins them (docs/why/encoding.md, "Chunks").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from fractions import Fraction
from math import lcm

import msgspec

from encoder.errors import Defect
from encoder.ffmpeg import codecs, containers, joint, timeline
from encoder.model.base import replace, to_json
from encoder.model.chunk import Chunk, Split
from encoder.model.media import Media
from encoder.model.plan import Note, OutputPlan, Part, Pass, Plan, VideoPlan

NOT_CHUNKED = "not_chunked"
_MAKING = 2  # one more where the same plan gives other chunks than before
_CONTAINER = containers.CONTAINERS["mp4"]  # its times are exact, and it holds every codec
_LEAST_LAST_SECONDS = 10  # a shorter last chunk joins the one before


def hindrance(output: OutputPlan, media: Media) -> Note | None:
    """Why the picture of an output is never made in chunks; None: it can be."""
    videos = [stream.video for stream in joint.drawn(output) if stream.video is not None]
    hindrances = {
        "images are single frames": output.images is not None,
        "it has no picture": not videos,
        "its picture is copied": any(video.encoder == codecs.COPY for video in videos),
        "an encoder in hardware makes it": any(_in_hardware(video) for video in videos),
        "the frames of a film are found by what came before": any(video.telecine or video.evened for video in videos),
        "its picture may be transparent": any(video.transparent for video in videos),
        "what its subtitles show may have been put up long before": any(_draws_pictures(video) for video in videos),
        "its length is not known": any(video.frames is None for video in videos),
        "its source has no index": not timeline.has_index(media),
        "its source is cut short": media.cut_short,
    }
    why = next((why for why, hinders in hindrances.items() if hinders), None)
    return None if why is None else Note(code=NOT_CHUNKED, message=f"It is made in one piece: {why}.")


def split(plan: Plan, media: Media, *, seconds: float, identity: str) -> Split | None:
    """The chunks of all outputs that can be made so, each about `seconds` long; None: there are not even two.

    `identity`: what else decides what they hold: the source's, that of the files over its picture, ffmpeg's version.
    """
    chunks: list[Chunk] = []
    for one_pass in plan.passes:
        able = [plan.output(number) for number in one_pass.outputs]
        for group in _groups((each for each in able if hindrance(each, media) is None), media, Fraction(seconds)):
            chunks += _chunks(group, Fraction(seconds))
    if not chunks:
        return None
    numbers = sorted({number for chunk in chunks for number in chunk.outputs})
    return Split(key=key([plan.output(number) for number in numbers], identity), chunks=tuple(chunks))


def streams(plan: Plan, chunk: Chunk) -> list[tuple[int, str]]:
    """What a chunk is of: outputs and their renditions, in the order in which `part` numbers them."""
    return [(stream.output, stream.name) for stream in _streams(plan, chunk)]


def part(plan: Plan, media: Media, chunk: Chunk) -> tuple[Plan, Pass]:
    """The plan of one chunk: an output for each of its streams, numbered from 0, and the pass that makes them all."""
    start, end = Fraction(chunk.start_seconds), None if chunk.end_seconds is None else Fraction(chunk.end_seconds)
    whole = _streams(plan, chunk)
    run_in = [_run_in(stream, media, start) for stream in whole]
    pieces = [_begun(_piece(each, number, start, end), run_in[number]) for number, each in enumerate(whole)]
    origin, clip_start = Fraction(whole[0].seek_seconds), Fraction(whole[0].clip_start_seconds)
    earlier = max(frames / Fraction(_video(each).rate) for frames, each in zip(run_in, whole, strict=True))
    begin = clip_start + start - earlier
    enter = timeline.seek(media, begin, Fraction(_video(whole[0]).rate)) if start else origin
    one_pass = Pass(
        outputs=tuple(piece.output for piece in pieces),
        part=Part(
            enter_seconds=float(max(Fraction(0), enter - origin)),
            start_seconds=_micros(clip_start + start - origin) if start else None,
            end_seconds=None if end is None else _micros(clip_start + end - origin),
            run_in=tuple(run_in),
        ),
    )
    return Plan(outputs=tuple(pieces), passes=(one_pass,)), one_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Outputs that are made in the same chunks. Seconds are of the outputs' time."""

    outputs: tuple[int, ...]
    unit: Fraction  # every boundary is a multiple of it
    late: Fraction  # when the source's picture begins
    end: Fraction  # when it ends
    clip_seconds: float | None


def _groups(outputs: Iterable[OutputPlan], media: Media, seconds: Fraction) -> list[_Group]:
    """Those of one decode that end together and whose keyframes meet often enough."""
    groups: list[_Group] = []
    for output in outputs:
        mine = _alone(output, media, seconds)
        for place, group in enumerate(groups):
            unit = _common(group.unit, mine.unit)
            if group.clip_seconds == mine.clip_seconds and unit <= max(seconds, group.unit, mine.unit):
                groups[place] = changed(
                    group, outputs=(*group.outputs, *mine.outputs), unit=unit, end=min(group.end, mine.end)
                )
                break
        else:
            groups.append(mine)
    return groups


def _alone(output: OutputPlan, media: Media, seconds: Fraction) -> _Group:
    videos = [_video(stream) for stream in joint.drawn(output)]
    unit = _unit(videos[0], seconds)
    for video in videos[1:]:
        unit = _common(unit, _unit(video, seconds))
    return _Group(
        outputs=(output.output,),
        unit=unit,
        late=_late(joint.drawn(output)[0], media),
        end=min(_end(video) for video in videos),
        clip_seconds=output.clip_seconds,
    )


def _late(stream: OutputPlan, media: Media) -> Fraction:
    """When the source's picture begins, in the output's time."""
    source = next(each for each in media.video if each.index == _video(stream).source_index)
    return Fraction(max(0.0, source.start_seconds - media.start_seconds - stream.clip_start_seconds))


def _run_in(stream: OutputPlan, media: Media, start: Fraction) -> int:
    """How many frames before a chunk are encoded with it, of those that there are."""
    if not start:
        return 0
    wanted = Fraction(codecs.VIDEO_ENCODERS[_video(stream).encoder].run_in_seconds)
    return round(min(wanted, (start - _late(stream, media)) / 2) * Fraction(_video(stream).rate))


def _begun(piece: OutputPlan, run_in: int) -> OutputPlan:
    """A piece that is encoded from so many frames before it on, with a keyframe where it begins."""
    if not run_in:
        return piece
    video = _video(piece)
    seconds = run_in / Fraction(video.rate)
    return replace(
        piece,
        clip_start_seconds=float(Fraction(piece.clip_start_seconds) - seconds),
        clip_seconds=None if piece.clip_seconds is None else float(Fraction(piece.clip_seconds) + seconds),
        video=replace(video, options=(*video.options, ("-force_key_frames", f"expr:eq(n,{run_in})"))),
    )


def _unit(video: VideoPlan, seconds: Fraction) -> Fraction:
    """From keyframe to keyframe; to any frame, where they lie on no grid and further apart than chunks are long."""
    gop = video.gop_frames / Fraction(video.rate)
    return gop if video.grid or gop <= seconds else 1 / Fraction(video.rate)


def _common(one: Fraction, other: Fraction) -> Fraction:
    """The least that is a multiple of both."""
    denominator = lcm(one.denominator, other.denominator)
    ticks = lcm(one.numerator * (denominator // one.denominator), other.numerator * (denominator // other.denominator))
    return Fraction(ticks, denominator)


def _end(video: VideoPlan) -> Fraction:
    """When the last frame of the source is over: what is held of it belongs to the last chunk."""
    return Fraction(video.start_seconds) + ((video.frames or 0) - video.held_frames) / Fraction(video.rate)


def _chunks(group: _Group, seconds: Fraction) -> list[Chunk]:
    """From 0 to the end; none where it would be one alone."""
    step = max(1, round(seconds / group.unit)) * group.unit
    least = min(Fraction(_LEAST_LAST_SECONDS), step / 2)
    inner: list[Fraction] = []
    while group.end - (at := step * (len(inner) + 1)) >= least:
        inner.append(at)
    starts = [Fraction(0), *(at for at in inner if at >= group.late + least)]
    if len(starts) == 1:
        return []
    ends = [*(str(start) for start in starts[1:]), None]
    return [
        Chunk(outputs=group.outputs, place=place, start_seconds=str(start), end_seconds=end)
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _streams(plan: Plan, chunk: Chunk) -> list[OutputPlan]:
    return [stream for number in chunk.outputs for stream in joint.drawn(plan.output(number))]


def _piece(stream: OutputPlan, number: int, start: Fraction, end: Fraction | None) -> OutputPlan:
    """A part of a picture, as an output of its own."""
    video = _video(stream)
    rate = Fraction(video.rate)
    begun = Fraction(video.start_seconds) if not start and not video.from_zero else Fraction(0)
    frames = None if video.frames is None else video.frames + round((Fraction(video.start_seconds) - start) * rate)
    if end is not None:
        frames = round((end - start - begun) * rate)
    elif not start:
        frames = video.frames
    seconds = None if frames is None else float(frames / rate)
    clip_seconds = float(end - start) if end is not None else None
    if end is None and stream.clip_seconds is not None:
        clip_seconds = float(Fraction(stream.clip_seconds) - start)
    return replace(
        stream,
        output=number,
        name="",
        container=_CONTAINER.name,
        muxer=_CONTAINER.muxer,
        extension=_CONTAINER.extension,
        content_type=_CONTAINER.content_type,
        package=None,
        renditions=(),
        faststart=False,
        audio=None,
        more_audio=(),
        subtitles=(),
        measure=(),
        clipped=True,
        clip_start_seconds=float(Fraction(stream.clip_start_seconds) + start),
        clip_seconds=clip_seconds,
        duration_seconds=seconds,
        video=replace(
            video,
            options=(*video.options, *codecs.VIDEO_ENCODERS[video.encoder].stitched),
            codec_tag=_CONTAINER.tags.get(video.codec),
            from_zero=video.from_zero and not start,
            held_frames=video.held_frames if end is None else 0,
            start_seconds=float(begun),
            duration_seconds=seconds,
            frames=frames,
            frames_limit=video.frames_limit if end is None else 0,
        ),
    )


def key(outputs: Sequence[OutputPlan], identity: str) -> str:
    """Of all that decides what chunks hold, and of nothing else: reasons, sound and places may change."""
    whole = [_piece(stream, stream.output, Fraction(0), None) for output in outputs for stream in joint.drawn(output)]
    names = [stream.name for output in outputs for stream in joint.drawn(output)]
    said = [to_json(replace(each, reasons=(), warnings=())) for each in whole]
    return hashlib.sha256(msgspec.json.encode([_MAKING, identity, names, said])).hexdigest()


def _in_hardware(video: VideoPlan) -> bool:
    return video.encoder in codecs.VIDEO_ENCODERS and codecs.VIDEO_ENCODERS[video.encoder].in_hardware


def _draws_pictures(video: VideoPlan) -> bool:
    return video.burnt is not None and video.burnt.file is None


def _video(stream: OutputPlan) -> VideoPlan:
    if stream.video is None:
        raise Defect("a chunk without a picture")
    return stream.video


def _micros(seconds: Fraction) -> float:
    """In whole microseconds, so that one chunk ends in the very words in which the next begins."""
    return round(seconds * 1_000_000) / 1_000_000
