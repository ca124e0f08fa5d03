"""One child process: born into its own group, drained while it lives, waited for whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from encoder import errors

LOG_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b.|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Tail:
    """The last bytes of a stream, however long it or any of its lines is."""

    def __init__(self, limit_bytes: int = LOG_BYTES) -> None:
        self._limit = limit_bytes
        self._kept = bytearray()
        self._dropped_bytes = 0

    def feed(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > 2 * self._limit:  # cut seldom: each cut moves what is kept
            self._dropped_bytes += len(self._kept) - self._limit
            del self._kept[: -self._limit]

    def text(self) -> str:
        """What is kept as plain lines: no terminal codes, no line written over by the next."""
        return _plain(self._kept[-self._limit :])

    def end(self, limit_chars: int) -> tuple[int, str]:
        """The last of it, and how many characters came before: as in `text` while nothing was dropped."""
        text = _plain(self._kept)
        at = max(0, len(text) - limit_chars)
        return self._dropped_bytes + at, text[at:]


def _plain(said: bytes | bytearray) -> str:
    text = said.decode("utf-8", "replace")
    return _TERMINAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What the kernel says of a process that is gone. `code` < 0: the signal."""

    code: int
    cpu_seconds: float
    wall_seconds: float


class Child:
    """A running process. Its creator must reach `end`, which returns only when nothing of its group is left.

    Waits by pidfd and `wait4`: exact figures for each of several children, and no child watcher, whose kind and
    warnings differ from one Python to the next. To be started from the thread that lives as long as the program:
    the parent-death signal of the box is tied to it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        environment: Mapping[str, str],
        descriptors: Sequence[int],
        on_output: Callable[[bytes], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = time.monotonic()
        self.said = Tail()
        self.heard_bytes = 0
        self._process = _spawn(command, folder, environment, descriptors)
        self.pid = self._process.pid
        self.exited: asyncio.Future[Ended] = self._loop.create_future()
        self._pidfd = os.pidfd_open(self.pid)
        self._sinks: dict[int, Callable[[bytes], None]] = {}
        for stream, sink in ((self._process.stdout, on_output), (self._process.stderr, self.said.feed)):
            assert stream is not None  # noqa: S101  # we asked for pipes
            os.set_blocking(stream.fileno(), False)
            self._sinks[stream.fileno()] = sink
            self._loop.add_reader(stream.fileno(), self._read, stream.fileno())
        self._loop.add_reader(self._pidfd, self._reap)

    @property
    def log(self) -> str:
        return self.said.text()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; nothing when the child is gone."""
        if not self.exited.done():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def end(self, *, grace_s: float) -> None:
        """TERM, grace, KILL. However often the caller is cancelled meanwhile, the child is waited for."""
        if self.exited.done():
            return
        try:
            self.signal(signal.SIGTERM)
            await asyncio.wait({self.exited}, timeout=grace_s)
        finally:
            self.signal(signal.SIGKILL)
            await self._gone()

    async def _gone(self) -> None:
        cancelled = False
        while not self.exited.done():
            try:
                await asyncio.wait({self.exited})
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            raise asyncio.CancelledError

    def _read(self, descriptor: int) -> bool:
        """Take one piece; False at the end of the stream, or when there is nothing just now."""
        try:
            data = os.read(descriptor, _PIECE_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(descriptor)
            return False
        self.heard_bytes += len(data)
        self._sinks[descriptor](data)
        return True

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.signal(signal.SIGKILL)  # what it may have started; its own number is not free before wait4
        _, status, usage = os.wait4(self.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)  # so that Popen does not look for it
        for descriptor in self._sinks:
            while self._read(descriptor):
                pass
            self._loop.remove_reader(descriptor)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        self.exited.set_result(
            Ended(
                code=self._process.returncode,
                cpu_seconds=usage.ru_utime + usage.ru_stime,
                wall_seconds=time.monotonic() - self._begun,
            )
        )


def _spawn(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], descriptors: Sequence[int]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  # argv of our own making, and no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env=environment,
            pass_fds=descriptors,
            start_new_session=True,
        )
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE):
            raise errors.Resource("out_of_memory", "This worker can start no more processes just now.") from error
        raise
