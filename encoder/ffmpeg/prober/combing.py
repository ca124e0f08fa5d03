"""Is the picture interlaced? Measured on frames: a progressive flag may stand over burnt-in combs, and the reverse."""

from __future__ import annotations

from dataclasses import dataclass

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_ENOUGH = 4  # frames with an opinion
_ONE_PARITY = 4  # noise is told to be both: what is interlaced is so one way
_COMBED_SHARE = 0.5
_COMBED_SHARE_IF_FLAGGED = 0.25
_WIDEST_PX = 960  # a column of the picture is enough, and `idet` is slow on ten bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Combs:
    """How many frames were told to be what by ffmpeg's `idet`, each by itself.

    Its "multiple" verdicts carry one opinion on to all frames after it: two in twelve made ten of a progressive clip.
    """

    top_first: int = 0
    bottom_first: int = 0
    progressive: int = 0

    @property
    def enough(self) -> bool:
        """Whether the frames tell; one that is whole, and none combed, tells that a stream is not."""
        return max(self.progressive, self._combed) >= _ENOUGH or (self.progressive > 0 and not self._combed)

    @property
    def _combed(self) -> int:
        """Frames combed one way; 0 when as good as as many are combed the other."""
        most, least = max(self.top_first, self.bottom_first), min(self.top_first, self.bottom_first)
        return most if most >= _ONE_PARITY * least else 0

    def interlaced(self, *, flagged: bool) -> bool:
        """What was measured; where the frames do not tell (a still, a black opening), what the stream says."""
        if not self.enough:
            return flagged
        share = self._combed / (self._combed + self.progressive)
        return share > (_COMBED_SHARE_IF_FLAGGED if flagged else _COMBED_SHARE)

    @property
    def order(self) -> str:
        return "tt" if self.top_first >= self.bottom_first else "bb"


class Comb:
    """`idet` over the frames of one stream, in the order in which they come; `cut` between two places."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._graph: Graph | None = None
        self.seen = 0
        self.combs = Combs()
        self._before = Combs()

    def take(self, frame: VideoFrame) -> None:
        if self._graph is None:
            self._graph = _graph(self._stream, frame)
        self._graph.vpush(frame)
        self.seen += 1
        try:
            said = self._graph.vpull().metadata
        except BlockingIOError:  # the filter looks one frame ahead
            return
        now = Combs(
            top_first=_count(said, "tff"),
            bottom_first=_count(said, "bff"),
            progressive=_count(said, "progressive"),
        )
        self.combs = _sum(self._before, now)

    def cut(self) -> None:
        """The next frame does not follow the last one."""
        self._graph = None
        self._before = self.combs


def _graph(stream: VideoStream, frame: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base)
    column = graph.add("crop", f"w=min(iw\\,{_WIDEST_PX}):h=ih")
    graph.link_nodes(source, column, graph.add("idet"), graph.add("buffersink")).configure()
    return graph


def _count(said: dict[str, str], kind: str) -> int:
    return int(float(said.get(f"lavfi.idet.single.{kind}", 0)))


def _sum(one: Combs, other: Combs) -> Combs:
    return Combs(
        top_first=one.top_first + other.top_first,
        bottom_first=one.bottom_first + other.bottom_first,
        progressive=one.progressive + other.progressive,
    )
