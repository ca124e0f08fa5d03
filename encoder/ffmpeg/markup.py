"""Subtitles of one form made another's: what is bold, italic, underlined, or at the top stays so. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

from encoder.ffmpeg import fonts
from encoder.ffmpeg.captions import ASS, SRT, WEBVTT, Caption, Captions
from encoder.model.base import replace

# of a picture that is 288 high, or as wide where it stands upright
_HEAD = f"""\
[Script Info]
ScriptType: v4.00+
PlayResX: {{width}}
PlayResY: {{height}}
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
MarginV, Encoding
Style: Default,{fonts.FAMILY},18,&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,1,0,2,16,16,14,1
"""
_WIDE, _TALL = (512, 288), (288, 512)

_STYLES = "biu"
Styled = list[tuple[str, frozenset[str]]]  # text, and what it is: b, i, u

_SRT_PARTS = re.compile(r"(?P<tag></?[biu]>)|(?P<gone></?font[^>\n]*>|\{\\[^}\n]*\})", re.IGNORECASE)
_WEBVTT_PARTS = re.compile(r"(?P<tag></?[biu](?:\.[^>\n]*)?>)|(?P<gone><[^>\n]*>)")
_ASS_PARTS = re.compile(r"(?P<block>\{[^}]*\})|(?P<gone>\\h)|(?P<end>\\[Nn])")
_ASS_STYLE = re.compile(r"\\([biu])(\d+)")
_ASS_DRAWS = re.compile(r"\\p([0-9]+)")
_AT_TOP = re.compile(r"\\an?[789](?!\d)")
_LINE_AT_TOP = re.compile(r"line:([0-3]|[0-4]?\d(\.\d+)?%)(,.*)?$")
_FIELDS_BEFORE_TEXT = 6  # of ASS, after the times
_JOINER = "\u2060"  # no letter, and so a backslash before it escapes nothing


def recast(captions: Captions, form: str, *, tall: bool = False) -> Captions:
    """The same captions in another form. `tall`: of ASS, the picture stands upright."""
    if captions.form == form:
        return captions
    width, height = _TALL if tall else _WIDE
    listed = (_recast(each, captions.form, form) for each in captions.listed)
    head = _HEAD.format(width=width, height=height) if form == ASS else ""
    return Captions(form=form, listed=tuple(each for each in listed if each.text), head=head)


def letters(captions: Captions) -> list[str]:
    """What each caption says, without all that forms write differently."""
    texts = ("".join(text for text, _ in _READ[captions.form](each)[0]) for each in captions.listed)
    return ["".join(filter(str.isalnum, text)) for text in texts]


def _recast(each: Caption, old: str, new: str) -> Caption:
    styled, top = _READ[old](each)
    text, manner = _WRITE[new](styled, top)
    return replace(each, text=text, manner=manner)


def _from_srt(each: Caption) -> tuple[Styled, bool]:
    return _tagged(each.text, _SRT_PARTS, str), bool(_AT_TOP.search(each.text))


def _from_webvtt(each: Caption) -> tuple[Styled, bool]:
    top = any(_LINE_AT_TOP.match(word) for word in each.manner.split())
    return _tagged(each.text, _WEBVTT_PARTS, html.unescape), top


def _tagged(text: str, parts: re.Pattern[str], unescaped: Callable[[str], str]) -> Styled:
    styled: Styled = []
    now: frozenset[str] = frozenset()
    at = 0
    for found in parts.finditer(text):
        styled.append((unescaped(text[at : found.start()]), now))
        at = found.end()
        if tag := found["tag"]:
            style = tag.strip("</>")[0].lower()
            now = now - {style} if tag.startswith("</") else now | {style}
    return [*styled, (unescaped(text[at:]), now)]


def _from_ass(each: Caption) -> tuple[Styled, bool]:
    text = each.text.split(",", _FIELDS_BEFORE_TEXT)[-1]
    return list(_shown(text)), bool(_AT_TOP.search(text))


def _shown(text: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The runs of an ASS event that are text: what is drawn has lines and curves in its place."""
    now: frozenset[str] = frozenset()
    drawing, at = False, 0
    for found in [*_ASS_PARTS.finditer(text), None]:
        if not drawing:
            yield text[at : found.start() if found else None], now
        if found is None:
            return
        at = found.end()
        if block := found["block"]:
            for style, weight in _ASS_STYLE.findall(block):
                now = now | {style} if int(weight) else now - {style}
            drawing = int(([*_ASS_DRAWS.findall(block)] or [str(int(drawing))])[-1]) > 0
        elif not drawing:
            yield "\n" if found["end"] else " ", now


def _to_srt(styled: Styled, top: bool) -> tuple[str, str]:  # noqa: FBT001  # one of two places
    text = _dressed(styled, str)
    return ("{\\an8}" + text if top and text else text), ""


def _to_webvtt(styled: Styled, top: bool) -> tuple[str, str]:  # noqa: FBT001
    return _dressed(styled, lambda text: html.escape(text, quote=False)), "line:0" if top else ""


def _dressed(styled: Styled, escaped: Callable[[str], str]) -> str:
    """With tags around what is bold, italic, underlined; without empty lines, which would end it."""
    runs = []
    for text, styles in styled:
        tags = [style for style in _STYLES if style in styles and text.strip()]
        ends = "".join(f"</{tag}>" for tag in reversed(tags))
        runs.append("".join(f"<{tag}>" for tag in tags) + escaped(text) + ends)
    return "\n".join(line for line in "".join(runs).split("\n") if line.strip())


def _to_ass(styled: Styled, top: bool) -> tuple[str, str]:  # noqa: FBT001
    runs = []
    for text, styles in styled:
        on, off = ("".join(f"\\{style}{weight}" for style in _STYLES if style in styles) for weight in "10")
        plain = text.replace("\\", f"\\{_JOINER}").replace("{", "\\{").replace("}", "\\}").replace("\n", "\\N")
        runs.append(f"{{{on}}}{plain}{{{off}}}" if on and plain else plain)
    text = "".join(runs)
    place = "{\\an8}" if top else ""
    return (f"Default,,0,0,0,,{place}{text}" if text.strip() else ""), "0"


_READ: dict[str, Callable[[Caption], tuple[Styled, bool]]] = {
    SRT: _from_srt,
    WEBVTT: _from_webvtt,
    ASS: _from_ass,
}
_WRITE: dict[str, Callable[[Styled, bool], tuple[str, str]]] = {
    SRT: _to_srt,
    WEBVTT: _to_webvtt,
    ASS: _to_ass,
}
