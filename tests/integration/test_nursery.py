"""A role that is born with its imports made is the program that starts from nothing."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from tests.lab import nursery
from tests.lab.platform import Platform

NOWHERE = "postgresql://nobody:x@127.0.0.1:9/none"
PLAIN = {"ENCODER_LOG_FORMAT": "text", "ENCODER_DATABASE_URL": "oracle://x"}


async def test_it_says_and_ends_as_one_from_nothing(tmp_path: Path) -> None:
    platform = Platform(dsn="oracle://x", folder=tmp_path)
    role = await platform.start("worker", **PLAIN)
    assert isinstance(role.process, nursery.Born)
    code = await role.ended()
    from_nothing = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "encoder", "worker",
        cwd=tmp_path, env=platform.environment() | PLAIN,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await from_nothing.communicate()
    assert code == from_nothing.returncode != 0
    assert role.log.read_bytes() == said != b""


async def test_it_is_given_its_own_environment_and_folder_and_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ENCODER_DATABASE_URL=oracle://x\n")  # is looked for where a process works
    platform = Platform(dsn="", folder=tmp_path)
    given = {name: value for name, value in platform.environment().items() if name != "ENCODER_DATABASE_URL"}
    born = nursery.start(("-m", "encoder"), ("worker",), folder=tmp_path, log=tmp_path / "log", environment=given)
    assert await born.wait() != 0
    assert "ENCODER_DATABASE_URL" in (tmp_path / "log").read_text()


async def test_a_signal_reaches_it_and_is_told_to_all_who_wait(tmp_path: Path) -> None:
    role = await Platform(dsn=NOWHERE, folder=tmp_path).start("api")
    assert role.process.returncode is None
    waiting = [asyncio.create_task(role.process.wait()) for _ in range(2)]
    role.signal(signal.SIGKILL)
    assert await asyncio.gather(*waiting) == [-signal.SIGKILL] * 2
    await role.kill()  # harmless


def test_another_release_is_not_born_here() -> None:
    assert not nursery.bears(("-m", "encoder"), {"PYTHONPATH": "/another"})
    assert not nursery.bears(("-m", "tests.lab.walled"), {})
