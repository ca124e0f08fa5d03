"""What goes into columns of text."""

from __future__ import annotations

import msgspec


def json_text(value: object) -> str:
    """`value` for a column that holds JSON."""
    return msgspec.json.encode(value).decode()


def stored_text(value: str) -> str:
    """`value` without what a text column refuses: NUL and lone surrogates, which foreign programs may print."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
