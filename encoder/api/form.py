"""A form with a file as its last field, read as it comes: nothing of it is held but a few short fields."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from encoder.api.inflow import in_time, inflow
from encoder.errors import Rejected

FILE = "file"
MOST_FIELDS = 16
MOST_FIELD_BYTES = 2048
FIELDS_S = 60.0  # for all fields before the file
CHUNK_BYTES = 256 * 1024
_KIND = "multipart/form-data"


class Form:
    """First its `fields`, then its `file`. Both raise errors.Rejected: `upload_incomplete`, `request_timeout`."""

    def __init__(self, parts: MultipartReader) -> None:
        self._parts = parts
        self._file: BodyPartReader | None = None

    @classmethod
    async def of(cls, request: web.Request) -> Form:
        """Raises errors.Rejected: `unsupported_media_type`."""
        if request.content_type != _KIND:
            raise Rejected.because("unsupported_media_type", f"Send the form as `{_KIND}`.")
        with _understood():
            return cls(await request.multipart())

    async def fields(self) -> Mapping[str, str]:
        """All that stand before the file. They are read before anybody knows who sends them, and so not for long."""
        try:
            async with asyncio.timeout(FIELDS_S):
                return await self._fields()
        except TimeoutError:
            raise Rejected.because("request_timeout", f"The fields did not arrive within {FIELDS_S:.0f} s.") from None

    async def _fields(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        while (part := await self._next()) is not None:
            if part.name == FILE:
                self._file = part
                return found
            if len(found) == MOST_FIELDS:
                break
            found[part.name or ""] = await _short(part)
        raise _broken(f"a field `{FILE}` must be there, behind at most {MOST_FIELDS} others")

    async def file(self) -> AsyncIterator[bytes]:
        """The file, as it comes. It is over only when the form is."""
        file = self._file
        if file is None:
            return
        with _understood():
            async for chunk in inflow(lambda: file.read_chunk(CHUNK_BYTES)):
                yield chunk
        if await self._next() is not None:
            raise _broken(f"nothing may stand behind the field `{FILE}`")

    async def _next(self) -> BodyPartReader | None:
        with _understood():
            part = await in_time(self._parts.next())
        if isinstance(part, MultipartReader):
            raise _broken("no field may hold others")
        return part


async def _short(part: BodyPartReader) -> str:
    with _understood():
        text = bytearray()
        while chunk := await in_time(part.read_chunk(MOST_FIELD_BYTES)):
            text += chunk
            if len(text) > MOST_FIELD_BYTES:
                raise _broken(f"no field but `{FILE}` may be longer than {MOST_FIELD_BYTES} bytes")
        return text.decode(errors="replace")


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (ValueError, EOFError, AssertionError, HttpProcessingError):  # aiohttp's own words may hold the caller's
        raise _broken("it breaks the rules of its encoding") from None


def _broken(why: str) -> Rejected:
    return Rejected.because("upload_incomplete", f"The form cannot be taken: {why}.")
