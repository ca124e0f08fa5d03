"""What only decoded frames tell of a stream: turn, side data, combs, and whether it decodes at all."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Any, cast

import av
from av.audio.stream import AudioStream
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from encoder.ffmpeg.formats import MOST_PIXELS
from encoder.ffmpeg.prober.combing import HEIGHTS, Comb

FRAMES = 6  # of a stream that calls itself progressive, as long as none looks combed
FRAMES_TO_BE_SURE = 24
_MOST_FAULTS = 64  # packets that give no frame before we stop trying
_MOST_PICTURE_FAULTS = 600  # more than a long GOP has
_PROGRESSIVE = (0, 1)  # field orders: unknown, progressive
_THREADS = 2
_HOLDING = ("wmav1", "wmav2")


class VideoLook:
    """The first frames of a video stream; later some at other places, where these do not tell."""

    def __init__(self, stream: VideoStream) -> None:
        self.stream = stream
        self.first: VideoFrame | None = None
        self.turn_deg, self.mirrored = 0, False
        self.hdr_side_data = False
        self.hdr_peak_nits: float | None = None
        self._comb = Comb(stream)
        self._faults = 0
        self._places, self._seen_before = 1, 0
        self._prepare()

    @property
    def flagged(self) -> bool:
        """Whether the stream calls itself interlaced."""
        ordered = self.stream.codec_context.field_order not in _PROGRESSIVE
        return ordered or (self.first is not None and self.first.interlaced_frame)

    @property
    def telecined(self) -> bool:
        return self._comb.telecined

    @property
    def interlaced(self) -> bool:
        return self._comb.combs.interlaced(flagged=self.flagged)

    @property
    def field_order(self) -> str:
        return self._comb.combs.order

    @property
    def settled(self) -> bool:
        """Whether no other place needs to be looked at. A flag may be right in one place and wrong in another."""
        if self.flagged:
            return False
        combs = self._comb.combs
        return not self._may_be_combed or combs.none or (self._places > 1 and not combs.combed)

    @property
    def wants_more(self) -> bool:
        seen_here = self._comb.seen - self._seen_before
        return (self.first is None or seen_here < self._frames_to_see) and self._faults < _MOST_PICTURE_FAULTS

    def look_on(self) -> None:
        """Ask for further frames, at another place."""
        self._comb.cut()
        self._places, self._seen_before = self._places + 1, self._comb.seen

    @property
    def _may_be_combed(self) -> bool:
        return self.flagged or self.stream.codec_context.height in HEIGHTS

    @property
    def _frames_to_see(self) -> int:
        if not self._may_be_combed:
            return 0
        return FRAMES_TO_BE_SURE if self.flagged or self._comb.combs.combed else FRAMES

    def take(self, packet: av.Packet[Any]) -> None:
        try:
            frames = self.stream.decode(packet)
        except av.FFmpegError:
            self._faults += 1
            return
        for frame in frames:
            self._see(frame)

    def _prepare(self) -> None:
        context = self.stream.codec_context
        # without its loop filter H.264 decodes a third faster; turn, colours and combs are the same
        context.options = {"max_pixels": str(MOST_PIXELS), "skip_loop_filter": "all"}
        context.thread_type = "AUTO"
        context.thread_count = _THREADS

    def _see(self, frame: VideoFrame) -> None:
        if self.first is None:
            self._see_first(frame)
        if self._may_be_combed:
            self._comb.take(frame)

    def _see_first(self, frame: VideoFrame) -> None:
        self.first = frame
        # its stub promises a mapping of motion vectors only; to iterate over it gives all kinds
        kinds = {side.type.name: side for side in cast("Iterable[SideData]", frame.side_data)}
        if "DISPLAYMATRIX" in kinds:
            self.turn_deg, self.mirrored = turn(bytes(kinds["DISPLAYMATRIX"]))
        self.hdr_side_data = not kinds.keys().isdisjoint({"MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL"})
        light, display = kinds.get("CONTENT_LIGHT_LEVEL"), kinds.get("MASTERING_DISPLAY_METADATA")
        self.hdr_peak_nits = brightest(bytes(light or b""), bytes(display or b""))


class AudioLook:
    """The first frame of an audio stream: where its sound begins, once the priming samples are cut."""

    def __init__(self, stream: AudioStream) -> None:
        self._stream = stream
        self._faults = 0
        self.begins_damaged = False
        self.kept_seconds = 0.0  # what the decoder holds back until its end, and gives then
        self.start_seconds: float | None = None

    @property
    def wants_more(self) -> bool:
        return self.start_seconds is None and self._faults < _MOST_FAULTS

    def take(self, packet: av.Packet[Any]) -> None:
        try:
            frames = self._stream.decode(packet)
        except av.FFmpegError:
            self._faults += 1
            return
        if frames and frames[0].time is not None:
            self.start_seconds = frames[0].time
            self.begins_damaged = self._faults > 0
            if self._stream.codec_context.codec.canonical_name in _HOLDING:
                self.kept_seconds = frames[0].samples / frames[0].sample_rate


def brightest(light: bytes, mastered: bytes) -> float | None:
    """The brightest light of a film in nits: of its content, else of the display it was mastered on; None: not told.

    As libavutil lays out `AVContentLightMetadata` (two unsigned) and `AVMasteringDisplayMetadata` (ten rationals,
    the last of them the brightest, and whether primaries and lights are told).
    """
    content = struct.unpack_from("=I", light)[0] if len(light) >= struct.calcsize("=II") else 0
    if content:
        return float(content)
    if len(mastered) < struct.calcsize("=20iii"):
        return None
    *_, numerator, denominator, _, told = struct.unpack_from("=20iii", mastered)
    return numerator / denominator if told and denominator else None


def turn(matrix: bytes) -> tuple[int, bool]:
    """The clockwise quarter turn that presents the picture, and whether it is mirrored, from a display matrix.

    The angle is libavutil's; mirroring shows in the determinant only.
    """
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    if not (math.hypot(a, c) and math.hypot(b, d)):
        return 0, False
    angle = math.degrees(math.atan2(b / math.hypot(b, d), a / math.hypot(a, c)))
    return round(angle / 90) * 90 % 360, a * d - b * c < 0
