"""How pages are made: the templates, and what all of them say in the same way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from encoder import __version__
from encoder.dashboard.files import Files
from encoder.model import place as places

THEME = "encoder-theme"
THEMES = ("system", "light", "dark")
CLOCK = "encoder-clock"
CLOCKS = ("utc", "local")
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THIN = "\u202f"  # between a number and its unit
_DAY = timedelta(days=1)
# controls and marks of direction: in a name they would be seen by nobody, or turn the rest of the line around
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Look:
    """Renders templates. Each finds `static(path)`, the address of a file of ours, and `now`.

    `static`: another one whenever a file of ours is.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self.static = files.version
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        self._environment.globals |= {"static": files.address, "version": __version__}
        self._environment.filters |= {
            "age": age,
            "bytes": in_bytes,
            "iso": iso,
            "percent": percent,
            "place": places.named,
            "plain": plain,
            "span": span,
            "time": at_time,
        }

    def render(self, template: str, facts: Mapping[str, object]) -> str:
        return self._environment.get_template(template).render({"now": datetime.now(UTC), **facts})


def plain(text: object) -> str:
    """What somebody else wrote, with what nobody would see made visible."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", str(text))


def in_bytes(count: float | None) -> str:
    """Three digits that count, in decimal units: 18.2 MB."""
    if count is None:
        return "–"
    step = min(max(len(str(round(count))) - 1, 0) // 3, len(_UNITS) - 1)
    return f"{count / 1000**step:.3g}{_THIN}{_UNITS[step]}"


def percent(share: float | None) -> str:
    """Whole percents, never 100 before the end."""
    return "–" if share is None else f"{int(share * 100)}{_THIN}%"


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at_time(at: datetime | None) -> str:
    return "–" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float | None) -> str:
    """A duration in two units at most: 0.4 s, 12 s, 4 min 10 s, 3 h 5 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    seconds = max(seconds, 0.0)
    if seconds < 10:  # noqa: PLR2004  # below, tenths count
        return f"{seconds:.1f}{_THIN}s"
    whole = round(seconds)
    for large, small, name, lesser in ((86_400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s")):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large}{_THIN}{name}" + (f" {rest}{_THIN}{lesser}" if rest else "")
    return f"{whole}{_THIN}s"


def age(at: datetime | None, now: datetime) -> str:
    """How long ago, in one unit; beyond a day the date."""
    if at is None:
        return "–"
    gone = max(now - at, timedelta(0))
    if gone >= _DAY:
        return at.astimezone(UTC).strftime("%Y-%m-%d")
    return span(gone.total_seconds() if gone < timedelta(minutes=1) else gone.total_seconds() // 60 * 60).split(" ")[0]
