"""How much memory encoders may have: never more than the cgroup allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from encoder.worker import machine

GIB = 1024**3
INSTALLED = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("line", "file", "limit"),
    [
        ("0::/pod/box", "pod/box/memory.max", GIB),
        ("0::/pod/box", "pod/memory.max", GIB),  # of a cgroup above ours
        ("0::/", "memory.max", GIB),  # a cgroup namespace shows the root
        ("4:memory:/box", "memory/box/memory.limit_in_bytes", GIB),
    ],
)
def test_the_least_limit_above_us_holds(tmp_path: Path, line: str, file: str, limit: int) -> None:
    (tmp_path / "ours").write_text(f"7:cpu:/\n{line}\n")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(f"{limit}\n")
    assert machine.memory_bytes(cgroups=tmp_path, ours=tmp_path / "ours") == limit - machine.KEPT_BYTES


def test_without_a_limit_it_is_what_is_installed(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("0::/\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory_bytes(cgroups=tmp_path, ours=tmp_path / "ours") == INSTALLED - machine.KEPT_BYTES
    assert machine.memory_bytes(ours=tmp_path / "nowhere", cgroups=tmp_path) == INSTALLED - machine.KEPT_BYTES


def test_a_tiny_limit_still_leaves_something(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("0::/\n")
    (tmp_path / "memory.max").write_text(str(GIB // 4))
    assert machine.memory_bytes(cgroups=tmp_path, ours=tmp_path / "ours") == GIB // 8
