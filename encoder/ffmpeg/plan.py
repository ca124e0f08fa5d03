"""What will be run and why: from the facts of a source and the outputs that are wanted of it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from encoder import errors
from encoder.ffmpeg import (
    cadence,
    codecs,
    cuts,
    images,
    packages,
    picture,
    quality,
    rates,
    rules,
    sound,
    sparse,
    subtitles,
    timeline,
)
from encoder.ffmpeg.cadence import Frames
from encoder.ffmpeg.case import Able, Case, Cuts
from encoder.ffmpeg.codecs import VideoEncoder
from encoder.ffmpeg.sparse import Entries
from encoder.ffmpeg.timeline import Span
from encoder.model.base import replace
from encoder.model.job import OutputSpec
from encoder.model.media import Media, VideoStream
from encoder.model.plan import AudioPlan, Mark, OutputPlan, Pass, Plan, Refusal, Script, VideoPlan


def decide(
    media: Media,
    outputs: Mapping[int, OutputSpec],
    able: Able,
    marks: Mapping[int, Mark] | None = None,
    entries: Entries | None = None,
    scripts: Mapping[int, tuple[Script, ...]] | None = None,
    ends: Cuts | None = None,
) -> Plan:
    """The plan of a job's outputs, by their position in the job. `marks`: the watermarks that they ask for; `scripts`:
    the files of subtitles.

    `entries`: where the pictures of the source can be entered, as far as that is known; `ends`: where copies of them
    can end.

    An output that this source or this ffmpeg cannot give is refused, with the code and the sentence for its caller,
    and stops no other.
    """
    plans: list[OutputPlan] = []
    refused: list[Refusal] = []
    for number, spec in outputs.items():
        try:
            mark, brought = (marks or {}).get(number), (scripts or {}).get(number, ())
            case = Case(media=media, spec=spec, able=able, mark=mark, scripts=brought, cuts=ends or {})
            plans.append(_output(number, case))
        except errors.Permanent as failure:
            refused.append(Refusal(output=number, code=failure.code, message=failure.message))
    plan = Plan(outputs=tuple(plans), passes=passes(plans), refused=tuple(refused))
    return sparse.decided(plan, entries or {}, able)


def passes(plans: Collection[OutputPlan]) -> tuple[Pass, ...]:
    """The runs that make these outputs: one decode for all that see the same frames of the same track.

    Copies and sound alone cost no decode of the picture: each goes by itself and waits for no encoder.
    """
    shared: dict[object, list[int]] = {}
    for plan in sorted(plans, key=lambda plan: plan.images is not None):  # ffmpeg counts the frames of the first
        shared.setdefault(_decode(plan), []).append(plan.output)
    return tuple(Pass(outputs=tuple(numbers)) for numbers in shared.values())


def _decode(plan: OutputPlan) -> object:
    """What outputs must have in common to share a decode."""
    video = plan.video
    if video is None or video.encoder == codecs.COPY:
        return plan.output
    # the end may differ: each output stops by itself
    return plan.seek_seconds, plan.clip_start_seconds, video.source_index, video.deinterlace, video.telecine


def _chosen(case: Case) -> Case:
    """With `toggle-h264-hevc`, the codec that the source does not have."""
    if case.spec.video_codec != codecs.TOGGLE:
        return case
    has = picture.track(case).codec
    other = codecs.other_of_two(has)
    case.because("toggled", f"The source is {has}: made {other}.")
    return dataclasses.replace(case, spec=replace(case.spec, video_codec=other))


def _output(number: int, case: Case) -> OutputPlan:
    if case.container.images:
        return images.planned(number, case)
    case = _chosen(case)
    if case.container.captions:
        return _captions(number, case)
    if case.container.package:
        return packages.planned(number, *_encoding(case, rules.video_codec(case.spec)))
    video, span = _video(case)
    sounds = sound.all_planned(case, span)
    audio = next(iter(sounds), None)
    carried = subtitles.carried(number, case)
    container = case.container
    if video is None and audio is None:
        raise errors.Permanent("no_audio_stream", "The source has no sound, and the output no picture.")
    return OutputPlan(
        output=number,
        container=container.name,
        muxer=container.muxer,
        extension=container.extension,
        content_type=container.content(picture=video is not None),
        faststart=container.boxes,
        video=video,
        audio=audio,
        more_audio=sounds[1:],
        subtitles=carried,
        seek_seconds=float(span.seek),
        clip_start_seconds=float(span.start),
        clipped=span.clipped,
        clip_seconds=None if span.end is None else float(span.end - span.start),
        duration_seconds=_duration(case.media, span, video, *sounds),
        start_offset_seconds=audio.start_seconds - video.start_seconds if audio and video else 0.0,
        measure=quality.wanted(case.spec, video, case.able.filters),
        reasons=tuple(case.reasons),
        warnings=tuple(case.warnings),
    )


def _captions(number: int, case: Case) -> OutputPlan:
    """A track of subtitles by itself."""
    span = timeline.span(case.media, case.spec.clip, None)
    container = case.container
    return OutputPlan(
        output=number,
        container=container.name,
        muxer=container.muxer,
        extension=container.extension,
        content_type=container.content_type,
        subtitles=subtitles.carried(number, case),
        clip_start_seconds=float(span.start),
        clipped=span.clipped,
        clip_seconds=None if span.end is None else float(span.end - span.start),
        duration_seconds=span.length_of(case.media.start_seconds, case.media.duration_seconds),
        reasons=tuple(case.reasons),
        warnings=tuple(case.warnings),
    )


def _video(case: Case) -> tuple[VideoPlan | None, Span]:
    """The picture, and the part of the source that it and the sound show."""
    wanted = rules.video_codec(case.spec)
    if wanted == codecs.NONE:
        return None, timeline.span(case.media, case.spec.clip, None)
    stream = picture.track(case)
    if wanted == codecs.COPY and _may_copy(case, stream):
        rate = rates.source_rate(stream) or rates.HIGHEST
        span = cuts.parted(case, stream, timeline.span(case.media, case.spec.clip, rate), rate)
        return picture.copied(case, cadence.shown(Frames(stream=stream, span=span, rate=rate))), span
    fitting, encoder = _encoding(case, wanted)
    height = picture.size(stream, case.spec, least_px=encoder.min_side_px).size[1]
    deinterlace = cadence.deinterlacing(stream, case.spec, height)
    rate = cadence.frame_rate(stream, case.spec, deinterlace)
    span = timeline.span(case.media, case.spec.clip, rate, lead_seconds=subtitles.lead_seconds(case))
    telecine = cadence.telecine(stream, case.spec)
    frames = Frames(stream=stream, span=span, rate=rate, deinterlace=deinterlace, telecine=telecine)
    return picture.planned(fitting, encoder, cadence.shown(frames)), span


def _encoding(case: Case, wanted: str) -> tuple[Case, VideoEncoder]:
    """The encoder for a `videoCodec`, and the case without what was said to another one."""
    encoder = _encoder(case, case.container.video[0] if wanted == codecs.COPY else wanted)
    named = encoder.name == wanted or wanted in (codecs.COPY, encoder.codec)
    return case if named else _without_controls(case), encoder


def _may_copy(case: Case, stream: VideoStream) -> bool:
    why = _copy_hindrance(case, stream)
    if why is not None:
        case.warn("codec_substituted", f"{why}: the picture is encoded anew.")
    return why is None


def _copy_hindrance(case: Case, stream: VideoStream) -> str | None:
    """Why a picture cannot be copied as it is."""
    container = case.container
    hindrances = {
        f"{container.name} holds no {stream.codec}": stream.codec not in container.video,
        f"{container.name} holds no turned picture": bool(stream.rotation_deg or stream.mirrored)
        and not container.turns,
        f"{container.name} has no place for what is transparent": stream.alpha_beside and not container.alpha_beside,
        "Its first frames cannot be decoded": stream.lead_frames > 0,
        "The source does not time its frames": not timeline.states_times(case.media),
        "Such a copy can only be cut at keyframes": case.spec.clip is not None and not _may_cut(case, stream),
        "Near the end of the clip each frame waits for a later one": not cuts.may_end(case, stream),
    }
    return next((why for why, hinders in hindrances.items() if hinders), None)


def _may_cut(case: Case, stream: VideoStream) -> bool:
    """A copy begins at the keyframe before its clip: MP4 hides what comes too early, Matroska plays it."""
    return case.container.boxes and timeline.has_index(case.media) and not stream.variable_rate


def _encoder(case: Case, wanted: str) -> VideoEncoder:
    """The encoder for a `videoCodec`: the one named, else another of its family."""
    named = codecs.video_encoders(wanted)
    family = codecs.video_encoders(named[0].codec)
    able = next((encoder for encoder in (*named, *family) if encoder.name in case.able.encoders), None)
    if able is None:
        raise errors.Permanent("encoder_not_available", f"No worker here has the video encoder {wanted}.")
    if able not in named:
        case.warn("codec_substituted", f"{wanted} is missing here; {able.name} makes the same {able.codec}.")
    return able


def _without_controls(case: Case) -> Case:
    """For another encoder than the one that was named: speeds and qualities mean something else to it."""
    spec = replace(case.spec, crf=None, encoder_preset=None, tune=None, profile=None, level=None)
    return dataclasses.replace(case, spec=spec)


def _duration(media: Media, span: Span, *planned: VideoPlan | AudioPlan | None) -> float | None:
    """From the output's zero to the end of what ends last."""
    ends = [
        stream.start_seconds + stream.duration_seconds
        for stream in planned
        if stream is not None and stream.duration_seconds is not None
    ]
    return max(ends, default=span.length_of(media.start_seconds, media.duration_seconds))
