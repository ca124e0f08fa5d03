"""Whether the role that runs on this machine lives: what the health check of a container asks."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from encoder.settings import Settings

ANSWER_S = 5.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # what one listens on, and where one reaches it


async def silent(settings: Settings) -> list[str]:
    """Those of our addresses where somebody listens and does not answer `/livez`.

    A role that ends by itself listens nowhere, and is alive as long as it runs.
    """
    host = _EVERYWHERE.get(settings.host, settings.host)
    ports = [port for port in (settings.port, settings.metrics_port) if port]
    answers = await asyncio.gather(*(_answers(host, port) for port in ports))
    return [f"{host}:{port}" for port, answered in zip(ports, answers, strict=True) if not answered]


async def _answers(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port, family=_family(host))
            try:
                writer.write(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.close()
    except ConnectionRefusedError:
        return True
    except (OSError, TimeoutError):
        return False


def _family(host: str) -> socket.AddressFamily:
    """As roles listen: of a name with addresses of both, two refusals would not be told as one."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
