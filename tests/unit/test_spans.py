"""Spans of time on the command line."""

from __future__ import annotations

import click
import pytest

from encoder.cli.spans import Span


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("0.5", 0.5), ("15m", 900), ("6h", 21600), ("1d", 86400)])
def test_a_span_is_read_with_its_unit(text: str, seconds: float) -> None:
    assert Span().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "h", "6 h", "-1", "1w", "6h30m"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no span of time"):
        Span().convert(text, None, None)
