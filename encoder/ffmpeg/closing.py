"""What ffmpeg says at the end of `-v verbose`: how much it read, decoded and wrote, stream by stream.

The only place where damage shows: a file with every 37th byte flipped gave exit code 0, all frames and the right
duration, and here "1199 packets read; 688 frames decoded" (docs/why/encoding.md, "Source hygiene").
"""

from __future__ import annotations

import re

from encoder.model.base import Record


class Read(Record):
    """One stream of the source. `frames` is None where nothing was decoded, as of a copy."""

    index: int
    kind: str  # video, audio
    packets: int
    frames: int | None = None
    errors: int = 0


class Written(Record):
    """One stream of one file of the run."""

    file: int  # place in the command, from 0
    index: int
    kind: str
    packets: int
    frames: int | None = None


class Closing(Record):
    """All streams of a run that came to its end; empty when it did not, or its log was lost."""

    read: tuple[Read, ...] = ()
    written: tuple[Written, ...] = ()
    names: tuple[str, ...] = ()  # of the files with their folders, in order

    def source(self, index: int) -> Read | None:
        return next((stream for stream in self.read if stream.index == index), None)

    @property
    def counted(self) -> int | None:
        """Of a chunk: the frames that were decoded of its own part. Its last file has them, and one more (`graph`)."""
        return next((stream.packets - 1 for stream in reversed(self.written)), None)

    def result(self, name: str, kind: str, nth: int = 0) -> Written | None:
        """The nth stream of a kind in the file of that name, which is the end of its path."""
        place = next((place for place, path in enumerate(self.names) if f"/{path}".endswith(f"/{name}")), None)
        alike = [stream for stream in self.written if (stream.file, stream.kind) == (place, kind)]
        return next(iter(alike[nth:]), None)


# "[in#0/mov @ 0x5]   Input stream #0:0 (video): 180 packets read (1071441 bytes); 179 frames decoded; 1 decode errors;"
# Up to ffmpeg 7 without the bracket. Whatever imitates such a line (a title) comes before it: the last one counts.
_HEAD = r"^(?:\[[^\]\n]*\])? *"
_READ = re.compile(
    _HEAD + r"Input stream #0:(?P<index>\d+) \((?P<kind>\w+)\): (?P<packets>\d+) packets read \(\d+ bytes\);"
    r"(?: (?P<frames>\d+) frames decoded)?(?P<rest>[^\n]*)",
    re.MULTILINE,
)
_ERRORS = re.compile(r"(\d+) decode errors")
_WRITTEN = re.compile(
    _HEAD + r"Output stream #(?P<file>\d+):(?P<index>\d+) \((?P<kind>\w+)\):"
    r"(?: (?P<frames>\d+) frames encoded[^;\n]*;)? (?P<packets>\d+) packets muxed",
    re.MULTILINE,
)
_FILE = re.compile(_HEAD + r"Output file #(?P<file>\d+) \((?:file:)?(?P<name>[^\n]+)\):", re.MULTILINE)


def read_closing(log: str) -> Closing:
    """The closing lines of a log, or of its end."""
    read = {line["index"]: line for line in _READ.finditer(log)}
    written = {(line["file"], line["index"]): line for line in _WRITTEN.finditer(log)}
    names = {int(line["file"]): line["name"] for line in _FILE.finditer(log)}
    return Closing(
        read=tuple(_read(line) for line in read.values()),
        written=tuple(_written(line) for line in written.values()),
        names=tuple(names.get(place, "") for place in range(max(names, default=-1) + 1)),
    )


def _read(line: re.Match[str]) -> Read:
    errors = _ERRORS.search(line["rest"])
    return Read(
        index=int(line["index"]),
        kind=line["kind"],
        packets=int(line["packets"]),
        frames=_number(line["frames"]),
        errors=int(errors[1]) if errors else 0,
    )


def _written(line: re.Match[str]) -> Written:
    return Written(
        file=int(line["file"]),
        index=int(line["index"]),
        kind=line["kind"],
        packets=int(line["packets"]),
        frames=_number(line["frames"]),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


# of libass, for each font that asked for it
_NO_GLYPH = re.compile(r"failed to find any fallback with glyph 0x([0-9A-F]+) for font", re.IGNORECASE)


def letters_without_font(log: str) -> str:
    """The letters of burnt-in text that no font of this machine has, each once, in their order."""
    return "".join(dict.fromkeys(chr(int(found, 16)) for found in _NO_GLYPH.findall(log)))
