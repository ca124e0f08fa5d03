"""Headers that callers add to our requests, and names in addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from encoder.errors import Fault
from encoder.model.place import pointer

MOST_HEADERS = 32
LONGEST_HEADER_BYTES = 4096

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\U0010ffff]*")
# Ours to say: they frame the message, or choose what is read of it.
_OURS = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "expect", "host", "if-range", "keep-alive"}
    | {"proxy-authorization", "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade"}
)


def faults(headers: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with a caller's `headers`; `path` from the place that holds them."""
    if len(headers) > MOST_HEADERS:
        yield Fault(path="/headers", code="out_of_range", message=f"There are more than {MOST_HEADERS} headers.")
    for name, value in headers.items():
        why = _why_not(name, value)
        if why is not None:
            yield Fault(path=pointer("headers", name), code="invalid_value", message=why)


def last_part(target: str) -> str:
    """The last part of an address's path, decoded; hostile text."""
    return unquote(target.partition("?")[0].rpartition("/")[2])


def _why_not(name: str, value: str) -> str | None:
    if not _NAME.fullmatch(name):
        return "The header's name holds characters that no name may."
    if name.lower() in _OURS:
        return f"`{name}` is set by Encoder itself."
    if not _VALUE.fullmatch(value) or len(value.encode(errors="replace")) > LONGEST_HEADER_BYTES:
        return f"The header's value holds a line break or another control, or is over {LONGEST_HEADER_BYTES} bytes."
    return None
