"""scripts/setup.sh in a folder of its own, with locks that name nothing: what it does without a registry."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EMPTY = "# nothing\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for folder in ("scripts", "requirements", "encoder"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "scripts")
    for lock in ("run", "dev", "debian"):
        (tmp_path / "requirements" / f"{lock}.txt").write_text(EMPTY)
    (tmp_path / "encoder" / "__main__.py").write_text("import sys; print(*sys.argv[1:])")
    return tmp_path


def _setup(house: Path, lock: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [house / "scripts" / "setup.sh", lock],
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_it_makes_a_command_that_works_from_anywhere_and_then_has_nothing_more_to_do(house: Path) -> None:
    first = _setup(house, "dev")
    assert first.returncode == 0, first.stderr
    (house / "elsewhere" / "encoder").mkdir(parents=True)  # must not be taken for the package
    command = [str(house / ".venv" / "bin" / "encoder"), "a b", "c"]
    assert subprocess.check_output(command, text=True, cwd=house / "elsewhere") == "a b c\n"

    for lock in ("dev", "run"):  # an environment for development serves as well
        again = _setup(house, lock)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_changed_lock_is_installed(house: Path) -> None:
    _setup(house, "run")
    (house / "requirements" / "run.txt").write_text("# changed\n")
    assert "installing requirements/run.txt" in _setup(house, "run").stderr
    assert _setup(house, "run").stderr == ""


def test_a_house_that_was_moved_is_set_up_again(house: Path) -> None:
    _setup(house, "run")
    moved = house.rename(house.with_name("moved"))
    assert "ready" in _setup(moved, "run").stderr
    assert subprocess.check_output([moved / ".venv" / "bin" / "encoder", "x"], text=True) == "x\n"


def test_a_package_without_its_hash_is_refused(house: Path) -> None:
    """Q3"""
    (house / "requirements" / "run.txt").write_text("click==8.5.1\n")
    done = _setup(house, "run")
    assert done.returncode == 1
    assert "Hashes are required" in done.stderr
    assert "setup: the packages could not be installed" in done.stderr
    assert not (house / ".venv" / ".ready-run").exists()


def test_an_old_python_is_refused_with_a_way_out(house: Path) -> None:
    old = house / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    done = _setup(house, "run", python=str(old))
    assert done.returncode == 1
    assert "Python 3.9.2" in done.stderr
    assert "PYTHON=…" in done.stderr
