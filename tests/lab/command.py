"""The command line as a process: what it prints where, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass

LIMIT_S = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


async def start(*arguments: str, url: str, **environment: str) -> asyncio.subprocess.Process:
    """`encoder …` as a client of the server at `url`, without a terminal."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENCODER_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "encoder", *arguments),
        env={**kept, "ENCODER_URL": url, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def encoder(*arguments: str, url: str = "", stdin: str = "", **environment: str) -> Done:
    """The same, to its end."""
    process = await start(*arguments, url=url, **environment)
    async with asyncio.timeout(LIMIT_S):
        out, err = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
