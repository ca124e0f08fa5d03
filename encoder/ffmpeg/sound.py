"""The audio stream of an output: which track, how many channels, by which encoder."""

from __future__ import annotations

from encoder import errors
from encoder.ffmpeg import channels, codecs, loudness, rules, tracks
from encoder.ffmpeg.case import Case
from encoder.ffmpeg.codecs import AudioEncoder
from encoder.ffmpeg.timeline import Span
from encoder.model.base import replace
from encoder.model.media import AudioStream
from encoder.model.plan import AudioPlan, LoudnessPlan

DEFAULT_RATE_HZ = 48_000
_LONGEST_PACKET_SAMPLES = 2048
_LEAST_SECONDS = 0.001  # of sound in a clip: some samples may be lost when its rate is changed


def all_planned(case: Case, span: Span) -> tuple[AudioPlan, ...]:
    """The audio streams of an output, in their order; none of a silent one.

    Raises:
        errors.Permanent: `no_audio_stream`, `encoder_not_available`; `invalid_range`, of sound alone a clip without.
    """
    if rules.audio_codec(case.spec) == codecs.NONE:
        return ()
    chosen = tracks.chosen(case)
    if not chosen:
        if rules.video_codec(case.spec) == codecs.NONE:
            raise errors.Permanent("no_audio_stream", "The source has no sound that can be decoded.")
        case.warn("no_audio", "The source has no sound; the output has none either.")
        return ()
    heard = [track for track in chosen if _is_heard(track, span)]
    if not heard and rules.video_codec(case.spec) == codecs.NONE:
        raise errors.Permanent("invalid_range", f"{_sounding(chosen[0], span)}: the clip has none of it.")
    if not heard:
        case.warn("no_audio", f"{_sounding(chosen[0], span)}: the clip has none of it, and the output no sound.")
        return ()
    for track in chosen:
        if track not in heard:
            case.warn("audio_track_missing", f"{_sounding(track, span)}: the clip has none of it.")
    plans = [_planned(case, track, span) for track in heard]
    if case.container.flags_default or (len(plans) > 1 and case.container.marks_default):
        first = tracks.default_of(case, heard)
        plans = [replace(plan, default=plan.source_index == first.index) for plan in plans]
    return tuple(plans)


def _is_heard(track: AudioStream, span: Span) -> bool:
    """Whether a clip has anything of a track."""
    length = span.length_of(track.start_seconds, track.duration_seconds)
    return not span.clipped or length is None or length >= _LEAST_SECONDS


def _sounding(track: AudioStream, span: Span) -> str:
    """When a track can be heard, as the beginning of a sentence."""
    begin = track.start_seconds - span.origin
    until = "" if track.duration_seconds is None else f" until {begin + track.duration_seconds:.6g}"
    return f"Stream {track.index} of the source sounds from {begin:.6g} s{until}"


def _planned(case: Case, track: AudioStream, span: Span) -> AudioPlan:
    wanted = rules.audio_codec(case.spec)
    right = tracks.right_of(case, track)
    if wanted == codecs.COPY and _may_copy(case, track, span, right):
        return _copied(case, track, span)
    encoder = codecs.audio_encoder(case.container.audio[0] if wanted == codecs.COPY else wanted)
    if encoder is None or encoder.name not in case.able.encoders:
        raise errors.Permanent("encoder_not_available", f"No worker here has the audio encoder {wanted}.")
    if right is None:
        return _encoded(case, track, encoder, span)
    both = replace(track, channels=2, layout=channels.NAMES[2])
    return replace(_encoded(case, both, encoder, span), right_index=right.index)


def layout_of(track: AudioStream) -> str:
    """The layout of a track; where its file names none (WAV of one or two channels), the usual one of so many."""
    return channels.layout_of(track.layout, track.channels)


def _may_copy(case: Case, track: AudioStream, span: Span, right: AudioStream | None) -> bool:
    if track.codec not in case.container.audio:
        case.warn("codec_substituted", f"{case.container.name} holds no {track.codec}: the sound is encoded anew.")
        return False
    if right is not None:
        case.warn("codec_substituted", "Left and right are tracks of their own: the sound is encoded anew.")
        return False
    if track.begins_damaged:
        case.warn("codec_substituted", "The sound begins inside a packet: it is encoded anew.")
        return False
    if span.clipped:
        case.warn("codec_substituted", "A copy cannot be cut inside a packet: the sound is encoded anew.")
        return False
    return True


def _copied(case: Case, track: AudioStream, span: Span) -> AudioPlan:
    case.because("copied", "The sound is copied as it is, not encoded anew.")
    return AudioPlan(
        source_index=track.index,
        encoder=codecs.COPY,
        codec=track.codec,
        channels=track.channels,
        layout=layout_of(track),
        sample_rate_hz=track.sample_rate_hz,
        language=tracks.language_of(case, track.language),
        start_seconds=span.start_of(track.start_seconds) if case.container.timed else 0.0,
        duration_seconds=span.length_of(track.start_seconds, track.duration_seconds),
        frame_seconds=_LONGEST_PACKET_SAMPLES / track.sample_rate_hz,
    )


def _encoded(case: Case, track: AudioStream, encoder: AudioEncoder, span: Span) -> AudioPlan:
    spec = case.spec
    count = _channels(case, track, encoder)
    rate_hz = spec.audio_sample_rate or _rate_hz(encoder)
    bitrate = _bitrate_bps(case, encoder, count)
    alone = rules.video_codec(spec) == codecs.NONE
    return AudioPlan(
        source_index=track.index,
        encoder=encoder.name,
        codec=encoder.codec,
        channels=count,
        layout=channels.NAMES[count],
        sample_rate_hz=rate_hz,
        bitrate_bps=bitrate,
        options=() if bitrate is None else (("-b:a", str(bitrate)),),
        # holes in the sound are filled with silence, or what follows would come too early
        filters=(*_timed(span, alone=alone), *_mix(track, count), f"aresample={rate_hz}:async=1"),
        language=tracks.language_of(case, track.language),
        loudness=_loudness(case),
        start_seconds=0.0 if alone else span.start_of(track.start_seconds),
        duration_seconds=span.length_of(track.start_seconds, track.duration_seconds),
        frame_seconds=encoder.frame_samples / rate_hz,
    )


def _timed(span: Span, *, alone: bool) -> tuple[str, ...]:
    """The samples of a clip, in the output's time. Without a picture to keep pace with, sound begins at 0."""
    lead = float(span.start - span.seek)
    until = "" if span.end is None else f":end={float(span.end - span.seek):.6f}"
    trim = (f"atrim=start={lead:.6f}{until}",) if span.clipped else ()
    if alone:
        return (*trim, "asetpts=PTS-STARTPTS")
    return (*trim, f"asetpts=PTS-round({lead:.6f}/TB)") if span.clipped else ()


def _rate_hz(encoder: AudioEncoder) -> int:
    return DEFAULT_RATE_HZ if DEFAULT_RATE_HZ in encoder.sample_rates_hz else encoder.sample_rates_hz[-1]


def _bitrate_bps(case: Case, encoder: AudioEncoder, channels: int) -> int | None:
    wanted = case.spec.audio_bitrate or encoder.usual_bps(channels)
    if wanted is None:
        return None
    taken = encoder.taken_bps(wanted, channels)
    if taken != wanted:
        case.because("audio_bitrate", f"{encoder.codec} of {channels} channels takes {taken} bit/s, not {wanted}.")
    return taken


def _channels(case: Case, track: AudioStream, encoder: AudioEncoder) -> int:
    has = track.channels
    wanted, kept = case.spec.audio_channels or min(has, 2), channels.most_kept(has)
    if wanted > kept:
        case.warn("channels_kept", f"The source has {has} channels, fewer than {wanted}: none are invented.")
        wanted = kept if has > 1 else has
    if has > wanted:
        case.because("downmix", f"{has} channels are mixed to {channels.NAMES[wanted]}; {_more(encoder)}")
    return wanted


def _more(encoder: AudioEncoder) -> str:
    return "audioChannels keeps more." if encoder.max_channels > 2 else f"{encoder.codec} holds no more."  # noqa: PLR2004  # stereo


def _loudness(case: Case) -> LoudnessPlan | None:
    """What is wanted; how it is reached, only a measuring tells."""
    target = case.spec.loudness
    if target is None:
        return None
    if missing := sorted(loudness.NEEDED.difference(case.able.filters)):
        raise errors.Permanent(
            "encoder_not_available", f"No worker here can measure loudness: {missing[0]} is missing."
        )
    case.because("loudness_measured", f"The sound is measured before it is encoded, and brought to {target:g} LUFS.")
    return LoudnessPlan(target_lufs=target, ceiling_dbtp=loudness.CEILING_DBTP)


def _mix(track: AudioStream, wanted: int) -> tuple[str, ...]:
    """Filters that make the wanted channels, in float: the mixer scales whole numbers down by 8 dB [encoding.md]."""
    mixed = channels.mixed(layout_of(track), track.channels, wanted)
    return ("aformat=sample_fmts=fltp", mixed or f"aformat=channel_layouts={channels.NAMES[wanted]}")
