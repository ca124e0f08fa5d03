"""Turns names into addresses that may be dialled, and looks once more when one is."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from encoder import errors
from encoder.net.guard import Policy

# Every address of a name, as text. Raises OSError when it has none.
Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]

DNS_S = 5.0


async def system_lookup(name: str) -> Sequence[str]:
    """Ask the system. The name is absolute: no search domain of the host may complete it."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class GuardedResolver(AbstractResolver):
    """Resolves for aiohttp. One forbidden address among the answers refuses the name: which one of them a second
    look would find is not ours to say."""

    def __init__(self, policy: Policy, lookup: Lookup = system_lookup) -> None:
        self._policy = policy
        self._lookup = lookup

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  # aiohttp asks so
    ) -> list[ResolveResult]:
        async with asyncio.timeout(DNS_S):
            found = [ipaddress.ip_address(text) for text in await self._lookup(host)]
        if not found:
            raise OSError(f"{host} has no address")
        if any(self._policy.refusal(address, port) for address in found):
            raise errors.Permanent("address_not_allowed", f"{host} leads to an address that is not allowed.")
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,  # noqa: PLR2004  # IP's versions
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass


def guarded_socket(policy: Policy) -> Callable[[tuple[Any, ...]], socket.socket]:
    """A maker of sockets that refuses what must not be dialled: aiohttp asks no resolver about literal addresses."""

    def make(info: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, sockaddr = info
        if policy.refusal(ipaddress.ip_address(sockaddr[0]), sockaddr[1]):
            raise errors.Permanent("address_not_allowed", "The address is not allowed.")
        return socket.socket(family=family, type=kind, proto=proto)

    return make
