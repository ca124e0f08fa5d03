"""What goes into columns of text, and what stands in files of statements."""

from __future__ import annotations

import re

import msgspec

_COMMENT = re.compile(r"^\s*--.*\n?", re.MULTILINE)
_REMARK = re.compile(r"\s+--\s.*$", re.MULTILINE)


def statements(text: str) -> tuple[str, ...]:
    """The statements of a file, without its comments. None of ours has a semicolon inside."""
    bare = _REMARK.sub("", _COMMENT.sub("", text))
    return tuple(part.strip() for part in bare.split(";") if part.strip())


def json_text(value: object) -> str:
    """`value` for a column that holds JSON."""
    return msgspec.json.encode(value).decode()


def stored_text(value: str) -> str:
    """`value` without what a text column refuses: NUL and lone surrogates, which foreign programs may print."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
