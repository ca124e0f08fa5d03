"""The reading side of a data connection: all of it, in order, held back while nobody reads, ended by what ended it."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from encoder.net.inflow import Inflow

MIB = 1024 * 1024
BYTES = os.urandom(20 * MIB)


async def flow(serve: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> tuple[Inflow, asyncio.Server]:
    """What a server sends, and it."""

    async def served(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(writer)

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    _, inflow = await asyncio.get_running_loop().create_connection(Inflow, *server.sockets[0].getsockname())
    return inflow, server


async def test_all_of_it_comes_in_order_and_waits_outside_while_nobody_reads() -> None:
    sent = 0

    async def serve(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        for at in range(0, len(BYTES), MIB):
            writer.write(BYTES[at : at + MIB])
            await writer.drain()
            sent += MIB
        writer.close()

    inflow, server = await flow(serve)
    async with server:
        await asyncio.sleep(0.3)
        assert sent < len(BYTES)  # what does not fit into our buffer and the kernel's is not sent yet
        got = bytearray()
        while piece := await inflow.read():
            assert len(piece) < 2 * MIB
            got += piece
        assert got == BYTES
        assert await inflow.read() == b""


async def test_a_broken_connection_is_told_after_what_it_brought() -> None:
    async def serve(writer: asyncio.StreamWriter) -> None:
        writer.write(b"some")
        await writer.drain()
        await asyncio.sleep(0.1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell
        writer.transport.abort()

    inflow, server = await flow(serve)
    async with server:
        assert await inflow.read() == b"some"
        with pytest.raises(ConnectionResetError):
            await inflow.read()
