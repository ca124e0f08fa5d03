"""What is said to the box, and what it says to the kernel."""

from __future__ import annotations

import struct
from pathlib import Path

from encoder.ffmpeg import box


def test_words_are_heard_as_they_were_said() -> None:
    said = box.words(
        parent=12, source=7, limits={"core": 0, "nofile": 256}, read=(Path("/usr/lib"), "/a=b c"), write=(Path("/job"),)
    )
    assert box.heard(said) == {
        "parent": ["12"],
        "source": ["7"],
        "core": ["0"],
        "nofile": ["256"],
        "landlock": ["1"],
        "read": ["/usr/lib", "/a=b c"],
        "write": ["/job"],
    }


def test_without_landlock_no_path_is_named() -> None:
    assert box.words(parent=1, read=("/usr",), write=("/job",), landlock=False) == ["parent=1"]


def test_every_limit_has_a_number_of_the_kernel() -> None:
    assert set(box.LIMITS) == {"core", "cpu", "fsize", "data", "nofile", "nproc"}


def test_each_version_of_landlock_is_asked_only_for_what_it_knows() -> None:
    def fields(abi: int) -> tuple[int, ...]:
        packed = box._handled(abi)
        return struct.unpack(f"={len(packed) // 8}Q", packed)

    assert fields(1) == (0x1FFF,)
    assert fields(2) == (0x3FFF,)
    assert fields(3) == (0x7FFF,)
    assert fields(4) == (0x7FFF, 3)
    assert fields(5) == (0xFFFF, 3)
    assert fields(6) == fields(7) == (0xFFFF, 3, 3)


def test_a_job_may_make_files_and_folders_but_no_links_pipes_sockets_or_devices() -> None:
    make = {"char": 6, "dir": 7, "reg": 8, "sock": 9, "fifo": 10, "block": 11, "sym": 12}
    assert {name for name, bit in make.items() if box._WORK & 1 << bit} == {"dir", "reg"}
    assert not box._WORK & box._EXECUTE
