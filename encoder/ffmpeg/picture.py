"""The video stream of an output: size, colours and encoder, each with its reason. Its frames: `cadence`."""

from __future__ import annotations

from fractions import Fraction

from encoder import errors
from encoder.ffmpeg import cadence, codecs, colours, controls, geometry, hardware, levels, rates, subtitles, target
from encoder.ffmpeg.cadence import Frames
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.codecs import VideoEncoder
from encoder.ffmpeg.formats import MOST_PIXELS, MOST_SIDE_PX
from encoder.ffmpeg.geometry import Fitted
from encoder.model.base import replace
from encoder.model.job import OutputSpec
from encoder.model.media import VideoStream
from encoder.model.plan import BurntPlan, VideoPlan, WatermarkPlan

_TEN_BIT = codecs.TEN_BIT[0]
_LONGEST_INTERVAL_S = 60.0  # between two frames on average; two frames ten hours apart would become a million


def track(case: Case) -> VideoStream:
    """The default track, else the first; never a cover picture.

    Raises:
        errors.Permanent: `no_video_stream`; `duration_mismatch`, frames minutes apart: a bomb, or time stamps that lie.
    """
    tracks = [stream for stream in case.media.video if not stream.attached_picture]
    if not tracks:
        raise errors.Permanent("no_video_stream", "The source has no picture; ask for an audio output.")
    chosen = next((stream for stream in tracks if stream.default), tracks[0])
    if len(tracks) > 1:
        why = "the first default one" if chosen.default else "the first"
        case.because("video_track", f"Picture is stream {chosen.index}: {why} of {len(tracks)} tracks.")
    if chosen.frames and (chosen.duration_seconds or 0) / chosen.frames > _LONGEST_INTERVAL_S:
        told = f"{chosen.frames} frames in {chosen.duration_seconds:.0f} s: its time stamps cannot be right."
        raise errors.Permanent("duration_mismatch", told)
    return chosen


def size(stream: VideoStream, spec: OutputSpec, *, least_px: int = 2) -> Fitted:
    """The size of an output, from the picture as it is presented and then turned by `rotate`."""
    shown = stream.display_width_px, stream.display_height_px
    if (spec.rotate or 0) % 180:
        shown = shown[1], shown[0]
    return geometry.fitted(shown, spec, least_px=least_px)


def planned(case: Case, encoder: VideoEncoder, frames: Frames) -> VideoPlan:
    """The video stream, encoded.

    Raises:
        errors.Permanent: `unsupported_hdr`, `picture_too_large`.
    """
    stream, spec = frames.stream, case.spec
    fit = size(stream, spec, least_px=encoder.min_side_px)
    if fit.size[0] * fit.size[1] > MOST_PIXELS or max(fit.size) > MOST_SIDE_PX:
        told = f"It would be {fit.size[0]}×{fit.size[1]}; a picture has at most 8192×4320 pixels."
        raise errors.Permanent("picture_too_large", told)
    transfer = colours.hdr_transfer(case, stream, encoder)
    keeps_hdr = transfer is not None and not spec.tone_map
    _explain(case, fit, frames)
    _explain_control(case, encoder)
    count, slack = cadence.count(frames)
    video = VideoPlan(
        source_index=stream.index,
        decoder=colours.decoder(case, stream),
        encoder=encoder.name,
        codec=encoder.codec,
        codec_tag=case.container.tags.get(encoder.codec),
        width_px=fit.size[0],
        height_px=fit.size[1],
        rate=_text(frames.rate),
        pixel_format=spec.pixel_format or _pixel_format(spec, encoder, keeps_hdr=keeps_hdr),
        gop_frames=frames.gop or _gop(spec, frames.rate),
        grid=frames.gop is not None,
        from_zero=frames.gop is not None and round(Fraction(frames.late_seconds) * frames.rate) > 0,
        bitrate_bps=spec.video_bitrate,
        max_bitrate_bps=spec.max_bitrate,
        crf=controls.quality(spec, encoder),
        watermark=_watermark(case, keeps_hdr=keeps_hdr),
        burnt=_burnt(case, fit.size, keeps_hdr=keeps_hdr),
        upload=hardware.upload(encoder.name),
        target_quality=spec.target_quality,
        two_pass=bool(spec.two_pass) and encoder.two_passes,
        profile=_profile(spec, encoder),
        level=_level(case, encoder, fit.size, frames.rate),
        color_primaries="bt2020" if keeps_hdr else "bt709",
        color_transfer=transfer if keeps_hdr and transfer else "bt709",
        color_matrix="bt2020nc" if keeps_hdr else "bt709",
        deinterlace=frames.deinterlace,
        telecine=frames.telecine,
        evened=_film(stream),
        turn_deg=spec.rotate or 0,
        matrix_in=colours.matrix_in(stream),
        tone_map=None if keeps_hdr else transfer,
        gamut=None if transfer else colours.gamut(case, stream),
        linear=colours.is_linear(stream),
        peak_nits=colours.peak_nits(stream),
        strip_hdr=stream.hdr_side_data and (not keeps_hdr or colours.is_absurd(stream)),
        transparent=colours.is_transparent(stream),
        scale=fit.scale if fit.scale != fit.size else None,
        crop=spec.fit == "cover" and fit.scale != fit.size,
        pad=spec.fit == "pad" and fit.scale != fit.size,
        start_seconds=frames.start_seconds,
        duration_seconds=None if count is None else float(count / frames.rate),
        frames=count,
        frames_limit=slack,
    )
    return replace(video, options=controls.options(spec, encoder, video))


def copied(case: Case, frames: Frames) -> VideoPlan:
    """The video stream, as it is."""
    stream = frames.stream
    _explain_copy(case, stream)
    duration = frames.span.length_of(stream.start_seconds, stream.duration_seconds)
    if case.container.own_zero:
        duration = None  # MPEG-TS does not say how long its last frame lasts
    count, slack = (stream.frames, 0) if not frames.span.clipped else cadence.cut_count(frames)
    return VideoPlan(
        source_index=stream.index,
        encoder=codecs.COPY,
        codec=stream.codec,
        codec_tag=case.container.tags.get(stream.codec),
        width_px=stream.coded_width,
        height_px=stream.coded_height,
        rate=_text(frames.rate),
        pixel_format=stream.pixel_format,
        gop_frames=0,
        transparent=stream.alpha_beside,
        cut_seconds=None if frames.span.end is None else float(frames.span.end - frames.span.start),
        start_seconds=frames.span.start_of(stream.start_seconds),
        duration_seconds=duration,
        frames=count,
        frames_limit=slack,
    )


def _watermark(case: Case, *, keeps_hdr: bool) -> WatermarkPlan | None:
    wanted = case.spec.watermark
    if wanted is None:
        return None
    if case.mark is None:
        raise errors.Defect("a watermark is planned that nobody fetched")
    if keeps_hdr:
        raise errors.Permanent("unsupported_hdr", "A watermark is SDR: it goes on an HDR picture only with toneMap.")
    case.because("watermark", f"A watermark of {wanted.scale:.0%} of the width lies at {wanted.position}.")
    return WatermarkPlan(
        file=case.mark.file,
        demuxer=case.mark.demuxer,
        position=wanted.position,
        opacity=wanted.opacity,
        scale=wanted.scale,
    )


def _burnt(case: Case, size: tuple[int, int], *, keeps_hdr: bool) -> BurntPlan | None:
    plan = subtitles.burnt(case)
    if plan is not None and keeps_hdr:
        raise errors.Permanent("unsupported_hdr", "Subtitles are SDR: they go on an HDR picture only with toneMap.")
    if plan is None:
        return None
    if plan.script is None:
        stream = track(case)
        return replace(plan, shape=f"{stream.coded_width}/{stream.coded_height}")
    shape = "tall" if size[1] > size[0] else "wide"
    return replace(plan, file=f"burnt-{plan.script.file.partition('.')[0]}-{shape}.ass")


def _explain_copy(case: Case, stream: VideoStream) -> None:
    """What stays as it was recorded, for nothing is done to it."""
    case.because("copied", "The picture is copied as it is, not encoded anew.")
    if stream.rotation_deg or stream.mirrored:
        case.because("turn_kept", "It keeps the turn with which it was recorded; players turn it upright.")
    if stream.sample_aspect_ratio not in ("1/1", "1"):
        case.because("pixels_kept", f"Its pixels of {stream.sample_aspect_ratio} stay as they are.")
    if stream.interlaced:
        case.because("fields_kept", "It stays interlaced.")
    if stream.color_transfer in colours.HDR:
        case.because("hdr_kept", f"{colours.HDR[stream.color_transfer]} stays as it is.")


def _film(stream: VideoStream) -> str | None:
    """The rate of a film that flags spread over video."""
    rate = rates.source_rate(stream) if stream.pulled_down else None
    return None if rate is None else _text(rate)


def _text(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _explain(case: Case, fit: Fitted, frames: Frames) -> None:
    stream = frames.stream
    if stream.rotation_deg or stream.mirrored:
        how = "mirrored" if stream.mirrored else f"at {stream.rotation_deg}°"
        case.warn("rotated", f"Recorded {how}; turned upright.")
    if stream.lead_frames:
        told = f"The source begins inside a GOP: its first {stream.lead_frames} frames cannot be decoded."
        case.warn("begins_inside_gop", told)
    if stream.sample_aspect_ratio not in ("1/1", "1"):
        case.because("square_pixels", f"Pixels of {stream.sample_aspect_ratio} are made square.")
    if frames.deinterlace is not None:
        how = "each field becomes a frame" if frames.deinterlace == "send_field" else "two fields become one frame"
        case.warn("deinterlaced", f"Recorded interlaced; {how}.")
    elif stream.interlaced and frames.telecine is None:
        case.warn("fields_mixed", "Recorded interlaced, and left so: what moves is combed in every player.")
    if frames.telecine is not None:
        case.warn("film_restored", "A film spread over the fields of video; its own frames are put together again.")
    if frames.stream.pulled_down:
        case.because("film_evened", "A film whose frames are flagged to last two fields and three; made even again.")
    width, height = fit.size
    case.because("size", f"Shown at {stream.display_width_px}×{stream.display_height_px}; made {width}×{height}.")
    if fit.too_small:
        case.warn("not_upscaled", "The source has fewer pixels than asked for; it is not enlarged.")
    _explain_rate(case, frames)
    colours.explain(case, stream)


def _explain_control(case: Case, encoder: VideoEncoder) -> None:
    if case.spec.target_quality is not None:
        tries = ", ".join(f"{crf:g}" for crf in target.crfs(encoder))
        goal = f"VMAF {case.spec.target_quality:g}"
        case.because("target_quality", f"The CRF that reaches {goal} is found before the encode: samples at {tries}.")
    if case.spec.two_pass and not encoder.two_passes:
        case.because("one_pass", f"{encoder.name} makes one pass only.")
    elif case.spec.two_pass:
        case.because("two_pass", "Two passes: the first looks at the whole picture, the second shares out the bits.")


def _explain_rate(case: Case, frames: Frames) -> None:
    told = f"{float(frames.rate):.6g}"
    if case.spec.fps is not None:
        case.because("frame_rate", f"{told} frames a second, as asked.")
    elif frames.stream.variable_rate:
        case.warn("variable_frame_rate", f"Recorded with uneven frame times; made constant at {told} a second.")
    else:
        case.because("frame_rate", f"{told} frames a second, as recorded.")


def _pixel_format(spec: OutputSpec, encoder: VideoEncoder, *, keeps_hdr: bool) -> str:
    """Ten bits only for HDR or a profile that means them; else what plays everywhere."""
    return _TEN_BIT if keeps_hdr or spec.profile in encoder.ten_bit_profiles else encoder.pixel_formats[0]


def _profile(spec: OutputSpec, encoder: VideoEncoder) -> str | None:
    if spec.profile is not None and spec.profile in encoder.profiles:
        return encoder.profiles[spec.profile]
    return encoder.profiles["high"] if encoder.codec == "h264" else None


def _level(case: Case, encoder: VideoEncoder, size: tuple[int, int], rate: Fraction) -> str | None:
    asked = case.spec.level
    if asked not in encoder.levels or asked is None:
        return None
    level = levels.holding(encoder.codec, asked, size, rate)
    if level != asked:
        told = f"Level {asked} holds no {size[0]}×{size[1]} at {float(rate):.6g} a second: it is level {level}."
        case.warn("level_raised", told)
    return level


def _gop(spec: OutputSpec, rate: Fraction) -> int:
    if spec.keyframe_interval is not None:
        return max(1, int(Fraction(spec.keyframe_interval) * rate))
    return 2 * rates.gop_frames(rate)  # single files keep keyframes at scene cuts: a better picture
