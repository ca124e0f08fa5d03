from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from encoder.cli.sse import Message, messages


async def _chunked(stream: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(stream), size):
        yield stream[start : start + size]


async def _read(stream: bytes, size: int = 7) -> list[Message]:
    return [message async for message in messages(_chunked(stream, size))]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_messages_come_out_whole_however_the_stream_is_cut(size: int) -> None:
    stream = 'id: 1\nevent: job.submitted\ndata: {"a":\ndata: "ü"}\n\n: ping\n\ndata: x\n\n'.encode()
    assert await _read(stream, size) == [
        Message(id="1", event="job.submitted", data='{"a":\n"ü"}'),
        Message(data="x"),
    ]


async def test_a_message_that_the_end_cuts_off_is_dropped() -> None:
    assert await _read(b"id: 1\ndata: whole\n\nid: 2\ndata: half\n") == [Message(id="1", data="whole")]


async def test_carriage_returns_and_missing_spaces_do_not_matter() -> None:
    assert await _read(b"id:1\r\nevent:e\r\ndata:d\r\n\r\n") == [Message(id="1", event="e", data="d")]


async def test_a_message_without_data_is_none_and_leaves_nothing_to_the_next() -> None:
    assert await _read(b"event: e\nid: 9\n\ndata: d\n\n") == [Message(data="d")]


async def test_a_line_may_be_larger_than_any_buffer() -> None:
    (message,) = await _read(b"data: " + b"x" * 300_000 + b"\n\n", 65536)
    assert len(message.data) == 300_000
