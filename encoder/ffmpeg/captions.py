"""Subtitles as text with times, in SRT, WebVTT or ASS: read, cut to a clip, written. Pure.

What ffmpeg lifts out of a source and what callers bring are read leniently; what is written is well formed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from encoder.model.base import Record, replace

SRT, WEBVTT, ASS = "srt", "webvtt", "ass"
CODECS = {SRT: "subrip", WEBVTT: "webvtt", ASS: "ass"}  # as ffmpeg calls them
EXTENSIONS = {SRT: "srt", WEBVTT: "vtt", ASS: "ass"}

_LINE_END = re.compile(r"\r\n|\r|\n")
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(.*)")
_SETTING = re.compile(r"(vertical|line|position|size|align):[a-z0-9.,%-]+")
_SECTION = re.compile(r"\s*\[([^\]]+)\]\s*")
_ASS_TIMING = re.compile(rf"\s*([^,]*),\s*{_TIME}\s*,\s*{_TIME}\s*,(.*)")
_KEPT_SECTIONS = ("script info", "v4+ styles", "v4 styles")  # not [Fonts] and [Graphics]: nobody loads a caller's font
_EVENTS = "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"


class Caption(Record):
    """What is shown from one millisecond to another, as its form writes it.

    `text`: of ASS also the fields before it. `manner`: the settings of a WebVTT cue, the layer of an ASS event.
    """

    start_ms: int
    end_ms: int
    text: str
    manner: str = ""


class Captions(Record):
    """One track. `head`: the styles of ASS."""

    form: str
    listed: tuple[Caption, ...]
    head: str = ""


def decoded(data: bytes) -> str:
    """The text of a file that may be in UTF-8, UTF-16 or, of old, in Windows-1252."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def form_of(text: str) -> str:
    """Which form a text seems to have."""
    start = text.lstrip("\ufeff \t\r\n")[:64].lower()
    if start.startswith("webvtt"):
        return WEBVTT
    return ASS if start.startswith(("[script info]", "[v4")) else SRT


def read(text: str, form: str) -> Captions:
    """The captions of a text, by their times; what says nothing, or lasts for no time, is left out."""
    lines = _LINE_END.split(text.removeprefix("\ufeff").replace("\0", ""))
    head = _head(lines) if form == ASS else ""
    listed = (each for each in _READERS[form](lines) if each.end_ms > each.start_ms and each.text.strip())
    return Captions(form=form, listed=tuple(sorted(listed, key=lambda each: each.start_ms)), head=head)


def written(captions: Captions) -> str:
    """The file."""
    return _WRITERS[captions.form](captions)


def cut(captions: Captions, start_ms: int, length_ms: int | None) -> Captions:
    """What is shown in `length_ms` from `start_ms` on, in times that begin there; None: to the end."""
    end_ms = None if length_ms is None else start_ms + length_ms
    kept: list[Caption] = []
    for each in captions.listed:
        begin = max(each.start_ms, start_ms)
        end = each.end_ms if end_ms is None else min(each.end_ms, end_ms)
        if begin < end:
            kept.append(replace(each, start_ms=begin - start_ms, end_ms=end - start_ms))
    return replace(captions, listed=tuple(kept))


def apart(captions: Captions) -> Captions:
    """One caption at a time, as MP4 has them: where several are shown at once, one says what all of them say."""
    moments = sorted({moment for each in captions.listed for moment in (each.start_ms, each.end_ms)})
    waiting = list(reversed(captions.listed))
    shown: list[Caption] = []
    found: list[Caption] = []
    for begin, end in pairwise(moments):
        shown = [each for each in shown if each.end_ms > begin]
        while waiting and waiting[-1].start_ms <= begin:
            shown.append(waiting.pop())
        if shown:
            found.append(Caption(start_ms=begin, end_ms=end, text="\n".join(each.text for each in shown)))
    return replace(captions, listed=tuple(found))


def _srt(lines: list[str]) -> Iterator[Caption]:
    """A caption goes on until the number of the next; some hold empty lines."""
    for start_ms, end_ms, _, body in _timed(lines):
        while body and not body[-1].strip():
            body.pop()
        yield Caption(start_ms=start_ms, end_ms=end_ms, text="\n".join(line for line in body if line.strip()))


def _webvtt(lines: list[str]) -> Iterator[Caption]:
    """A cue ends with an empty line. Styles and regions are left out, and so are settings that name them."""
    for start_ms, end_ms, rest, body in _timed(lines):
        text = body[: body.index("")] if "" in body else body
        manner = " ".join(word for word in rest.split() if _SETTING.fullmatch(word))
        yield Caption(start_ms=start_ms, end_ms=end_ms, text="\n".join(text), manner=manner)


def _timed(lines: list[str]) -> Iterator[tuple[int, int, str, list[str]]]:
    """Start, end, the rest of the line, and the lines up to the next such one without its number."""
    places = [(place, found) for place, line in enumerate(lines) if (found := _TIMING.fullmatch(line))]
    ends = [*(place for place, _ in places[1:]), None]
    for (place, found), end in zip(places, ends, strict=False):
        body = lines[place + 1 : end]
        if end is not None and body and body[-1].strip().isdigit():
            body = body[:-1]
        yield _milliseconds(found.groups()[:4]), _milliseconds(found.groups()[4:8]), found[9], body


def _ass(lines: list[str]) -> Iterator[Caption]:
    for line in _below(lines, "events"):
        kind, _, rest = line.partition(":")
        found = _ASS_TIMING.fullmatch(rest) if kind.strip().lower() == "dialogue" else None
        if found is not None:
            start_ms, end_ms = _milliseconds(found.groups()[1:5]), _milliseconds(found.groups()[5:9])
            layer = found[1].strip()
            yield Caption(start_ms=start_ms, end_ms=end_ms, text=found[10], manner=layer if layer.isdigit() else "0")


def _head(lines: list[str]) -> str:
    return "\n".join(
        "\n".join([f"[{name.title()}]", *(line for line in _below(lines, name) if line.strip()), ""])
        for name in _KEPT_SECTIONS
        if any(_below(lines, name))
    )


def _below(lines: Iterable[str], section: str) -> Iterator[str]:
    """The lines of a section of ASS."""
    inside = False
    for line in lines:
        if found := _SECTION.fullmatch(line):
            inside = found[1].strip().lower() == section
        elif inside:
            yield line


def _milliseconds(parts: Iterable[str | None]) -> int:
    hours, minutes, seconds, rest = (part or "0" for part in parts)
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(rest.ljust(3, "0"))


def _as_srt(captions: Captions) -> str:
    return "".join(
        f"{number}\n{_told(each.start_ms, ',')} --> {_told(each.end_ms, ',')}\n{each.text}\n\n"
        for number, each in enumerate(captions.listed, 1)
    )


def _as_webvtt(captions: Captions) -> str:
    cues = (
        f"\n{_told(each.start_ms, '.')} --> {_told(each.end_ms, '.')} {each.manner}".rstrip() + f"\n{each.text}\n"
        for each in captions.listed
    )
    return "WEBVTT\n" + "".join(cues)


def _as_ass(captions: Captions) -> str:
    events = (
        f"Dialogue: {each.manner or '0'},{_hundredths(each.start_ms)},{_hundredths(each.end_ms)},{each.text}\n"
        for each in captions.listed
    )
    return f"{captions.head}\n[Events]\n{_EVENTS}\n" + "".join(events)


def _told(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def _hundredths(milliseconds: int) -> str:
    rounded = round(milliseconds, -1)
    return _told(rounded, ".")[1:-1] if rounded < 10 * 3_600_000 else "9:59:59.99"


_READERS: dict[str, Callable[[list[str]], Iterator[Caption]]] = {SRT: _srt, WEBVTT: _webvtt, ASS: _ass}
_WRITERS: dict[str, Callable[[Captions], str]] = {SRT: _as_srt, WEBVTT: _as_webvtt, ASS: _as_ass}
