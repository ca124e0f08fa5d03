"""The text of HLS playlists (RFC 8216; I-frame playlists and VIDEO-RANGE as in its successor draft)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from encoder.model.plan import KEY_FILE
from encoder.packaging.bandwidth import Rates, Span, rates, target_seconds
from encoder.packaging.cipher import METHOD
from encoder.packaging.languages import tag
from encoder.packaging.text import FILE, GROUP, Text, seconds
from encoder.packaging.text import label as text_label
from encoder.packaging.text import taken as taken_texts
from encoder.packaging.track import I_FRAMES, INIT, PLAYLIST, Segment, Segments, Written

VERSIONS = {"fmp4": 7, "ts": 4}  # 7: EXT-X-MAP outside of I-frame playlists; 4: byte ranges
_PRECISION = 6  # digits after the point of EXTINF


class Quoted(str):
    """An attribute that stands in quotation marks. It has no way to say one itself: they and line ends go."""

    __slots__ = ()

    def __str__(self) -> str:
        return '"' + "".join(letter for letter in self[:] if letter.isprintable() and letter != '"') + '"'


class Group(NamedTuple):
    """Sound that a picture can be played with: one of its tracks at a time, all of one codec."""

    name: str
    tracks: tuple[Written, ...]

    @property
    def codec(self) -> str:
        return self.tracks[0].codec

    @property
    def most(self) -> Rates:
        """The largest of each."""
        each = [track.rates for track in self.tracks]
        return Rates(max(rate.peak_bps for rate in each), max(rate.average_bps for rate in each))


def multivariant(written: Sequence[Written], texts: Sequence[Text] = ()) -> str:
    """The playlist that lists all others. It promises EXT-X-INDEPENDENT-SEGMENTS only where all segments keep that.

    `texts`: the subtitles that go with each picture.
    """
    pictures = [track for track in written if track.track.kind == "video"]
    sound = groups(written)
    independent = all(segment.independent for track in written for segment in track.segments)
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{VERSIONS[written[0].container]}"]
    lines += ["#EXT-X-INDEPENDENT-SEGMENTS"] if independent else []
    if pictures:
        lines += [_media(group, track) for group in sound for track in group.tracks]
    lines += [_subtitles(text, texts) for text in texts]
    subtitles = GROUP if texts else None
    for group in sound or (None,):
        for track in pictures:
            lines += _variant(track, group, subtitles)
    if not pictures:
        for track in written:
            lines += _variant(track, None, subtitles)
    lines += [_i_frame_stream(track) for track in pictures if has_i_frames(track)]
    return _text(lines)


def media(track: Written) -> str:
    """The playlist of one track."""
    each = track.spans
    lines = _head(track, each)
    for segment, span in zip(track.segments, each, strict=True):
        lines += _key(segment)
        lines += [f"#EXTINF:{_extinf(span)},", segment.name]
    return _text([*lines, "#EXT-X-ENDLIST"])


def text_media(written: Sequence[Written]) -> str:
    """The playlist of one track of subtitles beside these: one file, as long as all."""
    span = Span(0, seconds(written))
    lines = [*_head_of(written[0].container, [span]), f"#EXTINF:{_extinf(span)},", FILE]
    return _text([*lines, "#EXT-X-ENDLIST"])


def i_frames(track: Written) -> str:
    """A playlist of the pictures that can be shown while seeking, each a part of its segment."""
    stops = list(_stops(track))
    lines = _head(track, [stop.span for stop in stops], "#EXT-X-I-FRAMES-ONLY")
    for stop in stops:
        lines += [f"#EXTINF:{_extinf(stop.span)},"]
        lines += [f"#EXT-X-BYTERANGE:{stop.span.size_bytes}@{stop.offset_bytes}", stop.segment]
    return _text([*lines, "#EXT-X-ENDLIST"])


def has_i_frames(track: Written) -> bool:
    return any(segment.i_frames for segment in track.segments)


def groups(written: Sequence[Written]) -> list[Group]:
    """The sound tracks by codec, in their order."""
    sound = [track for track in written if track.track.kind == "audio"]
    by_codec: dict[str, list[Written]] = {}
    for track in sound:
        by_codec.setdefault(track.codec, []).append(track)
    names = ["audio"] if len(by_codec) == 1 else [f"audio-{number}" for number in range(1, len(by_codec) + 1)]
    return [Group(name, tuple(tracks)) for name, tracks in zip(names, by_codec.values(), strict=True)]


def default(tracks: Sequence[Written]) -> Written:
    """The one to begin with: the first where none says that it is."""
    return next((track for track in tracks if track.track.default), tracks[0])


def taken(tracks: Sequence[Written]) -> list[Written]:
    """Those that a player may take by the language of its user: one of each, the default before others."""
    first: dict[str | None, Written] = {}
    for track in (default(tracks), *tracks):
        first.setdefault(track.track.language, track)
    return list(first.values())


def label(track: Written, among: Sequence[Written]) -> str:
    """What a player's menu calls a track: none of `among` is called alike (RFC 8216, 4.3.4.1.1)."""
    own = _name(track)
    return own if [_name(each) for each in among].count(own) == 1 else f"{own} ({track.name})"


def _name(track: Written) -> str:
    plan = track.track
    return plan.title or (tag(plan.language) if plan.language else plan.name)


def frame_rate(rate: str) -> str:
    return f"{float(Fraction(rate)):.3f}"


class _Stop(NamedTuple):
    segment: str
    offset_bytes: int
    span: Span


def _stops(track: Written) -> Iterator[_Stop]:
    """Each I-frame, until the next one."""
    found = [(segment.name, frame) for segment in track.segments for frame in segment.i_frames]
    last = track.segments[-1]
    ends = [*(frame.at for _, frame in found[1:]), last.start + last.duration]
    for (name, frame), end in zip(found, ends, strict=True):
        yield _Stop(name, frame.offset_bytes, Span(frame.size_bytes, track.seconds(end - frame.at)))


def _head_of(container: Segments, each: Sequence[Span]) -> list[str]:
    return [
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSIONS[container]}",
        f"#EXT-X-TARGETDURATION:{target_seconds(each)}",
        "#EXT-X-MEDIA-SEQUENCE:1",
        "#EXT-X-PLAYLIST-TYPE:VOD",
    ]


def _head(track: Written, each: Sequence[Span], *more: str) -> list[str]:
    return [
        *_head_of(track.container, each),
        *more,
        *([f'#EXT-X-MAP:URI="{INIT}"'] if track.container == "fmp4" else []),
    ]


def _key(segment: Segment) -> list[str]:
    if segment.vector is None:
        return []
    return [_tag("KEY", {"METHOD": METHOD, "URI": Quoted(f"../{KEY_FILE}"), "IV": f"0x{segment.vector}"})]


def _extinf(span: Span) -> str:
    return f"{float(span.seconds):.{_PRECISION}f}"


def _media(group: Group, track: Written) -> str:
    plan = track.track
    return _tag("MEDIA", {
        "TYPE": "AUDIO",
        "GROUP-ID": Quoted(group.name),
        "NAME": Quoted(label(track, group.tracks)),
        "LANGUAGE": Quoted(tag(plan.language)) if plan.language else None,
        "DEFAULT": "YES" if track is default(group.tracks) else "NO",
        "AUTOSELECT": "YES" if track in taken(group.tracks) else "NO",
        "CHANNELS": Quoted(plan.channels) if plan.channels else None,
        "URI": Quoted(f"{plan.name}/{PLAYLIST}"),
    })  # fmt: skip


def _subtitles(text: Text, among: Sequence[Text]) -> str:
    return _tag("MEDIA", {
        "TYPE": "SUBTITLES",
        "GROUP-ID": Quoted(GROUP),
        "NAME": Quoted(text_label(text, among)),
        "LANGUAGE": Quoted(tag(text.language)) if text.language else None,
        "DEFAULT": "YES" if text.default else "NO",
        "AUTOSELECT": "YES" if text in taken_texts(among) else "NO",
        "FORCED": "YES" if text.forced else "NO",
        "URI": Quoted(text.playlist),
    })  # fmt: skip


def _variant(track: Written, group: Group | None, subtitles: str | None) -> list[str]:
    rate = track.rates.plus(group.most if group else None)
    codecs = [track.codec, *([group.codec] if group else [])]
    attributes = {
        "BANDWIDTH": rate.peak_bps,
        "AVERAGE-BANDWIDTH": rate.average_bps,
        "CODECS": Quoted(",".join(codecs)),
        **_picture(track),
        "AUDIO": Quoted(group.name) if group else None,
        "SUBTITLES": Quoted(subtitles) if subtitles else None,
        "CLOSED-CAPTIONS": "NONE" if track.track.kind == "video" else None,
    }
    return [_tag("STREAM-INF", attributes), f"{track.name}/{PLAYLIST}"]


def _i_frame_stream(track: Written) -> str:
    # a frame by itself lasts so short that six digits tell: the promise holds for what is written of its time
    rate = rates([Span(stop.span.size_bytes, Fraction(_extinf(stop.span))) for stop in _stops(track)])
    picture = _picture(track)
    picture.pop("FRAME-RATE", None)
    return _tag("I-FRAME-STREAM-INF", {
        "BANDWIDTH": rate.peak_bps,
        "AVERAGE-BANDWIDTH": rate.average_bps,
        "CODECS": Quoted(track.codec),
        **picture,
        "URI": Quoted(f"{track.name}/{I_FRAMES}"),
    })  # fmt: skip


def _picture(track: Written) -> dict[str, object]:
    plan = track.track
    if plan.kind != "video":
        return {}
    return {
        "RESOLUTION": "{}x{}".format(*track.size_px) if all(track.size_px) else None,
        "FRAME-RATE": frame_rate(plan.rate) if plan.rate else None,
        "VIDEO-RANGE": plan.video_range,
    }


def _tag(name: str, attributes: dict[str, object]) -> str:
    return f"#EXT-X-{name}:" + ",".join(f"{key}={value!s}" for key, value in attributes.items() if value is not None)


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
