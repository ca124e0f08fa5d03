"""Connections that are no HTTP take the same guarded way out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack

import pytest

from encoder import errors
from encoder.net import resolve
from encoder.net.dial import dial
from encoder.net.http import Web
from tests.lab.canary import FORBIDDEN, Canary
from tests.lab.dns import FakeDns, Silent
from tests.lab.wire import POLICY, PUBLIC, lab_web

AWAY = "source_unavailable"


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with Canary() as canary:
        yield canary


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Of a server that says one word to each visitor."""

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        writer.close()

    async with await asyncio.start_server(greet, PUBLIC) as server:
        yield server.sockets[0].getsockname()[1]


async def word(host: str, port: int, web: Web) -> bytes:
    reader, writer = await asyncio.open_connection(sock=await dial(host, port, web, away=AWAY))
    try:
        return await reader.readline()
    finally:
        writer.close()


@pytest.mark.parametrize("host", [PUBLIC, "files.example"])
async def test_an_open_address_is_dialled(port: int, host: str) -> None:
    dns = FakeDns(script={"files.example": [[PUBLIC]]})
    assert await word(host, port, lab_web(lookup=dns)) == b"hello\n"


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_a_forbidden_address_is_not_dialled(canary: Canary, host: str) -> None:
    with pytest.raises(errors.Permanent, match="address_not_allowed"):
        await word(host, canary.port, lab_web())


@pytest.mark.parametrize("answer", [[FORBIDDEN[0]], [PUBLIC, FORBIDDEN[0]], ["::ffff:127.66.0.1"]])
async def test_a_name_of_which_one_address_is_forbidden_is_not_dialled(canary: Canary, answer: Sequence[str]) -> None:
    """C4, C6"""
    dns = FakeDns(script={"evil.example": [answer]})
    with pytest.raises(errors.Permanent, match="address_not_allowed") as refused:
        await word("evil.example", canary.port, lab_web(lookup=dns))
    assert FORBIDDEN[0] not in refused.value.message


async def test_what_was_looked_up_is_what_is_dialled(canary: Canary, port: int) -> None:
    """C5"""
    dns = FakeDns(script={"rebinding.example": [[PUBLIC], [FORBIDDEN[0]]]})
    assert await word("rebinding.example", port, lab_web(lookup=dns)) == b"hello\n"
    assert dns.asked["rebinding.example"] == 1


async def test_the_next_address_is_tried_when_one_does_not_answer(port: int) -> None:
    dns = FakeDns(script={"two.example": [["127.77.0.9", PUBLIC]]})  # nobody listens on the first
    assert await word("two.example", port, lab_web(lookup=dns)) == b"hello\n"


async def test_where_nobody_listens_is_away(port: int) -> None:
    with pytest.raises(errors.Transient, match=f"{AWAY}: 127.77.0.9 cannot be reached"):
        await word("127.77.0.9", port, lab_web())


async def test_a_name_that_does_not_exist_is_away(port: int) -> None:
    with pytest.raises(errors.Transient, match=AWAY):
        await word("nowhere.example", port, lab_web(lookup=FakeDns()))


async def test_a_lookup_that_takes_too_long_is_a_timeout(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "DNS_S", 0.05)
    with pytest.raises(errors.Transient, match="timeout"):
        await word("slow.example", port, lab_web(lookup=FakeDns(script={"slow.example": [Silent()]})))


async def test_a_host_that_keeps_silent_is_a_timeout() -> None:
    with socket.create_server((PUBLIC, 0), backlog=0) as full, ExitStack() as waiting:
        port = full.getsockname()[1]
        web = Web(policy=POLICY, connect_s=0.1)

        async def knock(times: int) -> None:
            """Fills the queue of connections that nobody accepts, and then one more."""
            for _ in range(times):
                waiting.enter_context(await dial(PUBLIC, port, web, away=AWAY))

        with pytest.raises(errors.Transient, match="timeout"):
            await knock(8)
