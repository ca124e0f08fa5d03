"""From which address a request comes, also where proxies of the operator's stand between."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from aiohttp import web

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_HOUSE = 64  # bits of IPv6 that one customer of a network has: in those behind, a caller may choose


class Addresses:
    """`proxies`: those of the operator's, who alone are believed whom they speak for."""

    def __init__(self, proxies: Sequence[Network] = ()) -> None:
        self._proxies = proxies

    def of(self, request: web.BaseRequest) -> Address:
        """The caller's: the last one in `X-Forwarded-For` that is no proxy of ours, if a proxy of ours brings it."""
        caller = _read(request.remote or "") or IPv6Address(0)
        if not self._ours(caller):
            return caller
        told = ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")
        while self._ours(caller) and told and (before := _read(told.pop())) is not None:
            caller = before
        return caller

    def _ours(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def house(address: Address) -> str:
    """What is counted as one caller."""
    return str(address if isinstance(address, IPv4Address) else IPv6Network((address, _HOUSE), strict=False))


@lru_cache(maxsize=1024)
def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
