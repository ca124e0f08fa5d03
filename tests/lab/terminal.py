"""The command line on a terminal: a pty of a size that may change, and what was drawn on it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

LIMIT_S = 60.0
_CODES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[=>]")
HOME = "\x1b[H"


@dataclass(kw_only=True)
class Terminal:
    """A command that believes that somebody looks at it."""

    process: asyncio.subprocess.Process
    _own: int  # our end of the pty
    _drawn: bytearray = field(default_factory=bytearray)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def raw(self) -> str:
        return self._drawn.decode(errors="replace")

    @property
    def text(self) -> str:
        """All that was ever written, without colours and movements."""
        return _CODES.sub("", self.raw)

    @property
    def frames(self) -> list[list[str]]:
        """Of a screen of its own: each time that it was drawn whole, its lines."""
        *whole, _ = self.raw.partition("\x1b[?1049l")[0].split(HOME)
        return [[line.rstrip() for line in _CODES.sub("", frame).split("\r\n")] for frame in whole[1:]]

    @property
    def seen(self) -> str:
        """The last frame."""
        return "\n".join(self.frames[-1]) if self.frames else ""

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                assert self.process.returncode is None or not self._more.is_set(), self.text
                self._more.clear()
                await self._more.wait()

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return await self.ended()

    async def ended(self) -> int:
        """The exit code, once all that was said has come."""
        async with asyncio.timeout(LIMIT_S):
            code = await self.process.wait()
        self._read()
        return code

    def _read(self) -> None:
        try:
            while chunk := os.read(self._own, 65536):
                self._drawn += chunk
        except OSError:  # there is no more now, or ever
            pass
        self._more.set()


@asynccontextmanager
async def on_terminal(
    *arguments: str, url: str, columns: int = 120, rows: int = 12, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """`encoder …` as a client of the server at `url`; it is ended with the block."""
    own, its = pty.openpty()
    os.set_blocking(own, False)
    fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    left_out = ("ENCODER_", "NO_COLOR", "CI", "COLUMNS", "LINES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "encoder", *arguments),
        env={**kept, "ENCODER_URL": url, "TERM": "xterm-256color", **(environment or {})},
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    terminal = Terminal(process=process, _own=own)
    loop = asyncio.get_running_loop()
    loop.add_reader(own, terminal._read)
    try:
        yield terminal
    finally:
        loop.remove_reader(own)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(own)
