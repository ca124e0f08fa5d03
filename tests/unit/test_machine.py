"""How many cores and how much memory encoders may have: never more than the cgroup allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from encoder import machine

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


def test_what_was_told_is_one_more_limit(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("0::/\n")
    (tmp_path / "memory.max").write_text(str(4 * GIB))
    told = machine.memory_bytes(2 * GIB, cgroups=tmp_path, ours=tmp_path / "ours")
    assert told == 2 * GIB - machine.KEPT_BYTES
    assert machine.memory_bytes(8 * GIB, cgroups=tmp_path, ours=tmp_path / "ours") == 4 * GIB - machine.KEPT_BYTES


@pytest.mark.parametrize(
    ("line", "files", "cores"),
    [
        ("0::/pod", {"pod/cpu.max": "100000 100000"}, 1),
        ("0::/pod/box", {"pod/cpu.max": "50000 100000", "pod/box/cpu.max": "max 100000"}, 1),
        ("0::/", {"cpu.max": "max 100000"}, None),
        ("0::/", {"cpu.max": "6400000 100000"}, None),  # more than there are
        ("3:cpu,x:/box", {"cpu,x/box/cpu.cfs_quota_us": "50000", "cpu,x/box/cpu.cfs_period_us": "100000"}, 1),
        ("3:cpu:/box", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
    ],
)  # fmt: skip
def test_a_quota_of_time_is_one_of_cores(tmp_path: Path, line: str, files: dict[str, str], cores: int | None) -> None:
    (tmp_path / "ours").write_text(f"{line}\n")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    found = machine.cores(cgroups=tmp_path, ours=tmp_path / "ours")
    assert found == (cores or len(os.sched_getaffinity(0)))


def test_a_part_of_a_core_is_one_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)))
    (tmp_path / "ours").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("250000 100000")
    assert machine.cores(cgroups=tmp_path, ours=tmp_path / "ours") == 3


@pytest.mark.parametrize(
    ("line", "files"),
    [
        (
            "0::/box",
            {
                "box/memory.max": str(GIB),
                "box/memory.current": "1000",
                "box/memory.stat": "anon 300\nactive_file 200\ninactive_file 300\nslab_reclaimable 100",
            },
        ),
        (
            "4:memory:/box",
            {
                "memory/box/memory.limit_in_bytes": str(GIB),
                "memory/box/memory.usage_in_bytes": "1000",
                "memory/box/memory.stat": "active_file 7\ntotal_active_file 250\ntotal_inactive_file 350",
            },
        ),
    ],
)
def test_files_that_are_only_cached_are_no_memory_in_use(tmp_path: Path, line: str, files: dict[str, str]) -> None:
    (tmp_path / "ours").write_text(f"{line}\n")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    held = machine.held(cgroups=tmp_path, ours=tmp_path / "ours")
    assert held is not None
    assert (held.limit_bytes, held.used_bytes()) == (GIB, 400)


def test_no_limit_is_none(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("4:memory:/\n0::/\n")
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.held(cgroups=tmp_path, ours=tmp_path / "ours") is None
