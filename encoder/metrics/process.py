"""Of any role: what it is."""

from __future__ import annotations

import platform
from contextlib import suppress
from pathlib import Path

from encoder.metrics.family import gauge

build = gauge("build_info", "1: of what the process is made.", "version", "commit", "ffmpeg", "python", most=2)
schema_needed = gauge("schema_needed", "Version of the tables for which the process is made.")
sandbox = gauge(
    "sandbox",
    "1 if that wall stands around ffmpeg: `landlock_fs`, `landlock_net`, `no_new_privs`, `seccomp`.",
    "layer",
    most=5,
)


def is_made_of(*, version: str, commit: str, ffmpeg: str, schema: int, walls: dict[str, bool]) -> None:
    """Tell of what the process is made. `walls`: by the layer of the sandbox, whether it stands."""
    build.of(version, commit, ffmpeg, platform.python_version()).set(1)
    schema_needed.of().set(schema)
    for layer, stands in (walls | {"seccomp": _is_filtered()}).items():
        sandbox.of(layer).set(stands)


def _is_filtered() -> bool:
    """Whether the container, or who else started us, bars system calls by seccomp: to our children, too."""
    with suppress(OSError):
        return "\nSeccomp:\t2\n" in Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return False
