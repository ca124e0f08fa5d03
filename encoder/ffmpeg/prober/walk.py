"""One walk over a file's packets, and what it leaves of each stream."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import av
from av.container import InputContainer

from encoder.ffmpeg.prober.jumps import Jumps
from encoder.ffmpeg.prober.nal import Idr
from encoder.ffmpeg.prober.seams import Seams, setup_of
from encoder.ffmpeg.prober.series import Clock, bins, thinned
from encoder.ffmpeg.prober.timing import Cadence, cadence
from encoder.model.media import StreamCount

Packet: TypeAlias = "av.Packet[Any]"  # generic in its stub only
_ABSENT = -(2**63)


class Track:
    """The time stamps, sizes and flags of one stream, packet by packet."""

    def __init__(self, stream: av.stream.Stream, seams: tuple[float, ...] = ()) -> None:
        self.index = stream.index
        self.time_base = Fraction(stream.time_base or 1)
        self._is_video = stream.type == "video"
        self.packets = 0
        self.size_bytes = 0
        self._lasting = 0
        self.dts_faults = 0
        self.key_stamps: array[int] = array("q")
        self._begins_with_key = False
        self.first_is_idr: bool | None = None
        self._idr = Idr.of(stream)
        self._setup = setup_of(stream)
        self._seams = Seams(seams, self.time_base) if seams and self._is_video else None
        self._stamps: array[int] = array("q")  # presentation, in order of arrival
        self._sizes: array[int] = array("q")  # of the same packets, in bytes
        self._shown: array[int] = array("q")
        self._coded: array[int] = array("q")  # decoding times of shown packets: for formats that store no other
        self._last_dts: int | None = None
        self._last_shown = (_ABSENT, 0)  # the latest stamp and its duration

    def take(self, packet: Packet) -> None:
        if self.packets == 0 and self._idr:
            self.first_is_idr = self._idr.begins(bytes(packet))
        self._begins_with_key = self._begins_with_key or (self.packets == 0 and packet.is_keyframe)
        self.packets += 1
        self.size_bytes += packet.size
        self._lasting += packet.duration or 0
        self._take_dts(packet.dts)
        if packet.pts is not None:
            self._stamps.append(packet.pts)
            self._sizes.append(packet.size)
        if packet.is_keyframe:
            self.key_stamps.append(_stamp(packet))
            if self._seams is not None and self._seams.at(_stamp(packet)):
                self._seams.take(self._idr is None or self._idr.begins(bytes(packet)))
        if not packet.is_discard:
            self._show(packet)

    def _take_dts(self, dts: int | None) -> None:
        if dts is None:
            return
        if self._last_dts is not None and dts <= self._last_dts:
            self.dts_faults += 1
        self._last_dts = dts

    def _show(self, packet: Packet) -> None:
        if packet.pts is not None:
            self._shown.append(packet.pts)
        elif packet.dts is not None:
            self._coded.append(packet.dts)
        self._last_shown = max(self._last_shown, (_stamp(packet), packet.duration or 0))

    @property
    def shown(self) -> array[int]:
        """Stamps of what is presented. A packet without one, among others that have it, is a second field."""
        return self._shown or self._coded

    def lead(self, first: int | None) -> int:
        """How many frames should be shown before `first`, the first one that could be decoded.

        Those of a GOP whose beginning is missing, and those that lean on the GOP before; what else could not be decoded
        is damaged, and no lead.
        """
        begun = self._begins_with_key and first is not None and first > self.key_stamps[0]
        return 0 if first is None or begun else sum(stamp < first for stamp in self.shown)

    @property
    def lasting_seconds(self) -> float:
        """How long all packets last, laid end to end."""
        return float(self._lasting * self.time_base)

    @property
    def start_seconds(self) -> float | None:
        return float(min(self.shown) * self.time_base) if self.shown else None

    @cached_property
    def cadence(self) -> Cadence:
        """Of video, once all packets are taken; those of other streams say themselves how long they last."""
        return cadence(self.shown if self._is_video else (), self.time_base)

    @property
    def end_seconds(self) -> float | None:
        """When the last one ends; a frame without a sane duration lasts as long as most do.

        The header of a Matroska may name 1000 frames a second: then it gives the last of thirty a millisecond.
        """
        stamp, duration = self._last_shown
        if stamp == _ABSENT:
            return None
        step = self.cadence.step_seconds or Fraction(0)
        lasts = duration * self.time_base
        return float(stamp * self.time_base + (step if lasts < step / 2 else lasts))

    def count(self, clock: Clock) -> StreamCount:
        """`clock`: the one by which what is told over time is told."""
        keys = (float(key * self.time_base) - clock.origin_seconds for key in sorted(self.key_stamps))
        return StreamCount(
            index=self.index,
            packets=self.packets,
            shown=len(self.shown),
            first_pts_seconds=self.start_seconds,
            end_pts_seconds=self.end_seconds,
            keyframes=len(self.key_stamps),
            longest_gap_seconds=self._longest_gap(),
            shortest_gap_seconds=min(self._gaps(), default=None),
            first_is_idr=self.first_is_idr,
            dts_faults=self.dts_faults,
            pts_twice=len(self._stamps) - len(set(self._stamps)),
            bin_seconds=clock.bin_seconds,
            bin_bytes=bins(self._stamps, self._sizes, self.time_base, clock),
            key_seconds=thinned([round(key, 6) for key in keys]) if self._is_video else (),
            begins_with_key=self._begins_with_key,
            setup_sha256=self._setup,
            seams_keyed=None if self._seams is None else self._seams.keyed,
        )

    def _longest_gap(self) -> float:
        """Between keyframes, or from the last one (none: from the start) to the end."""
        keys = sorted(self.key_stamps) or sorted(self.shown)[:1]
        last = [(self.end_seconds or 0.0) - float(key * self.time_base) for key in keys[-1:]]
        return max(self._gaps() + last, default=0.0)

    def _gaps(self) -> list[float]:
        """Between keyframes."""
        keys = sorted(self.key_stamps)
        return [float((later - earlier) * self.time_base) for earlier, later in pairwise(keys)]


def walk(
    container: InputContainer,
    tracks: dict[int, Track],
    jumps: Jumps,
    visit: Callable[[Packet], None],
    *,
    most_bytes: int | None,
    more_seconds: float,
) -> bool:
    """Show each packet to its track and to `visit`; False if it stopped before the end.

    It stops after `most_bytes`, if it has walked for `more_seconds` too.
    """
    seen, until = 0, time.monotonic() + more_seconds
    for packet in container.demux():
        if packet.dts is None and packet.size == 0:
            continue  # PyAV's sign for a decoder to give what it holds
        jumps.level(packet)
        tracks[packet.stream_index].take(packet)
        visit(packet)
        seen += packet.size
        if most_bytes is not None and seen > most_bytes and time.monotonic() >= until:
            return False
    return True


def _stamp(packet: Packet) -> int:
    if packet.pts is not None:
        return packet.pts
    return packet.dts if packet.dts is not None else _ABSENT
