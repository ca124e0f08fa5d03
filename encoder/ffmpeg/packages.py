"""A package's plan: its rungs, all on one grid of frames, and its sound, cut by the same rational.

Rounding a segment's seconds to frames drifts from the sound, at 29.97 a whole segment in 100 minutes: here frames come
first, and what they last is exact (docs/why/encoding.md, "Packages").
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from fractions import Fraction

from encoder.ffmpeg import cadence, containers, ladder, picture, quality, rates, sound, subtitles, timeline
from encoder.ffmpeg.cadence import Frames
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.codecs import VideoEncoder
from encoder.ffmpeg.timeline import Span
from encoder.model.base import replace
from encoder.model.job import OutputSpec
from encoder.model.media import VideoStream
from encoder.model.plan import KEY_FILE, AudioPlan, Note, OutputPlan, PackagePlan, VideoPlan

PLAYLISTS = {"hls": "master.m3u8", "dash": "manifest.mpd", "cmaf": "master.m3u8"}
LEAST_FRAMES = 5  # of a segment: players stumble over shorter ones
_HELD_FROM_SECONDS = 1.0


def planned(number: int, case: Case, encoder: VideoEncoder) -> OutputPlan:
    """The plan of one package.

    Raises:
        errors.Permanent: as of single outputs.
    """
    stream = picture.track(case)
    specs = ladder.rungs(case, stream, least_px=encoder.min_side_px)
    frames = _frames(case, stream, specs.values(), encoder)
    package = _package(case, frames)
    tracks = sound.all_planned(case, frames.span)
    until = max((end for track in tracks if (end := _end(track)) is not None), default=0.0)
    rungs = tuple(_held(rung, until) for rung in _rungs(number, case, specs, encoder, frames))
    sounds = _sounds(tracks, _end(rungs[0].video) or 0.0)
    heard = [_rendition(number, case, frames.span, name, audio=audio) for name, audio in sounds.items()]
    length = max((end for each in (*rungs, *heard) if (end := each.duration_seconds)), default=None)
    renditions = (*rungs, *heard, *_texts(number, case, frames.span, length))
    container = case.container
    return OutputPlan(
        output=number,
        container=container.name,
        muxer=container.muxer,
        extension=container.extension,
        content_type=container.content_type,
        package=package,
        renditions=renditions,
        video=rungs[0].video,
        audio=next(iter(sounds.values()), None),
        seek_seconds=float(frames.span.seek),
        clip_start_seconds=float(frames.span.start),
        clipped=frames.span.clipped,
        clip_seconds=renditions[0].clip_seconds,
        duration_seconds=length,
        reasons=tuple(case.reasons),
        warnings=tuple(case.warnings),
    )


def _frames(case: Case, stream: VideoStream, specs: Iterable[OutputSpec], encoder: VideoEncoder) -> Frames:
    """What all rungs show: one rate, one grid, one start."""
    highest = max(picture.size(stream, spec, least_px=encoder.min_side_px).size[1] for spec in specs)
    deinterlace = cadence.deinterlacing(stream, case.spec, highest)
    rate = cadence.frame_rate(stream, case.spec, deinterlace)
    span = timeline.span(case.media, case.spec.clip, rate, lead_seconds=subtitles.lead_seconds(case))
    frames = Frames(
        stream=stream,
        span=span,
        rate=rate,
        deinterlace=deinterlace,
        telecine=cadence.telecine(stream, case.spec),
        gop=_gop(case.spec, rate),
    )
    return cadence.shown(frames)


def _gop(spec: OutputSpec, rate: Fraction) -> int:
    """Whole frames between keyframes: as asked, and never more than a segment; else about two seconds, of which a
    segment has a whole number."""
    segment = Fraction(spec.segment_seconds or ladder.SEGMENT_SECONDS)
    if spec.keyframe_interval is not None:
        return max(1, round(min(Fraction(spec.keyframe_interval), segment) * rate))
    if spec.segment_seconds is None:
        return rates.gop_frames(rate)
    return max(1, round(segment * rate / _nearest(segment / rates.GOP_SECONDS)))


def _nearest(number: Fraction) -> int:
    """At least 1; halves go up, so that rates which differ by a thousandth do not part there."""
    return max(1, int(number + Fraction(1, 2)))


def _package(case: Case, frames: Frames) -> PackagePlan:
    spec, gop = case.spec, frames.gop or 1
    gops = _nearest(Fraction(spec.segment_seconds or ladder.SEGMENT_SECONDS) * frames.rate / gop)
    gops = max(gops, math.ceil(LEAST_FRAMES / gop))
    seconds = gops * gop / frames.rate
    case.because(
        "segments",
        f"A keyframe every {gop} frames in all renditions, a segment every {gops * gop}: {float(seconds):.6g} s.",
    )
    if spec.encryption:
        case.because(
            "encryption",
            f"Segments are encrypted (AES-128); the key is the package's file {KEY_FILE}: guard it where you serve it.",
        )
    return PackagePlan(
        kind=spec.container,
        segments=ladder.segments_of(spec),
        segment_frames=gops * gop,
        segment_seconds=f"{seconds.numerator}/{seconds.denominator}",
        playlist_name=spec.playlist_name or PLAYLISTS[spec.container],
        encryption=spec.encryption,
    )


def _rungs(
    number: int, case: Case, specs: dict[str, OutputSpec], encoder: VideoEncoder, frames: Frames
) -> tuple[OutputPlan, ...]:
    made: list[OutputPlan] = []
    for name, spec in specs.items():
        rung = dataclasses.replace(case, spec=spec, reasons=[], warnings=[])
        video = picture.planned(rung, encoder, frames)
        made.append(_rendition(number, case, frames.span, name, video=video))
        _add(case.reasons, rung.reasons)
        _add(case.warnings, rung.warnings)
    return tuple(made)


def _add(notes: list[Note], more: Iterable[Note]) -> None:
    """What rungs have in common is told once."""
    notes.extend(note for note in more if note not in notes)


def _end(stream: VideoPlan | AudioPlan | None) -> float | None:
    if stream is None or stream.duration_seconds is None:
        return None
    return stream.start_seconds + stream.duration_seconds


def _held(rung: OutputPlan, until: float) -> OutputPlan:
    """A picture that ends long before the sound goes on with its last frame: a player that waits for more stands still.

    Near the end players have read all there is, and wait for nothing.
    """
    video, end = rung.video, _end(rung.video)
    if video is None or video.frames is None or end is None or until - end < _HELD_FROM_SECONDS:
        return rung
    rate = Fraction(video.rate)
    more = int(Fraction(until - end) * rate)
    seconds = float((video.frames + more) / rate)
    held = replace(video, held_frames=more, frames=video.frames + more, duration_seconds=seconds)
    return replace(rung, video=held, duration_seconds=seconds)


def _sounds(tracks: Iterable[AudioPlan], until: float) -> dict[str, AudioPlan]:
    """Each track of sound by the name of its folder, the default one first: it is alone there, and marks nothing."""
    named: dict[str, AudioPlan] = {}
    for audio in sorted(tracks, key=lambda audio: audio.default is False):
        name = f"audio-{audio.language}" if audio.language else "audio"
        named[ladder.unused(name, named)] = replace(_filled(audio, until), default=None)
    return named


def _filled(audio: AudioPlan, until: float) -> AudioPlan:
    """Late sound is preceded by silence, and where the picture goes on it is followed by some: players wait for both.

    As much as it lacks by its header, so that a track that was cut short still ends too early.
    """
    filters, end = audio.filters, _end(audio)
    if audio.start_seconds:
        filters = (*filters, "aresample=async=1:first_pts=0")
    if end is not None and until - end > audio.frame_seconds:
        filters = (*filters, f"apad=pad_dur={until - end:.6f}", f"atrim=end={until:.6f}")
        end = until
    return replace(audio, filters=filters, start_seconds=0.0, duration_seconds=end)


def _texts(number: int, case: Case, span: Span, length: float | None) -> Iterator[OutputPlan]:
    """Each track of subtitles: a folder with one file, beside what is cut into segments."""
    single = next(each for each in containers.CONTAINERS.values() if each.captions)
    names: set[str] = set()
    for track in subtitles.carried(number, case):
        name = ladder.unused(f"subtitles-{track.language}" if track.language else "subtitles", names)
        names.add(name)
        yield OutputPlan(
            output=number,
            name=name,
            container=single.name,
            muxer=single.muxer,
            extension=single.extension,
            content_type=single.content_type,
            subtitles=(track,),
            clip_start_seconds=float(span.start),
            clipped=span.clipped,
            clip_seconds=None if span.end is None else float(span.end - span.start),
            duration_seconds=length,
        )


def _rendition(
    number: int,
    case: Case,
    span: Span,
    name: str,
    *,
    video: VideoPlan | None = None,
    audio: AudioPlan | None = None,
) -> OutputPlan:
    """A folder of the package: written by ffmpeg's hls muxer, judged as the file that its segments make together."""
    single = containers.CONTAINERS[ladder.SINGLE[ladder.segments_of(case.spec)]]
    stream = video or audio
    return OutputPlan(
        output=number,
        name=name,
        container=single.name,
        muxer=case.container.muxer,
        extension="m3u8",
        content_type=single.content(picture=video is not None),
        video=video,
        audio=audio,
        seek_seconds=float(span.seek),
        clip_start_seconds=float(span.start),
        clipped=span.clipped,
        clip_seconds=None if span.end is None else float(span.end - span.start),
        duration_seconds=stream.duration_seconds if stream else None,
        measure=quality.wanted(case.spec, video, case.able.filters),
    )
