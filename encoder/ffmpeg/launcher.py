"""The only way to start ffmpeg, or anything that opens media: boxed, watched, drained, waited for."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import box, fonts, vitals, watchdog
from encoder.ffmpeg.child import Child, Tail
from encoder.ffmpeg.exits import Exit, Reason, classify
from encoder.ffmpeg.formats import MOST_ALLOCATED_BYTES
from encoder.ffmpeg.leash import Leash
from encoder.ffmpeg.progress import Meter, Progress
from encoder.ffmpeg.watchdog import Watchdog
from encoder.metrics import encode

__all__ = ["Exit", "Launcher", "Leash", "Limits", "Progress", "Reason", "Sandbox", "classify"]

GRACE_S = 0.5  # what a stopped run would still flush is thrown away; x264 empties its lookahead for seconds
LOOK_EVERY_S = 1.0
_OPEN_FILES = 256
_THREADS_OF_THE_USER = 8192

# where the dynamic loader and the libraries of a system lie, and what encoders ask about the processor
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system", "/dev/urandom",
)  # fmt: skip

_HEAD = (
    "-nostdin", "-hide_banner", "-nostats", "-progress", "pipe:1", "-stats_period", "0.25",
    "-max_alloc", str(MOST_ALLOCATED_BYTES),
)  # fmt: skip


class Sandbox(StrEnum):
    """Landlock: where the kernel has it, always or not at all, never."""

    AUTO = "auto"
    REQUIRED = "required"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run may use. `file_bytes`: of each file that it writes; `memory_bytes`: private memory. None: no end.

    `devices` to command, and what their drivers read, beside what all runs may read.
    """

    wall_seconds: float
    stall_seconds: float = 120.0
    cpu_seconds: int | None = None
    file_bytes: int | None = None
    memory_bytes: int | None = None
    devices: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Which walls stand around children here."""

    landlock_fs: bool
    landlock_net: bool
    no_new_privs: bool = True


class Launcher:
    """Starts ffmpeg and the prober.

    `readable`: further files and folders that ffmpeg may read and run; `grace_s`: from TERM to KILL; `threads`: of a
    decoder, and of a graph of filters; None: as many as there are cores; `dog`: watches the memory of all that run.

    Raises:
        errors.Unfit: the sandbox is required and this kernel has none; the fonts are not installed.
    """

    def __init__(
        self,
        *,
        binary: Path,
        sandbox: Sandbox = Sandbox.AUTO,
        readable: Sequence[Path] = (),
        grace_s: float = GRACE_S,
        threads: int | None = None,
        dog: Watchdog | None = None,
    ) -> None:
        self.binary = binary.resolve()
        abi = 0 if sandbox is Sandbox.OFF else box.landlock_abi()
        if sandbox is Sandbox.REQUIRED and not abi:
            raise errors.Unfit("ENCODER_SANDBOX is `required`, but this kernel offers no Landlock.")
        self.layers = Layers(landlock_fs=abi >= 1, landlock_net=abi >= 4)  # noqa: PLR2004  # first version with TCP
        self._readable = (self.binary, self.binary.parent.parent / "lib", *_SYSTEM, *fonts.readable(), *readable)
        self._grace_s = grace_s
        self._threads = () if threads is None else _threads(threads)
        self._dog = dog

    async def run(
        self,
        args: Sequence[str],
        *,
        folder: Path,
        leash: Leash,
        limits: Limits,
        source: Path | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_birth: Callable[[Tail], None] | None = None,
    ) -> Exit:
        """Run ffmpeg in `folder`, the only place where it may write, to its end; `source` is its descriptor 3.

        Cancelled, it sends TERM, after the grace KILL, and waits for the end. `on_progress` is called from the loop
        about four times a second and must not raise. `on_birth` is given what ffmpeg will say.

        Raises:
            errors.LeaseLost: the leash was cut.
            errors.Resource: no process could be started.
        """
        meter = Meter(on_progress)
        command = (str(self.binary), *_HEAD, *self._threads, *args)
        with _opened(source) as descriptor:
            boxed = self._boxed(command, folder, limits, descriptor)
            child = leash.take(lambda: _born(boxed, folder, descriptor, meter.feed))
        if on_birth is not None:
            on_birth(child.said)
        return await self._watched(child, leash, limits, meter)

    async def ask(self, args: Sequence[str], *, folder: Path, leash: Leash, limits: Limits) -> tuple[Exit, bytes]:
        """Run ffmpeg for what it prints about itself."""
        heard = Gathered()
        boxed = self._boxed((str(self.binary), *args), folder, limits, None)
        child = leash.take(lambda: _born(boxed, folder, None, heard.feed))
        return await self._watched(child, leash, limits, Meter()), heard.data

    async def probe(
        self, request: str, *, folder: Path, leash: Leash, limits: Limits, source: Path
    ) -> tuple[Exit, bytes]:
        """Run the prober on `source`: what it answered, at most 1 MiB of it."""
        heard = Gathered()
        with _opened(source) as descriptor:
            words = self._words(limits, descriptor, read=(), write=())
            command = (sys.executable, "-I", "-m", "encoder.ffmpeg.prober", *words, "--", request)
            child = leash.take(lambda: _born(command, folder, descriptor, heard.feed))
        return await self._watched(child, leash, limits, Meter()), heard.data

    def _boxed(self, command: Sequence[str], folder: Path, limits: Limits, descriptor: int | None) -> tuple[str, ...]:
        words = self._words(limits, descriptor, read=(*self._readable, *limits.readable), write=(folder,))
        return (sys.executable, "-I", "-S", box.__file__, *words, "--", *command)

    def _words(
        self, limits: Limits, descriptor: int | None, *, read: Sequence[object], write: Sequence[object]
    ) -> list[str]:
        return box.words(
            parent=os.getpid(),
            source=descriptor,
            limits=_resource_limits(limits),
            read=read,
            write=write,
            devices=limits.devices,
            landlock=self.layers.landlock_fs,
        )

    async def _watched(self, child: Child, leash: Leash, limits: Limits, meter: Meter) -> Exit:
        """Wait for the end of `child`, or make it."""
        watch = _Watch(child, leash, limits, meter, self._dog)
        reason: Reason | None = None
        told: str | None = "cancelled"
        with encode.running.of().track_inprogress(), nullcontext() if self._dog is None else self._dog.over(child.pid):
            try:
                told = reason = await watch.until_over()
            finally:
                # what is to give memory back may not take more
                await child.end(grace_s=0.0 if reason is Reason.MEMORY else self._grace_s)
                ended = child.exited.result()
                leash.note(cpu_seconds=ended.cpu_seconds, peak_memory_bytes=watch.peak_memory_bytes)
                encode.exits.of(told or _told(ended.code)).inc()
        leash.check()
        return Exit(
            code=ended.code,
            reason=reason or _reason(ended.code),
            log=child.log,
            cpu_seconds=ended.cpu_seconds,
            wall_seconds=ended.wall_seconds,
            peak_memory_bytes=watch.peak_memory_bytes,
            progress=meter.latest,
            ended=meter.ended,
        )


class _Watch:
    """Looks at a child each second, until it is gone, stands still, or has had its time; it has none while frozen."""

    def __init__(self, child: Child, leash: Leash, limits: Limits, meter: Meter, dog: Watchdog | None) -> None:
        self._child = child
        self._dog = dog
        self._leash = leash
        self._limits = limits
        self._meter = meter
        self._looked = time.monotonic()
        self._stillness = vitals.Stillness(since=self._looked)
        self.peak_memory_bytes: int | None = None

    async def until_over(self) -> Reason | None:
        """Why the child must be stopped; None when it ended by itself."""
        left_s = self._limits.wall_seconds
        while True:
            if await self._is_doomed(within_s=min(LOOK_EVERY_S, left_s)):
                return Reason.MEMORY
            if self._child.exited.done():
                return None
            left_s = max(0.0, left_s - self._lived_seconds())
            if not left_s:
                return Reason.WALL
            if self._still_seconds() >= self._limits.stall_seconds:
                return Reason.STALLED

    async def _is_doomed(self, *, within_s: float) -> bool:
        """Wait that long, or until the child is gone or has to go for the memory of all."""
        if self._dog is None:
            await asyncio.wait({self._child.exited}, timeout=within_s)
            return False
        until = time.monotonic() + within_s
        while (left_s := until - time.monotonic()) > 0 and not self._child.exited.done():
            if self._dog.dooms(self._child.pid):
                return True
            await asyncio.wait({self._child.exited}, timeout=min(watchdog.LOOK_EVERY_S, left_s))
        return False

    def _lived_seconds(self) -> float:
        """Since the last look; none while it is frozen."""
        now, before = time.monotonic(), self._looked
        self._looked = now
        if not self._leash.frozen:
            return now - before
        self._stillness.since = now
        return 0.0

    def _still_seconds(self) -> float:
        now = self._looked
        seen = vitals.read(self._child.pid)
        self.peak_memory_bytes = seen.peak_memory_bytes or self.peak_memory_bytes
        return self._stillness.seconds(now, seen, said_bytes=self._child.heard_bytes, progress=self._meter.latest)


class Gathered:
    """The beginning of a stream: the rest is read and thrown away, so that its writer never waits."""

    def __init__(self, limit_bytes: int = 1024**2) -> None:
        self._limit = limit_bytes
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        self._kept += data[: self._limit - len(self._kept)]

    @property
    def data(self) -> bytes:
        return bytes(self._kept)


def _threads(number: int) -> tuple[str, ...]:
    """Before the first `-i`: what decodes it, and all filters. Encoders are told after it (`command`)."""
    told = str(number)
    return ("-filter_threads", told, "-filter_complex_threads", told, "-threads", told)


def _born(command: Sequence[str], folder: Path, descriptor: int | None, on_output: Callable[[bytes], None]) -> Child:
    return Child(
        command,
        folder=folder,
        environment=_environment(folder),
        descriptors=() if descriptor is None else (descriptor,),
        on_output=on_output,
    )


def _environment(folder: Path) -> dict[str, str]:
    """All that a child learns of its surroundings: none of our settings, and of ffmpeg's only where the fonts are."""
    return {"HOME": str(folder), "TMPDIR": str(folder), "LANG": "C.UTF-8", "TZ": "UTC", **fonts.environment()}


def _resource_limits(limits: Limits) -> dict[str, int]:
    wanted = {"cpu": limits.cpu_seconds, "fsize": limits.file_bytes, "data": limits.memory_bytes}
    chosen = {"core": 0, "nofile": _OPEN_FILES}
    if os.geteuid() != 0:  # root is exempt, and in a container all pods' threads would count as one user's
        chosen["nproc"] = _THREADS_OF_THE_USER
    return chosen | {name: value for name, value in wanted.items() if value is not None}


def _reason(code: int) -> Reason:
    if code < 0:
        return Reason.SIGNAL
    return Reason.ERROR if code else Reason.OK


def _told(code: int) -> str:
    """For metrics: a KILL that is none of ours is the kernel's, for memory, as `exits.classify` takes it."""
    return Reason.MEMORY if code == -signal.SIGKILL else _reason(code)


@contextmanager
def _opened(source: Path | None) -> Iterator[int | None]:
    """A descriptor of `source`, a regular file that no link leads to."""
    if source is None:
        yield None
        return
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise errors.Defect(f"a source of ours does not open: {error}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise errors.Defect(f"a source must be a regular file: {source}")
        yield descriptor
    finally:
        os.close(descriptor)
