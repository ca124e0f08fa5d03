"""`encoder doctor --live`: what the health check of a container asks."""

from __future__ import annotations

import asyncio
import socket
import sys

import pytest

from encoder.cli import live
from encoder.queue.fitness import Fitness
from encoder.settings import Settings
from encoder.store.protocol import Store
from encoder.worker.listener import listening
from tests.lab.platform import free_port


async def _ran(port: int, metrics_port: int) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "encoder", "doctor", "--live"),
        env={"ENCODER_PORT": str(port), "ENCODER_METRICS_PORT": str(metrics_port), "ENCODER_HOST": "0.0.0.0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def _asked(store: Store, *, beats: bool) -> tuple[int, str, int]:
    """What is said of a worker, and the port that it listens on."""
    worker = socket.create_server(("127.0.0.1", 0))
    port: int = worker.getsockname()[1]
    fitness = Fitness(store=store, stopping=asyncio.Event(), beats=lambda: beats)
    async with listening(worker, fitness):
        return *await _ran(free_port(), port), port


async def test_a_role_that_answers_lives_and_so_does_one_that_listens_nowhere(store: Store) -> None:
    assert (await _asked(store, beats=True))[:2] == (0, "alive\n")
    assert await _ran(free_port(), free_port()) == (0, "alive\n")


def _of_both_kinds(_host: str, port: int, family: int = 0, *_: int) -> list[tuple[object, ...]]:
    places = [(socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))]
    return [(kind, socket.SOCK_STREAM, 6, "", place) for kind, place in places if family in (0, kind)]


async def test_a_name_of_two_addresses_where_nobody_listens_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _of_both_kinds)
    settings = Settings(host="localhost", port=free_port())
    assert await live.silent(settings.model_copy(update={"metrics_port": free_port()})) == []


async def test_a_worker_whose_heart_stands_still_is_told(store: Store) -> None:
    status, said, port = await _asked(store, beats=False)
    assert (status, said) == (1, f"no good answer from 127.0.0.1:{port}\n")


async def test_a_role_that_listens_and_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(port=free_port())
    with socket.create_server(("127.0.0.1", 0)) as hung:
        monkeypatch.setattr(live, "ANSWER_S", 0.2)
        port = hung.getsockname()[1]
        found = await live.silent(settings.model_copy(update={"metrics_port": port}))
    assert found == [f"127.0.0.1:{port}"]
