"""Debian's `promtool`, which knows what metrics should be called, and how they are to be told."""

from __future__ import annotations

import asyncio


async def lint(text: str) -> str:
    """What `promtool check metrics` has to say about a scrape; nothing is best."""
    tool = await asyncio.create_subprocess_exec(
        *("promtool", "check", "metrics"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await tool.communicate(text.encode())
    return said.decode() or ("" if tool.returncode == 0 else f"exit {tool.returncode}")
