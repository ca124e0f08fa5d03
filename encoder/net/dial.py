"""Connections that are not HTTP to hosts that callers wrote: what is checked is what is dialled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from aiohappyeyeballs import start_connection

from encoder import errors
from encoder.net.guard import Address, literal
from encoder.net.http import Web
from encoder.net.resolve import GuardedResolver, guarded_socket

_NEXT_ADDRESS_S = 0.25  # RFC 8305: until the next address of a name is tried beside the one that keeps silent

_Info: TypeAlias = tuple[int, int, int, str, tuple[str, int]]


async def dial(host: str, port: int, web: Web, *, away: str) -> socket.socket:
    """A connected, non-blocking socket to `host`, a name or an address; the caller closes it.

    A name of which one address is forbidden is not dialled at all. `away` is the code of the failure when there is
    no such name, or nobody answers.

    Raises:
        errors.Permanent: `address_not_allowed`.
        errors.Transient: `away`, `timeout`.
    """
    with _translated(host, away):
        infos = await _addresses(host, port, web)
        async with asyncio.timeout(web.connect_s):
            return await start_connection(
                infos, happy_eyeballs_delay=_NEXT_ADDRESS_S, socket_factory=guarded_socket(web.policy)
            )


async def _addresses(host: str, port: int, web: Web) -> list[_Info]:
    address = literal(host)
    if address is not None:  # the socket's maker looks at it
        return [_info(address, port)]
    found = await GuardedResolver(web.policy, web.lookup).resolve(host, port)
    return [(each["family"], socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (each["host"], port)) for each in found]


def _info(address: Address, port: int) -> _Info:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004  # IP's versions
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (str(address), port))


@contextmanager
def _translated(host: str, away: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise errors.Transient("timeout", f"{host} did not answer in time.") from error
    except OSError as error:
        raise errors.Transient(away, f"{host} cannot be reached: {error.strerror or type(error).__name__}.") from error
