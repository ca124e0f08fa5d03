"""What probes are told of a process, by a real database that goes away, hangs, or answers elsewhere only."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest

from encoder.model.plan import Note
from encoder.queue.fitness import ANSWER_S, Fitness
from encoder.store.engine import ACQUIRE_S
from encoder.store.engines import open_store
from encoder.store.protocol import Store
from encoder.worker.scratch import Scratch
from tests.lab.gate import Gate


@asynccontextmanager
async def through(dsn: str, *, connections: int = 10) -> AsyncIterator[tuple[Store, Gate]]:
    async with Gate(target=dsn) as gate:
        store = await open_store(gate.dsn, pool_size=connections)
        yield store, gate
        gate.cut()
        await store.close()


def fitness(store: Store, *, within_s: float = 0.3, has_room: Callable[[], bool] = lambda: True) -> Fitness:
    return Fitness(store=store, stopping=asyncio.Event(), within_s=within_s, has_room=has_room)


def codes(notes: tuple[Note, ...]) -> list[str]:
    return [note.code for note in notes]


@pytest.mark.both_databases
async def test_a_database_that_is_away_for_all_turns_nobody_away_at_the_door(dsn: str) -> None:
    """K1: calls are told 503 and when to come back, which only a process that is reached can say."""
    async with through(dsn) as (store, gate):
        fit = fitness(store)
        assert (await fit.serving(), await fit.local()) == ((), ())
        gate.refuse()
        assert (codes(await fit.serving()), await fit.local()) == (["database_unavailable"], ())
        gate.admit()
        assert await fit.serving() == ()


async def test_a_database_that_hangs_holds_up_no_probe(dsn: str) -> None:
    """A probe waits for a second, and takes silence for a no."""
    async with through(dsn) as (store, gate):
        fit = fitness(store, within_s=30.0)
        gate.shut()
        began = monotonic()
        assert await fit.local() == ()
        assert await fit.local() == ()
        assert monotonic() - began < 2 * ANSWER_S + 0.4
        gate.open()


@pytest.mark.both_databases
async def test_a_process_whose_own_connections_are_at_fault_is_passed_by(dsn: str) -> None:
    """Others would do better: the database answers, but not to this one."""
    async with through(dsn, connections=1) as (store, gate):
        fit = fitness(store)
        assert await fit.local() == ()
        gate.deaden()
        async with asyncio.timeout(5):
            while codes(await fit.local()) != ["connections_broken"]:
                pass
            while await fit.local():
                pass


@pytest.mark.both_databases
async def test_a_process_that_is_busy_is_not_passed_by(dsn: str) -> None:
    """Else all replicas would be at once, under the load that they share."""
    async with through(dsn, connections=1) as (store, _):
        held, release = asyncio.Event(), asyncio.Event()

        async def hold(_session: object) -> None:
            held.set()
            await release.wait()

        holder = asyncio.create_task(store._pool.transaction(hold))  # type: ignore[attr-defined]  # all that there are
        await held.wait()
        fit = fitness(store)
        until = monotonic() + ACQUIRE_S + 2 * ANSWER_S
        while monotonic() < until:
            assert await fit.local() == ()
        release.set()
        await holder
        assert await fit.local() == ()


async def test_a_full_disk_and_a_stop_turn_away_what_is_new(dsn: str, tmp_path: Path) -> None:
    store, scratch = await open_store(dsn), Scratch(tmp_path, uuid4(), limit_bytes=10_000)
    await scratch.open()
    fit = fitness(store, has_room=scratch.has_room)
    async with scratch.folder("task") as folder:
        assert await fit.local() == ()
        (folder / "source").write_bytes(b"x" * 20_000)
        assert codes(await fit.local()) == ["disk_full"]
        assert await fit.serving() == ()
    assert await fit.local() == ()
    fit.stopping.set()
    assert codes(await fit.local()) == codes(await fit.serving()) == ["draining"]
    fit.stopping.clear()
    shutil.rmtree(tmp_path)
    assert codes(await fit.local()) == ["disk_full"], "where nobody can look, nobody can write"
    await scratch.close()
    await store.close()
