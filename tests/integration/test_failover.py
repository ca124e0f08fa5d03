"""A database whose place is taken by another: connections that lead to the old one are given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import asyncpg
import pytest

from encoder import errors
from encoder.embedded.postgres import Postgres
from encoder.store.engines import open_store
from encoder.store.protocol import Store
from encoder.store.rows import Beat
from tests.lab import mariadb, work
from tests.lab.platform import free_port

RENEWED_S = 10.0
READ_ONLY = {"default_transaction_read_only": "on"}


async def renewed(store: Store) -> float:
    """How long nothing could be written."""
    began = monotonic()
    async with asyncio.timeout(RENEWED_S):
        while True:
            with suppress(errors.StoreUnavailable):
                await work.enqueue(store)
                return monotonic() - began


@asynccontextmanager
async def demoted(dsn: str) -> AsyncIterator[None]:
    """Sessions that there are may write no more; new ones may: what a failover does to pooled connections."""
    admin = await asyncpg.connect(dsn)
    name = await admin.fetchval("SELECT current_database()")
    try:
        await admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = off')
        await admin.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await admin.execute("SELECT pg_reload_conf()")
        async with asyncio.timeout(5):
            while await admin.fetchval("SHOW default_transaction_read_only") != "on":
                await asyncio.sleep(0.01)
        yield
    finally:
        await admin.execute("SET default_transaction_read_only = off")
        await admin.execute("ALTER SYSTEM RESET default_transaction_read_only")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.close()


async def test_who_is_told_that_his_primary_is_none_connects_anew(dsn: str) -> None:
    """gpustack/gpustack#6105 stayed with it for days. Seen to fail when only broken connections were given up."""
    store = await open_store(dsn, pool_size=3)
    heart = store.heart()
    _, claim = await work.working(store)
    beats, worker = [Beat(task_id=claim.task_id, epoch=claim.epoch)], work.new_worker().id
    await asyncio.gather(*(work.enqueue(store) for _ in range(3)))
    await heart.beat(worker, beats, lease=work.LEASE)
    async with demoted(dsn):
        with pytest.raises(errors.StoreUnavailable, match="ReadOnly"):
            await work.enqueue(store)
        with pytest.raises(errors.StoreUnavailable, match="ReadOnly"):
            await heart.beat(worker, beats, lease=work.LEASE)
        assert len(await heart.beat(worker, beats, lease=work.LEASE)) == 1
        assert await renewed(store) < RENEWED_S
    await heart.close()
    await store.close()


async def test_a_connection_that_is_old_is_made_anew(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a name that leads elsewhere by now, an old one still leads to the old place."""
    store = await open_store(dsn, pool_size=1)

    async def pid() -> int:
        (row,) = await store._pool.ask("SELECT pg_backend_pid() AS pid")  # type: ignore[attr-defined]  # no verb
        return int(row["pid"])

    first = await pid()
    assert await pid() == first
    monkeypatch.setattr("encoder.store.postgres.pool.AGE_S", 0.0)
    assert await pid() == first  # its last use
    assert await pid() != first
    await store.close()


async def test_of_several_hosts_the_one_is_taken_that_can_be_written(tmp_path: Path) -> None:
    """`target_session_attrs=read-write`, over a failover from one server to its copy."""
    tmp_path.chmod(0o755)
    ports = free_port(), free_port()
    old, new = Postgres(tmp_path / "old", port=ports[0]), Postgres(tmp_path / "new", port=ports[1])
    parts = urlsplit(await old.start())
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    netloc = f"{parts.username}:{parts.password}@{hosts}"
    store = await open_store(parts._replace(netloc=netloc, query="target_session_attrs=read-write").geturl())
    accepted = await work.enqueue(store)
    await old.stop()
    copying = await asyncio.create_subprocess_exec("cp", "-a", tmp_path / "old", tmp_path / "new")
    assert await copying.wait() == 0
    async with Postgres(tmp_path / "old", port=ports[0], settings=READ_ONLY).running(), new.running():
        assert await renewed(store) < RENEWED_S
        assert (await work.claim_one(store)).job_id == accepted.id
        await store.close()


async def test_who_is_told_that_his_mariadb_is_read_only_connects_anew(maria: mariadb.Server) -> None:
    """Error 1290. A user with all rights would not notice."""
    async with maria.ready() as dsn:
        name = urlsplit(dsn).path.strip("/")
        for host in ("%", "localhost"):
            await maria.administer(
                f"CREATE OR REPLACE USER plain@'{host}'", f"GRANT ALL ON `{name}`.* TO plain@'{host}'"
            )
        plain = dsn.replace("//root@", "//plain@")
        store = await open_store(plain, pool_size=1)
        try:
            await work.enqueue(store)
            before = await _sessions(dsn)
            await maria.administer("SET GLOBAL read_only = 1")
            with pytest.raises(errors.StoreUnavailable, match="read-only"):
                await work.enqueue(store)
        finally:
            await maria.administer("SET GLOBAL read_only = 0")
        assert await renewed(store) < RENEWED_S
        assert not before & await _sessions(dsn)
        await store.close()


async def _sessions(dsn: str) -> set[int]:
    """The numbers of the plain user's connections."""
    question = "SELECT id FROM information_schema.processlist WHERE user = 'plain'"
    return {number for (number,) in await mariadb.ask(dsn, question)}
