"""Reads JSON bodies: bounded in bytes, depth and time, and strict where Python's own reader is not.

Python's reader takes `NaN`, keeps the last of two equal members, and dies of 20,000 brackets; ours refuses all
three by name.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import suppress
from typing import NoReturn

from aiohttp import web

from encoder.errors import Fault, Rejected
from encoder.model.base import Json
from encoder.model.place import pointer

JSON = frozenset({"application/json"})
UNTYPED = "application/octet-stream"  # also what comes without a type, as HTTP has it
MAX_BYTES = 1024 * 1024
MAX_INLINE_BYTES = 16 * 1024 * 1024  # of a body whose source is inline; the rest of it stays under MAX_BYTES
MAX_DEPTH = 32
MAX_VALUES = 20_000  # members and items in all; the largest sensible job has a third of it
MAX_WHOLE = 2**63 - 1
MAX_FAULTS = 100  # more would help nobody, and an answer should not outgrow its question
IDLE_S = 30.0
TOTAL_S = 60.0
OFF_LOOP_BYTES = 64 * 1024  # a larger body is read in a thread: the loop never stands still for 100 ms


async def receive(request: web.Request, *, types: Collection[str] = JSON) -> Json:
    """The request's body as JSON data, which may come as one of `types`.

    Raises:
        errors.Rejected: `unsupported_media_type`, `content_encoding_not_allowed`, `body_too_large`,
            `request_timeout`, `invalid_json`, `duplicate_key`, `invalid_text`.
    """
    _check_headers(request, types)
    raw = await _bytes_of(request)
    if len(raw) > OFF_LOOP_BYTES:
        return await asyncio.to_thread(read_json, raw)
    return read_json(raw)


async def refuse(request: web.Request) -> None:
    """Let no body pass where an operation takes none; an empty one is none.

    Raises:
        errors.Rejected: `unexpected_body`.
    """
    if request.content.at_eof():
        return
    with suppress(TimeoutError, web.RequestPayloadError):
        async with asyncio.timeout(IDLE_S):
            if not (request.content_length or await request.content.readany()):
                return
    raise Rejected.because("unexpected_body", "This operation takes no body; its parameters go into the query.")


def read_json(raw: bytes) -> Json:
    """JSON text as plain data: no member twice, no infinite number, no NUL or lone surrogate, no deep nesting."""
    value = _parse(_decode(raw))
    faults = []
    for fault in _faults(value):
        faults.append(fault)
        if len(faults) == MAX_FAULTS:
            break
    if faults:
        raise Rejected(*faults)
    return value


def _check_headers(request: web.Request, types: Collection[str]) -> None:
    if request.content_type not in types or (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise Rejected.because("unsupported_media_type", "The body must be `application/json` in UTF-8.")
    # these are unpacked as they arrive, and the bytes that come out are counted
    if request.headers.get("Content-Encoding", "identity").lower() not in {"identity", "gzip", "deflate"}:
        raise Rejected.because("content_encoding_not_allowed", "The body must come uncompressed, or as gzip.")
    if (request.content_length or 0) > MAX_INLINE_BYTES:
        raise _too_large()


async def _bytes_of(request: web.Request) -> bytes:
    body, look_at = bytearray(), MAX_BYTES
    try:
        async with asyncio.timeout(_patience(request, TOTAL_S)):
            async for chunk in _chunks(request):
                body += chunk
                if len(body) > look_at:
                    _check_size(body)
                    look_at = min(2 * len(body), MAX_INLINE_BYTES)
    except TimeoutError:
        raise Rejected.because("request_timeout", "The body did not arrive in time.") from None
    except web.RequestPayloadError:
        raise Rejected.because("invalid_json", "The body breaks the rules of its encoding.") from None
    _check_size(body)
    return bytes(body)


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    while True:
        async with asyncio.timeout(_patience(request, IDLE_S)):
            chunk = await request.content.readany()
        if not chunk:
            return
        yield chunk


def _patience(request: web.Request, seconds: float) -> float | None:
    """None once all has come, as a small body does with its headers: a timer less for each look at it."""
    return None if request.content.is_eof() else seconds


def _check_size(body: bytearray) -> None:
    """Refuse early what is too large for any reading of it: only the text of an inline source may be long."""
    if len(body) > MAX_INLINE_BYTES or (len(body) > MAX_BYTES and len(body) - _longest_data(body) > MAX_BYTES):
        raise _too_large()


def _longest_data(body: bytearray) -> int:
    """Length of the longest text of a member `data`, complete or still arriving."""
    longest, at = 0, body.find(b'"data"')
    for _ in range(MAX_FAULTS):
        if at < 0:
            break
        begin = body.find(b'"', at + len(b'"data"'))
        if begin < 0:
            break
        end = body.find(b'"', begin + 1)
        longest = max(longest, (end if end >= 0 else len(body)) - begin)
        at = body.find(b'"data"', end) if end >= 0 else -1
    return longest


def _too_large() -> Rejected:
    return Rejected.because("body_too_large", "The body is larger than 1 MiB, or 16 MiB with an inline source.")


def _decode(raw: bytes) -> str:
    encoding = json.detect_encoding(raw)
    if encoding not in {"utf-8", "utf-8-sig"}:
        raise Rejected.because("unsupported_media_type", "The body must be in UTF-8.")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise _malformed(f"The body is not UTF-8 at byte {error.start}.") from None


class _Object(dict[str, Json]):
    """An object as it was read; `twice` has the names that stood in it more than once."""

    twice: tuple[str, ...] = ()


def _object(members: list[tuple[str, Json]]) -> _Object:
    value = _Object(members)
    if len(value) < len(members):
        value.twice = tuple(name for name, count in Counter(name for name, _ in members).items() if count > 1)
    return value


def _not_a_number(_constant: str) -> NoReturn:
    raise _malformed("Numbers must be finite.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_not_a_number)


def _parse(text: str) -> Json:
    try:
        value: Json = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise _malformed(f"The body is not JSON from line {error.lineno}, column {error.colno} on.") from None
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # Python refuses to read whole numbers of more than 4,300 digits
        raise _too_long_number() from None
    return value


# Where a value stands: its token and where its parent stands. Pointers are written only for faults.
_Place = tuple["_Place", str | int] | None


def _faults(root: Json) -> Iterator[Fault]:
    todo: list[tuple[Json, _Place, int]] = [(root, None, 1)]
    seen = 0
    while todo:
        value, place, depth = todo.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise Rejected.because("body_too_large", f"The body holds more than {MAX_VALUES} values.")
        if isinstance(value, str):
            if not _is_text(value):
                yield _bad_text(place)
        elif isinstance(value, (dict, list)):
            if depth > MAX_DEPTH:
                raise _too_deep()
            yield from _name_faults(value, place)
            todo.extend((member, (place, token), depth + 1) for token, member in _members(value))
        else:
            _check_number(value)


def _members(value: dict[str, Json] | list[Json]) -> Iterator[tuple[str | int, Json]]:
    if isinstance(value, list):
        yield from enumerate(value)
    else:
        yield from ((name, member) for name, member in value.items() if _is_text(name))


def _name_faults(value: Json, place: _Place) -> Iterator[Fault]:
    if not isinstance(value, _Object):
        return
    if not all(map(_is_text, value)):  # a name that is no text cannot be told back
        yield _bad_text(place)
    for name in filter(_is_text, value.twice):
        path = _pointer((place, name))
        yield Fault(path=path, code="duplicate_key", message="stands more than once")


def _check_number(value: bool | float | None) -> None:  # noqa: FBT001  # JSON's own kinds
    if isinstance(value, float) and not math.isfinite(value):
        raise _malformed("Numbers must be finite.")
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        raise _too_long_number()


def _is_text(value: str) -> bool:
    if "\x00" in value:
        return False
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pointer(place: _Place) -> str:
    tokens: list[str | int] = []
    while place is not None:
        place, token = place
        tokens.append(token)
    return pointer(*reversed(tokens))


def _bad_text(place: _Place) -> Fault:
    message = "must not hold NUL or half of a surrogate pair"
    return Fault(path=_pointer(place), code="invalid_text", message=message)


def _malformed(message: str) -> Rejected:
    return Rejected.because("invalid_json", message)


def _too_deep() -> Rejected:
    return _malformed(f"The body nests deeper than {MAX_DEPTH} levels.")


def _too_long_number() -> Rejected:
    return _malformed("Whole numbers must fit into 64 bits.")
