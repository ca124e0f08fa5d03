"""Root's unprivileged user reaches what lies in root's own folders, and gains nothing else by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from encoder.embedded import identity

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")

ASKS = "import os, sys; print(os.getuid(), os.access(sys.argv[1], os.R_OK), open(sys.argv[1]).read())"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """In a folder that only root may enter, as a virtual environment in /root is."""
    (tmp_path / "closed").mkdir(mode=0o700)
    path = tmp_path / "closed" / "program"
    path.write_text("here")
    return path


def _ask(found: identity.Identity, path: Path) -> str:
    command = [*found.prefix, sys.executable, "-I", "-S", "-c", ASKS, str(path)]
    return subprocess.check_output(command, text=True, cwd="/").strip()


def test_the_user_finds_and_reads_what_a_closed_folder_holds(tmp_path: Path, program: Path) -> None:
    found = identity.choose(tmp_path / "data", reads=(program,))
    assert found.uid != 0
    assert _ask(found, program) == f"{found.uid} True here"


def test_the_user_may_write_nothing_of_roots(tmp_path: Path, program: Path) -> None:
    found = identity.choose(tmp_path / "data", reads=(program,))
    done = subprocess.run([*found.prefix, "touch", str(program)], capture_output=True, check=False, cwd="/")
    assert b"Permission denied" in done.stderr
