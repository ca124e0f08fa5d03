"""Spans of time as people write them on the command line."""

from __future__ import annotations

import re

import click

_SPAN = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)?")
_UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Span(click.ParamType[float]):
    """Seconds, from `90`, `90s`, `15m`, `6h` or `1d`."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        match = _SPAN.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no span of time such as 90, 15m or 6h.", param, ctx)
        return float(match[1]) * _UNIT_S[match[2] or ""]
