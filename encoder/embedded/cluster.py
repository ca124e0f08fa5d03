"""The folder of a private cluster: who owns it, and how it is made."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import IO

from encoder import errors
from encoder.embedded.identity import Identity
from encoder.embedded.programs import Programs

USER = DATABASE = "encoder"


def own(folder: Path) -> IO[str]:
    """Take the folder for this process; the lock goes when the file is closed or the process dies."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise errors.StoreUnavailable(f"{folder} is in use by process {owner}") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def major(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def create(folder: Path, found: Programs, runs_as: Identity) -> None:
    """Make the cluster and our database under another name: what was made by halves is never taken for whole."""
    new, password = folder / "data.new", folder / "password"
    shutil.rmtree(new, ignore_errors=True)
    password.touch(mode=0o600)
    password.write_text(f"{secrets.token_hex(24)}\n", encoding="ascii")
    runs_as.own(password)
    _run(
        runs_as, found.initdb, "-D", new, "-U", USER, f"--pwfile={password}",
        "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8",
    )  # fmt: skip
    # single-user mode: no server has to be started, asked and stopped for one statement
    _run(runs_as, found.postgres, "--single", "-D", new, "postgres", said=f"CREATE DATABASE {DATABASE}\n")
    new.rename(folder / "data")


def _run(runs_as: Identity, *command: str | Path, said: str = "") -> None:
    done = subprocess.run(  # noqa: S603  # our own constants and paths
        [*runs_as.prefix, *command], input=said, capture_output=True, text=True, check=False, cwd="/",
        **runs_as.drop,  # type: ignore[call-overload]  # user, group, extra_groups
    )  # fmt: skip
    if done.returncode != 0:
        raise errors.StoreUnavailable(f"{Path(command[0]).name} failed ({done.returncode}):\n{done.stderr}")
