"""Holds HLS playlists against the bytes: they are read back by a parser that is not ours (ADR 5)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import m3u8

from encoder import errors
from encoder.packaging import hls
from encoder.packaging.bandwidth import Span, rates
from encoder.packaging.boxes import broken
from encoder.packaging.findings import Findings
from encoder.packaging.track import I_FRAMES, INIT, PLAYLIST, Written

CLOCK_SECONDS = Fraction(2, 1000)
_MORE = Fraction(11, 10)  # a promise may be as much too large
# whatever else stands in a playlist of ffmpeg's, it was not asked for
_TAGS = {
    "EXTM3U", "EXTINF", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-PLAYLIST-TYPE",
    "EXT-X-MAP", "EXT-X-KEY", "EXT-X-ENDLIST", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-BYTERANGE",
    "EXT-X-I-FRAMES-ONLY", "EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF",
}  # fmt: skip


def lint(found: Findings, written: Sequence[Written], playlist_name: str) -> None:
    """All playlists of a package.

    Raises:
        errors.Permanent: `output_invalid`, one cannot be read at all.
    """
    found.named.add(playlist_name)
    for track in written:
        _media_playlist(found, track)
    _multivariant(found, written, playlist_name)


def _multivariant(found: Findings, written: Sequence[Written], playlist_name: str) -> None:
    playlist = _parsed(found, playlist_name)
    independent = all(segment.independent for track in written for segment in track.segments)
    found.must("independent", independent or not playlist.is_independent_segments, f"{playlist_name}: is promised")
    by_uri = {f"{track.name}/{PLAYLIST}": track for track in written}
    variants = [(variant, by_uri.get(variant.uri or "")) for variant in playlist.playlists]
    listed = {variant.uri for variant, _ in variants} | {media.uri for media in playlist.media}
    found.same("tracks", playlist_name, sorted(map(str, listed)), sorted(by_uri))
    groups = {
        group: [by_uri[media.uri] for media in playlist.media if media.group_id == group and media.uri in by_uri]
        for group in {media.group_id for media in playlist.media if media.type == "AUDIO"}
    }
    for variant, track in variants:
        if track is not None:
            _variant(found, variant, track, groups.get(variant.stream_info.audio))
    for stream in playlist.iframe_playlists:
        frames = {f"{name}/{I_FRAMES}": track for name, track in ((track.name, track) for track in written)}
        track = frames.get(stream.uri or "")
        found.must("tracks", track is not None, f"{playlist_name}: {stream.uri}")
        if track is not None:
            found.same("codecs", str(stream.uri), stream.iframe_stream_info.codecs, track.codec)
            _i_frames(found, stream, track)


def _variant(found: Findings, variant: m3u8.Playlist, track: Written, group: Sequence[Written] | None) -> None:
    told, place = variant.stream_info, str(variant.uri)
    found.must("group", (group is None) == (told.audio is None), f"{place}: no sound is in {told.audio!r}")
    sound = [rates(hls.spans(each)) for each in group or ()]
    own = rates(hls.spans(track))
    peak = own.peak_bps + max((rate.peak_bps for rate in sound), default=0)
    average = own.average_bps + max((rate.average_bps for rate in sound), default=0)
    bandwidth(found, place, told.bandwidth, peak)
    bandwidth(found, f"{place}, average", told.average_bandwidth, average)
    codecs = [track.codec, *dict.fromkeys(each.codec for each in group or ())]
    found.same("codecs", place, (told.codecs or "").split(","), codecs)
    if track.track.kind == "video":
        size = (track.width_px or track.track.width_px, track.height_px or track.track.height_px)
        found.same("resolution", place, told.resolution, size)
        if track.track.rate:
            found.same("frame_rate", place, f"{told.frame_rate or 0:.3f}", hls.frame_rate(track.track.rate))


def bandwidth(found: Findings, place: str, told: int | None, measured: int) -> None:
    """A promise that is kept, and not far from the truth."""
    kept = told is not None and measured <= told <= measured * _MORE
    found.must("bandwidth", kept, f"{place}: {told}, and {measured} was measured")


def _media_playlist(found: Findings, track: Written) -> None:
    place = f"{track.name}/{PLAYLIST}"
    found.named.add(place)
    playlist = _parsed(found, place)
    found.must("endlist", bool(playlist.is_endlist), f"{place}: has no end")
    segments = [(segment.uri or "", _seconds(segment.duration)) for segment in playlist.segments]
    found.same("order", place, [name for name, _ in segments], [segment.name for segment in track.segments])
    _map(found, place, playlist, track)
    _target(found, place, playlist, [seconds for _, seconds in segments])
    slack = CLOCK_SECONDS if track.track.kind == "video" else track.frame_seconds + CLOCK_SECONDS
    true = {segment.name: track.seconds(segment.duration) for segment in track.segments}
    for name, seconds in segments:
        found.name(name, by=place)
        if name in true:
            near = abs(seconds - true[name]) <= slack
            found.must("extinf", near, f"{track.name}/{name}: {float(seconds)} s, not {float(true[name])}")
    total = sum((seconds for _, seconds in segments), Fraction(0))
    whole = abs(total - track.duration_seconds) <= track.frame_seconds + CLOCK_SECONDS
    found.must("duration", whole, f"{place}: {float(total)} s, not {float(track.duration_seconds)}")


def _i_frames(found: Findings, stream: m3u8.IFramePlaylist, track: Written) -> None:
    place = f"{track.name}/{I_FRAMES}"
    found.named.add(place)
    playlist = _parsed(found, place)
    found.must("endlist", bool(playlist.is_endlist), f"{place}: has no end")
    _map(found, place, playlist, track)
    _target(found, place, playlist, [_seconds(segment.duration) for segment in playlist.segments])
    told = [(segment.uri, segment.byterange) for segment in playlist.segments]
    true = [
        (segment.name, f"{frame.size_bytes}@{frame.offset_bytes}")
        for segment in track.segments
        for frame in segment.i_frames
    ]
    found.must("i_frames", bool(playlist.is_i_frames_only) and told == true, f"{place}: names what is none")
    spans = [
        Span(int((segment.byterange or "0").split("@")[0]), _seconds(segment.duration)) for segment in playlist.segments
    ]
    bandwidth(found, place, stream.iframe_stream_info.bandwidth, rates(spans).peak_bps)


def _map(found: Findings, place: str, playlist: m3u8.M3U8, track: Written) -> None:
    """fMP4 has one init segment, beside it; TS has none."""
    maps = [section.uri or "" for section in playlist.segment_map]
    found.same("map", place, maps, [INIT] if track.container == "fmp4" else [])
    for name in maps:
        found.name(name, by=place)
    found.must("key", "#EXT-X-KEY" not in found.text(place), f"{place}: nobody asked for a key")


def _target(found: Findings, place: str, playlist: m3u8.M3U8, durations: Sequence[Fraction]) -> None:
    target = playlist.target_duration or 0
    longest = max((int(seconds + Fraction(1, 2)) for seconds in durations), default=0)
    found.must("target", longest <= target, f"{place}: {longest} s are more than {target}")


def _parsed(found: Findings, name: str) -> m3u8.M3U8:
    text = found.text(name)
    tags = {line[1:].split(":")[0] for line in text.splitlines() if line.startswith("#EXT")}
    found.must("tags", tags <= _TAGS, f"{name}: {', '.join(sorted(tags - _TAGS))}")
    try:
        return m3u8.M3U8(text, strict=True)
    except errors.EncoderError:
        raise
    except Exception as error:  # the parser says in many ways that it does not understand, some by accident
        raise broken(f"{name}: {type(error).__name__}") from error


def _seconds(duration: float | None) -> Fraction:
    """As it was written: six digits."""
    return Fraction(f"{duration or 0.0:.6f}")
