"""Containers of our image, started by podman with the walls that compose.yaml asks for, on the host's network."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
IMAGE = os.environ.get("ENCODER_IMAGE", "")
# how scripts/image.sh builds, words with spaces between
BUILD = os.environ.get("ENCODER_IMAGE_BUILD", "").split()
_numbers = itertools.count()


def services() -> dict[str, dict[str, Any]]:
    """What compose.yaml says of each."""
    read = yaml.safe_load((REPOSITORY / "compose.yaml").read_text())
    return dict(read["services"])


def podman(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["podman", *words], text=True, capture_output=True, check=check, timeout=300)


def walls(service: str) -> Iterator[str]:
    """Of one of our services, as words for podman: all that holds it in, and its scratch as a folder in memory."""
    said = services()[service]
    yield from ("--network=host", "--no-healthcheck", f"--user={said['user']}")
    yield from ("--read-only", "--read-only-tmpfs=false") if said["read_only"] else ()
    yield from (f"--cap-drop={each}" for each in said["cap_drop"])
    yield from (f"--security-opt={each.removesuffix(':true')}" for each in said["security_opt"])
    yield from (f"--tmpfs={each}" for each in said["tmpfs"])
    yield from (f"--tmpfs={each.partition(':')[2]}:mode=1777" for each in said.get("volumes", ()))


def run(*command: str, service: str = "worker-1", entrypoint: str | None = None, **environment: str) -> str:
    """What a container says that ends by itself, and well."""
    entry = [] if entrypoint is None else [f"--entrypoint={entrypoint}"]
    told = [f"--env={name}={value}" for name, value in environment.items()]
    done = podman("run", "--rm", *walls(service), *entry, *told, IMAGE, *command, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Running:
    name: str

    def log(self) -> str:
        done = podman("logs", self.name, check=False)
        return done.stdout + done.stderr

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        return podman("exec", self.name, *command, check=False)

    async def stop(self, *, within_s: int) -> int:
        """SIGTERM, and SIGKILL after that time; the exit code."""
        await asyncio.to_thread(podman, "stop", f"--time={within_s}", self.name)
        return int(podman("inspect", "--format={{.State.ExitCode}}", self.name).stdout)


@asynccontextmanager
async def running(
    service: str, *command: str, mounts: Sequence[str] = (), environment: Mapping[str, str]
) -> AsyncIterator[Running]:
    """A container of that service: its command and its environment, and above it `environment`; gone afterwards."""
    said = services()[service]
    name = f"{service}-{os.getpid()}-{next(_numbers)}"
    set_here = {each: value for each, value in said["environment"].items() if "$" not in str(value)}
    told = [f"--env={each}={value}" for each, value in (set_here | dict(environment)).items()]
    volumes = [f"--volume={each}" for each in mounts]
    started = ("run", "--detach", f"--name={name}", *walls(service), *told, *volumes, IMAGE)
    await asyncio.to_thread(podman, *started, *(command or said["command"]))
    try:
        yield Running(name=name)
    finally:
        with contextlib.suppress(subprocess.SubprocessError):
            await asyncio.to_thread(podman, "rm", "--force", "--time=0", name)
