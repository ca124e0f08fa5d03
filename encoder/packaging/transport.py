"""Reads a track of MPEG transport streams (ISO/IEC 13818-1): one elementary stream, cut into segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import BinaryIO, NamedTuple

from encoder.model.base import replace
from encoder.packaging import codec
from encoder.packaging.boxes import broken
from encoder.packaging.independent import is_independent, unit_kind, units
from encoder.packaging.track import IFrame, Segment, Track, Written

_PACKET, _SYNC, _CLOCK_HZ, _WRAP = 188, 0x47, 90_000, 1 << 33
_AVC, _HEVC, _AAC = 0x1B, 0x24, 0x0F  # stream_type
_KINDS = {_AVC: "avc1", _HEVC: "hvc1", _AAC: "mp4a"}
_AVC_SPS, _HEVC_SPS = 7, 33
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AAC_SAMPLES = 1024
_SHORTEST_ADTS = 7

Open = Callable[[str], BinaryIO]  # a file of the track, by its name


class Unit(NamedTuple):
    """One PES packet: a picture, or some frames of sound."""

    pts: int
    start: int  # its first byte in the file
    end: int
    data: bytes


class Stream(NamedTuple):
    kind: str  # as a sample entry is called
    codec: str
    frame: Fraction  # in ticks
    sample_rate_hz: int | None = None


def read_track(track: Track, names: Sequence[str], opened: Open) -> Written:
    """`names`: of its segments, in order. Times are as they stand there.

    Raises:
        errors.Permanent: `output_invalid`.
    """
    segments: list[Segment] = []
    stream, at = None, 0
    for name in names:
        with opened(name) as file:
            data = file.read()
        kind, found = _units(data)
        units_ = _unwrapped(found, at)
        stream = stream or _stream(kind, units_[0].data, track)
        segments.append(_segment(name, len(data), units_, stream))
        at = units_[0].pts
    if stream is None:
        raise broken("it has no segments")
    return Written(
        track=track,
        container="ts",
        codec=stream.codec,
        timescale=_CLOCK_HZ,
        sample_rate_hz=stream.sample_rate_hz,
        frame=stream.frame,
        segments=tuple(segments),
    )


def from_common_start(written: Sequence[Written]) -> tuple[Written, ...]:
    """Times from the first picture on; from the first sound where there is none."""
    pictures = [track for track in written if track.track.kind == "video"]
    zero = min((track.segments[0].start for track in pictures or written), default=0)
    return tuple(
        replace(track, origin=zero, segments=tuple(_moved(segment, -zero) for segment in track.segments))
        for track in written
    )


def _moved(segment: Segment, by: int) -> Segment:
    i_frames = tuple(replace(frame, at=frame.at + by) for frame in segment.i_frames)
    return replace(segment, start=segment.start + by, i_frames=i_frames)


def _segment(name: str, size: int, found: Sequence[Unit], stream: Stream) -> Segment:
    first = found[0]
    start = min(unit.pts for unit in found)
    sound = stream.sample_rate_hz is not None
    last = max(found, key=lambda unit: unit.pts)
    frames = sum(1 for _ in _adts(last.data)) if sound else 1
    head = sound or is_independent(stream.kind, first.data, length_size=0)
    return Segment(
        name=name,
        size_bytes=size,
        start=start,
        duration=round(last.pts + frames * stream.frame) - start,
        independent=head,
        i_frames=(IFrame(offset_bytes=0, size_bytes=first.end, at=first.pts),) if head and not sound else (),
    )


def _stream(kind: int, data: bytes, track: Track) -> Stream:
    if kind == _AAC:
        head = next(_adts(data), None)
        if head is None:
            raise broken("it has no ADTS header")
        rate = _AAC_RATES[min(head[2] >> 2 & 15, len(_AAC_RATES) - 1)]
        frame = Fraction(_AAC_SAMPLES * _CLOCK_HZ, rate)
        return Stream("mp4a", codec.aac((head[2] >> 6) + 1), frame, rate)
    sps = _parameters(kind, data)
    name = codec.avc("avc1", sps[1:4]) if kind == _AVC else codec.hevc("hvc1", sps[3:15])
    return Stream(_KINDS[kind], name, _CLOCK_HZ / Fraction(track.rate or "25"))


def _parameters(kind: int, data: bytes) -> bytes:
    """The first sequence parameter set."""
    wanted = _AVC_SPS if kind == _AVC else _HEVC_SPS
    for at in units(data, 0):
        if unit_kind(data[at], hevc=kind == _HEVC) == wanted:
            return data[at : at + 64].replace(b"\0\0\3", b"\0\0")  # emulation prevention
    raise broken("its first picture has no sequence parameters")


def _adts(data: bytes) -> Iterator[bytes]:
    """The headers of the AAC frames in `data`."""
    at = 0
    while at + _SHORTEST_ADTS <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  # the sync word begins
        head = data[at : at + _SHORTEST_ADTS]
        yield head
        at += max(_SHORTEST_ADTS, (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5)


def _unwrapped(found: Sequence[Unit], near: int) -> list[Unit]:
    """Time stamps have 33 bits: the one that is nearest to `near` is meant."""

    def true(pts: int) -> int:
        return near + (pts - near + _WRAP // 2) % _WRAP - _WRAP // 2

    return [unit._replace(pts=true(unit.pts)) for unit in found]


def _units(data: bytes) -> tuple[int, list[Unit]]:
    """The type of the one elementary stream, and its PES packets."""
    if len(data) % _PACKET or any(sync != _SYNC for sync in set(data[::_PACKET])):
        raise broken("it is cut short")
    kind, pid = _program(data)
    flags, low = data[1::_PACKET], data[2::_PACKET]
    own = [n for n in range(len(flags)) if (flags[n] & 0x1F) << 8 | low[n] == pid]
    begins = [place for place, n in enumerate(own) if flags[n] & 0x40]
    if not begins or begins[0] != 0:
        raise broken("it does not begin with a whole picture or sound")
    spans = zip(begins, [*begins[1:], len(own)], strict=True)
    return kind, [_pes(data, own[start:end]) for start, end in spans]


def _pes(data: bytes, packets: Sequence[int]) -> Unit:
    payload = b"".join(_payload(data, n) for n in packets)
    if payload[:3] != b"\0\0\1" or len(payload) < 14 or not payload[7] & 0x80:  # noqa: PLR2004  # up to its PTS
        raise broken("a picture or sound has no time")
    a, b, c, d, e = payload[9:14]
    pts = (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1
    return Unit(pts, packets[0] * _PACKET, (packets[-1] + 1) * _PACKET, payload[9 + payload[8] :])


def _payload(data: bytes, number: int) -> bytes:
    at = number * _PACKET
    control = data[at + 3] >> 4 & 3
    if not control & 1:
        return b""
    return data[at + (5 + data[at + 4] if control & 2 else 4) : at + _PACKET]


def _program(data: bytes) -> tuple[int, int]:
    """Type and PID of the one elementary stream, by way of PAT and PMT."""
    pat = _section(data, 0)
    program = pat[8:-4]
    pmt = _section(data, (program[2] & 0x1F) << 8 | program[3]) if len(program) >= 4 else b""  # noqa: PLR2004
    streams = pmt[12 + ((pmt[10] & 0xF) << 8 | pmt[11]) : -4] if len(pmt) > 12 else b""  # noqa: PLR2004
    if len(streams) < 5 or streams[0] not in _KINDS:  # noqa: PLR2004
        raise broken("it has no stream that we write")
    return streams[0], (streams[1] & 0x1F) << 8 | streams[2]


def _section(data: bytes, pid: int) -> bytes:
    """The first section of a table."""
    for number in range(len(data) // _PACKET):
        at = number * _PACKET
        if (data[at + 1] & 0x5F) << 8 | data[at + 2] == 0x4000 | pid:
            payload = _payload(data, number)
            section = payload[1 + payload[0] :] if payload else b""
            return section[: 3 + ((section[1] & 0xF) << 8 | section[2])] if len(section) > 3 else b""  # noqa: PLR2004
    return b""
