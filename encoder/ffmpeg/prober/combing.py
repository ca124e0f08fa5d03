"""Is the picture interlaced? Measured on frames: a progressive flag may stand over burnt-in combs, and the reverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_ONE_PARITY = 4  # noise is told to be both: what is interlaced is so one way
_ENOUGH_FLAGGED, _SHARE_FLAGGED = 4, 0.25
_ENOUGH_PLAIN, _SHARE_PLAIN = 12, 0.9  # fine lines that move up or down look combed too (`testsrc2`: four in five)
_WIDEST_PX = 960  # a column of the picture is enough, and `idet` is slow on ten bits

# 24 film frames as 60 fields, held for two and three of them in turn: of five frames one shows a top field for the
# second time, and the second after it a bottom field, or the other way round
_PULLDOWN_FRAMES, _PULLDOWN_APART = 5, 2
_REPEATED = 1.5  # how much liker than the other field; at `idet`'s own 3 a calm scene repeats nothing
_SHARE_REPEATED = 0.3  # of all frames; two of five where everything moves

# lines of interlaced video (SD of 60 and 50 Hz with and without its blanking, HD); at any other height a picture was
# scaled, and combs do not survive that
HEIGHTS = frozenset({480, 486, 512, 576, 608, 1080, 1088})


@dataclass(frozen=True, slots=True, kw_only=True)
class Combs:
    """How many frames were told to be what by ffmpeg's `idet`, each by itself.

    Its "multiple" verdicts carry one opinion on to all frames after it: two in twelve made ten of a progressive clip.
    `untold`: it could not tell, as of most frames in which little moves.
    """

    top_first: int = 0
    bottom_first: int = 0
    progressive: int = 0
    untold: int = 0

    @property
    def none(self) -> bool:
        """Whether some were told to be whole and none to be combed."""
        return self.progressive > 0 and not self.combed

    @property
    def combed(self) -> int:
        """Frames combed one way; 0 when as good as as many are combed the other."""
        most, least = max(self.top_first, self.bottom_first), min(self.top_first, self.bottom_first)
        return most if most >= _ONE_PARITY * least else 0

    def interlaced(self, *, flagged: bool) -> bool:
        """What was measured; where the frames do not tell (a still, a black opening), what the stream says."""
        told = self.combed + self.progressive
        if told < (_ENOUGH_FLAGGED if flagged else _ENOUGH_PLAIN):
            return flagged
        return self.combed > told * (_SHARE_FLAGGED if flagged else _SHARE_PLAIN)

    @property
    def order(self) -> str:
        return "tt" if self.top_first >= self.bottom_first else "bb"


def pulled_down(fields: Sequence[str]) -> int:
    """How many frames repeat a field in the step of 2:3 pulldown, or 0 where many do so out of it.

    `fields`: which field each frame repeats: top, bottom or neither. The share alone would not do: of an interlaced
    scene that stands still at times any part may be repeated.
    """
    most = 0
    for phase in range(_PULLDOWN_FRAMES):
        for apart in (_PULLDOWN_APART, -_PULLDOWN_APART):
            due = {phase: "top", (phase + apart) % _PULLDOWN_FRAMES: "bottom"}
            most = max(most, sum(due.get(at % _PULLDOWN_FRAMES) == field for at, field in enumerate(fields)))
    repeated = sum(field != "neither" for field in fields)
    return most if most * _PULLDOWN_FRAMES >= repeated * (_PULLDOWN_FRAMES - 1) else 0


class Comb:
    """`idet` over the frames of one stream, in the order in which they come; `cut` between two places."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._graph: Graph | None = None
        self.seen = 0
        self.combs = Combs()
        self._before = Combs()
        self._fields: list[list[str]] = [[]]  # for each place

    @property
    def telecined(self) -> bool:
        """Whether these are the frames of a film, spread over more."""
        repeated = sum(pulled_down(place) for place in self._fields)
        told = sum(len(place) for place in self._fields)
        return told >= _ENOUGH_PLAIN and repeated >= told * _SHARE_REPEATED and self.combs.combed > 0

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
            untold=_count(said, "undetermined"),
        )
        self.combs = _sum(self._before, now)
        self._fields[-1].append(said.get("lavfi.idet.repeated.current_frame", "neither"))

    def cut(self) -> None:
        """The next frame does not follow the last one."""
        self._graph = None
        self._before = self.combs
        self._fields.append([])


def _graph(stream: VideoStream, frame: VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=stream.time_base)
    column = graph.add("crop", f"w=min(iw\\,{_WIDEST_PX}):h=ih")
    graph.link_nodes(source, column, graph.add("idet", f"rep_thres={_REPEATED}"), graph.add("buffersink")).configure()
    return graph


def _count(said: dict[str, str], kind: str) -> int:
    return int(float(said.get(f"lavfi.idet.single.{kind}", 0)))


def _sum(one: Combs, other: Combs) -> Combs:
    return Combs(
        top_first=one.top_first + other.top_first,
        bottom_first=one.bottom_first + other.bottom_first,
        progressive=one.progressive + other.progressive,
        untold=one.untold + other.untold,
    )
