"""What this machine's ffmpeg can do, read from it once at start: builds differ, so nothing is assumed."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from encoder import errors
from encoder.ffmpeg import hardware
from encoder.ffmpeg.exits import Reason
from encoder.ffmpeg.launcher import Launcher, Limits
from encoder.ffmpeg.leash import Leash

_ASK_LIMITS = Limits(wall_seconds=30.0)
_VERSION = re.compile(r"^ffmpeg version (\S+)", re.MULTILINE)
_NUMBERS = re.compile(r"^n?(\d+(?:\.\d+)+)")
# " V....D libx264   libx264 H.264 …", " TS bwdif   V->V   …": a name after its flags; legends have "=" there
_LISTED = re.compile(r"^ [A-Z.|]{2,6} +([a-z0-9_-]+) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A published hole in a build, and what stands before it here."""

    name: str
    part: str
    guard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """`version` as the build calls itself; the sets hold ffmpeg's names."""

    version: str
    encoders: frozenset[str]
    filters: frozenset[str]
    protocols: frozenset[str]
    drops_packets: bool = False  # before they are decoded: since 7.1

    @property
    def reads_descriptors(self) -> bool:
        """Whether the build has the `fd` protocol: since 6.0."""
        return "fd" in self.protocols

    @property
    def weaknesses(self) -> tuple[Weakness, ...]:
        """What is known against this version; all of it if the version is none that we can read."""
        numbers = _numbers(self.version)
        return tuple(weakness for fixed, weakness in _WEAKNESSES if numbers is None or numbers < fixed)


_LISTED_FORMATS_ONLY = "the demuxer is not on our list, in any version"
_NO_NETWORK = "no protocol but `fd` is allowed, and the box has no TCP"
_ONLY_THE_BOX = "only the box"

# by the first version that is free of it; that of the last two is not out yet
_WEAKNESSES = (
    ((8, 1), Weakness(name="CVE-2026-40962", part="CENC", guard=_ONLY_THE_BOX)),
    ((8, 1, 3), Weakness(name="CVE-2026-107695", part="HLS", guard=_LISTED_FORMATS_ONLY)),
    ((8, 1, 3), Weakness(name="CVE-2026-107697", part="HLS", guard=_LISTED_FORMATS_ONLY)),
    ((9, 0, 3), Weakness(name="CVE-2026-107696", part="RTSP", guard=_LISTED_FORMATS_ONLY)),
    ((9, 0, 3), Weakness(name="CVE-2026-107675", part="SFTP host keys", guard=_NO_NETWORK)),
)


async def read_abilities(launcher: Launcher, *, folder: Path) -> Abilities:
    """Ask ffmpeg, five times at once: some 30 ms. Encoders in hardware that the machine may have must encode a frame.

    Raises:
        errors.Unfit: there is no ffmpeg that runs.
    """
    words = ("-version", "-encoders", "-filters", "-protocols")
    drops_packets, (version, encoders, filters, protocols) = await asyncio.gather(
        _drops_packets(launcher, folder), asyncio.gather(*(_asked(launcher, word, folder) for word in words))
    )
    found = _VERSION.search(version)
    if found is None:
        raise errors.Unfit(f"{launcher.binary} is no ffmpeg: it names no version. Check ENCODER_FFMPEG.")
    return Abilities(
        version=found.group(1),
        encoders=await hardware.working(launcher, _LISTED.findall(encoders), folder=folder),
        filters=frozenset(_LISTED.findall(filters)),
        protocols=frozenset(line.strip() for line in protocols.splitlines() if line.startswith("  ")),
        drops_packets=drops_packets,
    )


async def _drops_packets(launcher: Launcher, folder: Path) -> bool:
    """Whether packets of an input can be left out by a condition. Before 7.1 only those of outputs could."""
    ended, _ = await launcher.ask(
        (
            "-v", "error", "-f", "lavfi", "-bsf:0", "noise=drop='gt(dts*tb,1)'", "-i", "color=s=16x16",
            "-frames:v", "1", "-f", "null", "-",
        ),
        folder=folder,
        leash=Leash(),
        limits=_ASK_LIMITS,
    )  # fmt: skip
    return ended.reason is Reason.OK


async def _asked(launcher: Launcher, word: str, folder: Path) -> str:
    ended, said = await launcher.ask(("-hide_banner", word), folder=folder, leash=Leash(), limits=_ASK_LIMITS)
    if ended.reason is not Reason.OK:
        raise errors.Unfit(f"{launcher.binary} does not run ({ended.log.strip()[-200:]}). Check ENCODER_FFMPEG.")
    return said.decode("utf-8", "replace")


def _numbers(version: str) -> tuple[int, ...] | None:
    found = _NUMBERS.match(version)
    return tuple(int(number) for number in found.group(1).split(".")) if found else None
