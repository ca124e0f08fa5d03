"""Where frames part: all that are shown before a moment are stored before all that are shown from it on."""

from __future__ import annotations

import av
from av.container import InputContainer
from av.video.stream import VideoStream

_BEFORE_SECONDS, _AFTER_SECONDS = 2.0, 2.0  # of what is looked at around a moment: more than any frame waits
_MOST_PACKETS = 20_000  # on the way there, from a keyframe long before it


def partings(container: InputContainer, stream: VideoStream, moment: float) -> list[float]:
    """Those near `moment`, in seconds of the stream's own time stamps; none where some frame has no time."""
    if stream.time_base is None:
        return []
    stamps: list[int] = []
    last = int((moment + _AFTER_SECONDS) / stream.time_base)
    try:
        container.seek(max(0, int((moment - _BEFORE_SECONDS) / stream.time_base)), stream=stream, any_frame=True)
        for packet in container.demux(stream):
            if packet.size == 0 or len(stamps) >= _MOST_PACKETS:
                break
            if packet.pts is None:
                return []
            stamps.append(packet.pts)
            if packet.pts > last:
                break
    except av.FFmpegError:
        return []
    return [float(stamp * stream.time_base) for stamp in _parted(stamps)]


def _parted(stamps: list[int]) -> list[int]:
    """The first stamp after each place between two packets that parts them all."""
    least = list(stamps)
    for place in range(len(least) - 2, -1, -1):
        least[place] = min(least[place], least[place + 1])
    found: list[int] = []
    most = None
    for stamp, rest in zip(stamps, least, strict=True):
        if most is not None and most < rest:
            found.append(rest)
        most = stamp if most is None else max(most, stamp)
    return found
