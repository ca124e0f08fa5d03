"""Scratch folders: locked while their worker lives, swept when it is dead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.worker import scratch
from encoder.worker.scratch import Scratch

HOLD = """
import asyncio, sys, uuid, pathlib
from encoder.worker.scratch import Scratch
mine = Scratch(pathlib.Path(sys.argv[1]), uuid.UUID(sys.argv[2]))
asyncio.run(mine.open())
(pathlib.Path(sys.argv[1]) / sys.argv[2] / "7-1").mkdir()
print("held", flush=True)
sys.stdin.read()
"""


async def swept(root: Path) -> list[str]:
    """What stood in the folders that a sweep removed."""
    found: list[str] = []

    async def free(name: str) -> None:
        found.append(name)

    await Scratch(root, uuid4()).sweep(free)
    return found


async def test_an_attempt_has_an_empty_folder_of_its_own_that_is_gone_afterwards(tmp_path: Path) -> None:
    own = Scratch(tmp_path / "scratch", uuid4())
    await own.open()
    async with own.folder("7-1") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "source").write_bytes(b"x")
    assert not folder.exists()
    await own.close()
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_the_folder_of_a_killed_worker_is_swept_and_that_of_a_live_one_is_not(tmp_path: Path) -> None:
    """L17"""
    other = str(uuid4())
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), other], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert await swept(tmp_path) == []
        assert (tmp_path / other / "7-1").exists()
        holder.kill()
        holder.wait()
    assert await swept(tmp_path) == ["7-1", "lock"]
    assert not (tmp_path / other).exists()


async def test_a_dead_workers_folder_stays_until_somebody_took_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / str(uuid4()) / "7-1").mkdir(parents=True)
    (next(tmp_path.iterdir()) / "lock").touch()

    async def away(_name: str) -> None:
        raise errors.StoreUnavailable("away")

    with pytest.raises(errors.StoreUnavailable):
        await Scratch(tmp_path, uuid4()).sweep(away)
    assert await swept(tmp_path) == ["7-1", "lock"]
    assert list(tmp_path.iterdir()) == []


async def test_what_is_not_a_workers_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "family photos").mkdir()
    (tmp_path / str(uuid4())).mkdir()  # no lock file: not ours to judge
    assert await swept(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2


async def test_too_little_space_is_said_before_work_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """M1"""
    own = Scratch(tmp_path, uuid4())
    await own.open()
    monkeypatch.setattr(scratch, "LEAST_FREE_BYTES", 10**18)  # no disk has an exabyte free
    with pytest.raises(errors.Resource, match="disk_full"):
        async with own.folder("7-1"):
            pass
