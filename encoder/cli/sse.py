"""Server-sent events, read from a stream of bytes (HTML standard, 9.2.6)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`id` is empty for what is not kept, such as progress."""

    id: str = ""
    event: str = "message"
    data: str = ""


@dataclass(slots=True)
class _Draft:
    id: str = ""
    event: str = "message"
    data: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.event = value
        elif name == "id":
            self.id = value

    def message(self) -> Message:
        return Message(id=self.id, event=self.event, data="\n".join(self.data))


async def messages(chunks: AsyncIterable[bytes]) -> AsyncIterator[Message]:
    """Each whole message; one that the stream's end cut off is dropped. Comments (pings) are passed over."""
    draft = _Draft()
    async for line in _lines(chunks):
        if line:
            draft.take(line)
            continue
        if draft.data:
            yield draft.message()
        draft = _Draft()


async def _lines(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
