"""Holds HLS playlists against the bytes: they are read back by a parser that is not ours (ADR 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import m3u8

from encoder.model.plan import KEY_FILE
from encoder.packaging import hls
from encoder.packaging.bandwidth import Span, rates
from encoder.packaging.boxes import broken
from encoder.packaging.findings import Findings
from encoder.packaging.languages import tag
from encoder.packaging.track import I_FRAMES, INIT, PLAYLIST, Segments, Written

CLOCK_SECONDS = Fraction(2, 1000)
YES_OR_NO = ("NO", "YES")
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
    playlist = parsed(found, playlist_name, written[0].container)
    tracks = {f"{track.name}/{PLAYLIST}": track for track in written}
    sound = [each.uri or "" for each in playlist.media if each.type != "SUBTITLES"]
    listed = {*sound, *(each.uri or "" for each in playlist.playlists)}
    found.same("tracks", playlist_name, sorted(listed), sorted(tracks))
    groups = _groups(found, playlist, tracks)
    unused = groups.keys() - {variant.stream_info.audio for variant in playlist.playlists}
    found.must("group", not unused, f"{playlist_name}: no picture goes with {', '.join(sorted(unused))}")
    for variant in playlist.playlists:
        if (track := tracks.get(variant.uri or "")) is not None:
            _variant(found, variant, track, groups)
    frames = {f"{track.name}/{I_FRAMES}": track for track in written}
    for stream in playlist.iframe_playlists:
        track = frames.get(stream.uri or "")
        found.must("tracks", track is not None, f"{playlist_name}: {stream.uri}")
        if track is not None:
            _i_frames(found, stream, track)


def _groups(found: Findings, playlist: m3u8.M3U8, tracks: Mapping[str, Written]) -> dict[str, list[Written]]:
    """The tracks of sound that go with pictures, by the name of their group."""
    groups: dict[str, dict[str, tuple[m3u8.Media, Written]]] = {}
    for media in playlist.media:
        track = tracks.get(media.uri or "")
        if track is None:
            continue
        if track.track.language:
            found.same("language", f"{track.name}/{PLAYLIST}", media.language, tag(track.track.language))
        if media.type == "AUDIO":
            groups.setdefault(str(media.group_id), {})[track.name] = (media, track)
    for group in groups.values():
        _choice(found, group)
    return {name: [track for _, track in group.values()] for name, group in groups.items()}


def _choice(found: Findings, group: Mapping[str, tuple[m3u8.Media, Written]]) -> None:
    """Each of a group has a name of its own, one is the default, and by language one at most is taken (4.3.4.1.1)."""
    tracks = [track for _, track in group.values()]
    default, taken = hls.default(tracks), hls.taken(tracks)
    names = [media.name for media, _ in group.values()]
    for media, track in group.values():
        place = f"{track.name}/{PLAYLIST}"
        found.must("name", bool(media.name) and names.count(media.name) == 1, f"{place}: {media.name!r} names others")
        found.same("default", place, media.default, YES_OR_NO[track is default])
        found.same("default", f"{place}, by language", media.autoselect, YES_OR_NO[track in taken])
        if track.track.channels:
            found.same("channels", place, media.channels, str(track.track.channels))


def _variant(found: Findings, variant: m3u8.Playlist, track: Written, groups: Mapping[str, Sequence[Written]]) -> None:
    told, place = variant.stream_info, str(variant.uri)
    found.must("group", told.audio in groups if groups else told.audio is None, f"{place}: {told.audio!r} is none")
    group = groups.get(told.audio or "", ())
    sound = [each.rates for each in group]
    own = track.rates
    peak = own.peak_bps + max((rate.peak_bps for rate in sound), default=0)
    average = own.average_bps + max((rate.average_bps for rate in sound), default=0)
    bandwidth(found, place, told.bandwidth, peak)
    bandwidth(found, f"{place}, average", told.average_bandwidth, average)
    codecs = [track.codec, *dict.fromkeys(each.codec for each in group)]
    found.same("codecs", place, (told.codecs or "").split(","), codecs)
    if track.track.kind == "video":
        found.same("resolution", place, told.resolution, track.size_px)
        if track.track.rate:
            found.same("frame_rate", place, f"{told.frame_rate or 0:.3f}", hls.frame_rate(track.track.rate))


def slack_seconds(track: Written) -> Fraction:
    """How far a cut may be from its time: pictures are cut where they are to be, sound within one of its packets."""
    return CLOCK_SECONDS if track.track.kind == "video" else track.frame_seconds + CLOCK_SECONDS


def bandwidth(found: Findings, place: str, told: int | None, measured: int) -> None:
    """A promise that is kept, and not far from the truth."""
    kept = told is not None and measured <= told <= measured * _MORE
    found.must("bandwidth", kept, f"{place}: {told}, and {measured} was measured")


def _media_playlist(found: Findings, track: Written) -> None:
    place = f"{track.name}/{PLAYLIST}"
    found.named.add(place)
    playlist = parsed(found, place, track.container)
    found.must("endlist", bool(playlist.is_endlist), f"{place}: has no end")
    segments = [(segment.uri or "", exact_seconds(segment.duration)) for segment in playlist.segments]
    found.same("order", place, [name for name, _ in segments], [segment.name for segment in track.segments])
    _map(found, place, playlist, track)
    _target(found, place, playlist, [seconds for _, seconds in segments])
    slack = slack_seconds(track)
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
    found.same("codecs", place, stream.iframe_stream_info.codecs, track.codec)
    playlist = parsed(found, place, track.container)
    found.must("endlist", bool(playlist.is_endlist), f"{place}: has no end")
    _map(found, place, playlist, track)
    _target(found, place, playlist, [exact_seconds(segment.duration) for segment in playlist.segments])
    told = [(segment.uri, segment.byterange) for segment in playlist.segments]
    true = [
        (segment.name, f"{frame.size_bytes}@{frame.offset_bytes}")
        for segment in track.segments
        for frame in segment.i_frames
    ]
    found.must("i_frames", bool(playlist.is_i_frames_only) and told == true, f"{place}: names what is none")
    spans = [
        Span(int((segment.byterange or "0").split("@")[0]), exact_seconds(segment.duration))
        for segment in playlist.segments
    ]
    bandwidth(found, place, stream.iframe_stream_info.bandwidth, rates(spans).peak_bps)


def _map(found: Findings, place: str, playlist: m3u8.M3U8, track: Written) -> None:
    """fMP4 has one init segment, beside it; TS has none."""
    maps = [section.uri or "" for section in playlist.segment_map]
    found.same("map", place, maps, [INIT] if track.container == "fmp4" else [])
    for name in maps:
        found.name(name, by=place)
    if KEY_FILE not in found.named:
        found.must("key", "#EXT-X-KEY" not in found.text(place), f"{place}: nobody asked for a key")


def _target(found: Findings, place: str, playlist: m3u8.M3U8, durations: Sequence[Fraction]) -> None:
    target = playlist.target_duration or 0
    longest = max((int(seconds + Fraction(1, 2)) for seconds in durations), default=0)
    found.must("target", longest <= target, f"{place}: {longest} s are more than {target}")


def parsed(found: Findings, name: str, container: Segments) -> m3u8.M3U8:
    """Raises errors.Permanent: `output_invalid`, it cannot be read."""
    text = found.text(name)
    if not text.startswith("#EXTM3U\n"):
        raise broken(f"{name} is no playlist")
    tags = {line[1:].split(":")[0] for line in text.splitlines() if line.startswith("#EXT")}
    found.must("tags", tags <= _TAGS, f"{name}: {', '.join(sorted(tags - _TAGS))}")
    try:
        playlist = m3u8.M3U8(text, strict=True)
    except Exception as error:  # the parser says in many ways that it does not understand, some by accident
        raise broken(f"{name}: {type(error).__name__}") from error
    least = hls.VERSIONS[container]
    found.must("version", int(playlist.version or 1) >= least, f"{name}: {playlist.version} is less than {least}")
    return playlist


def exact_seconds(duration: float | None) -> Fraction:
    """As it was written: six digits."""
    return Fraction(f"{duration or 0.0:.6f}")
