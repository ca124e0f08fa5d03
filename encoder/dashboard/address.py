"""Addresses within our own pages: what comes with a request leads nowhere else."""

from __future__ import annotations

import re

from aiohttp import web

_LOCAL = re.compile(r"/(?![/\\])[!-~]*")  # a browser takes `//` and `/\` for another host, and drops what is no text


def is_local(address: str) -> bool:
    """Whether a browser that is sent there stays with us."""
    return _LOCAL.fullmatch(address) is not None and "\\" not in address


def back_to(request: web.Request, otherwise: str) -> str:
    """The page of ours from which the request was sent, its filters kept; `otherwise` where none is told."""
    host, _, rest = request.headers.get("Referer", "").partition("://")[2].partition("/")
    address = f"/{rest.partition('#')[0]}"
    is_ours = host.lower() == request.host.lower()
    return address if is_ours and is_local(address) else otherwise
