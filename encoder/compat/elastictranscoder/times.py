"""Times as Elastic Transcoder writes them: `sssss.SSS` or `HH:mm:ss.SSS`."""

from __future__ import annotations

import re

from encoder.compat.foreign import Foreign
from encoder.model.base import Json

_SECONDS = r"[0-9]{1,5}(\.[0-9]{0,3})?"
_CLOCK = r"([0-9]{1,2}:){1,2}[0-9]{1,2}(\.[0-9]{0,3})?"


def clip(span: Foreign | None) -> dict[str, Json] | None:
    """A `TimeSpan` as `clip`; None where it says nothing."""
    if span is None:
        return None
    said = {"start": _seconds(span, "StartTime"), "duration": _seconds(span, "Duration")}
    span.close()
    return {name: value for name, value in said.items() if value is not None} or None


def _seconds(span: Foreign, name: str) -> float | None:
    text = span.text(name, f"{_SECONDS}|{_CLOCK}", "must be seconds, as sssss.SSS, or HH:mm:ss.SSS")
    if text is None:
        return None
    if re.fullmatch(_SECONDS, text):
        return float(text)
    seconds, minutes, hours = (*reversed(text.split(":")), "0")[:3]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
