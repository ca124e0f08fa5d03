"""Encoders in graphics hardware: what they need of the machine, and whether they really work here.

A build lists them whatever the machine has. One works when it has encoded a frame, inside the box, with nothing but
its devices open; what does not is no ability, and its software twin takes its place (which the plan tells).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from encoder.ffmpeg.exits import Reason
from encoder.ffmpeg.launcher import Launcher, Limits
from encoder.ffmpeg.leash import Leash

_WALL_S = 15.0
_RENDER = "/dev/dri/renderD128"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of hardware. `devices`: opened for reading and writing, in runs that use it and in no others."""

    suffix: str  # of its encoders' names
    devices: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()  # what its drivers look up
    options: tuple[str, ...] = ()  # of the whole run
    upload: tuple[str, ...] = ()  # filters that hand a picture over

    def is_here(self) -> bool:
        """Whether the machine has such a device at all."""
        return not self.devices or any(Path(device).exists() for device in self.devices)


KINDS = (
    Kind(
        suffix="_nvenc",
        devices=(
            "/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia1", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools",
            "/dev/nvidia-modeset",
        ),
        readable=("/proc/driver/nvidia",),
    ),
    Kind(
        suffix="_qsv",
        devices=(_RENDER,),
        readable=("/sys/dev/char", "/sys/devices", "/usr/share/libdrm"),
        options=("-init_hw_device", f"qsv=hw,child_device={_RENDER}", "-filter_hw_device", "hw"),
        upload=("format=nv12",),
    ),
    Kind(
        suffix="_vaapi",
        devices=(_RENDER,),
        readable=("/sys/dev/char", "/sys/devices", "/usr/share/libdrm"),
        options=("-init_hw_device", f"vaapi=hw:{_RENDER}", "-filter_hw_device", "hw"),
        upload=("format=nv12", "hwupload"),
    ),
    Kind(suffix="_videotoolbox"),
)  # fmt: skip


def kind_of(encoder: str) -> Kind | None:
    """The hardware that an encoder of ffmpeg needs; None: none."""
    return next((kind for kind in KINDS if encoder.endswith(kind.suffix)), None)


def devices(encoders: Iterable[str]) -> tuple[str, ...]:
    """All devices that a run with these encoders opens."""
    kinds = {kind.suffix: kind for encoder in encoders if (kind := kind_of(encoder))}
    return tuple(device for kind in kinds.values() for device in kind.devices)


def readable(encoders: Iterable[str]) -> tuple[str, ...]:
    """What the drivers of these encoders look up."""
    kinds = {kind.suffix: kind for encoder in encoders if (kind := kind_of(encoder))}
    return tuple(path for kind in kinds.values() for path in kind.readable)


def upload(encoder: str) -> tuple[str, ...]:
    """Filters that hand a finished picture to an encoder."""
    kind = kind_of(encoder)
    return () if kind is None else kind.upload


def options(encoders: Iterable[str]) -> tuple[str, ...]:
    """What a run with these encoders begins with. One device is enough for all that it filters."""
    kinds = (kind_of(encoder) for encoder in encoders)
    return next((kind.options for kind in kinds if kind is not None and kind.options), ())


async def working(launcher: Launcher, listed: Collection[str], *, folder: Path) -> frozenset[str]:
    """Those of the listed encoders that work: all in software, and in hardware those that encoded a frame."""
    kinds = {encoder: kind_of(encoder) for encoder in listed}
    tried = [encoder for encoder, kind in kinds.items() if kind is not None and kind.is_here()]
    found = await asyncio.gather(*(encodes(launcher, encoder, folder=folder) for encoder in tried))
    software = {encoder for encoder, kind in kinds.items() if kind is None}
    return frozenset(software | {encoder for encoder, works in zip(tried, found, strict=True) if works})


async def encodes(launcher: Launcher, encoder: str, *, folder: Path) -> bool:
    """Whether an encoder encodes a frame here and now."""
    kind = kind_of(encoder) or Kind(suffix="")
    ended, _ = await launcher.ask(
        (
            "-v", "error", *kind.options, "-f", "lavfi", "-i", "color=c=gray:s=256x256:r=25",
            "-vf", ",".join(("format=yuv420p", *kind.upload)), "-frames:v", "1", "-c:v", encoder, "-f", "null", "-",
        ),
        folder=folder,
        leash=Leash(),
        limits=Limits(wall_seconds=_WALL_S, devices=kind.devices, readable=kind.readable),
    )  # fmt: skip
    return ended.reason is Reason.OK
