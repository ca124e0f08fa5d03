"""The doctor tells what is wrong, and what to do; one thing that is wrong hides no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from encoder import doctor
from encoder.doctor import Finding, examine
from encoder.settings import Settings
from encoder.store import engines
from tests.lab import mariadb, work
from tests.lab.postgres import Cluster
from tests.lab.rgw import Gateway


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(storage=f"file:{tmp_path / 'storage'}", scratch_dir=tmp_path / "scratch")


async def bad(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in await examine(settings) if not finding.ok}


async def test_a_laptop_with_nothing_set_is_well(settings: Settings) -> None:
    assert await bad(settings) == {}


async def test_looking_makes_no_storage(settings: Settings, tmp_path: Path) -> None:
    await examine(settings)
    assert not (tmp_path / "storage").exists()


async def test_a_storage_is_tried_and_left_as_it_was(settings: Settings, tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    (storage / "kept").write_bytes(b"x")
    findings = await examine(settings)
    tried = next(finding for finding in findings if finding.name == "storage")
    assert tried.ok, tried.detail
    assert tried.detail == f"{storage}: a file was written, read and removed"
    assert [path.name for path in storage.iterdir()] == ["kept"]


@pytest.mark.xdist_group("s3")
async def test_a_bucket_is_tried_too_and_one_that_is_not_there_is_told(
    settings: Settings, s3_server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3_server.bucket()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    assert await bad(settings.model_copy(update={"storage": f"s3://{bucket.name}/some/where/"})) == {}
    assert bucket.listed() == []
    told = await bad(settings.model_copy(update={"storage": "s3://no-such-bucket"}))
    assert told.keys() == {"storage"}
    assert told["storage"].to_do


@pytest.mark.parametrize("storage", ["", "file:", "s3:bucket", "s3://", "s3:///key", "s3://bucket/../x", "ftp://h/x"])
async def test_a_storage_that_is_none_is_told_in_its_own_words(settings: Settings, storage: str) -> None:
    told = await bad(settings.model_copy(update={"storage": storage}))
    assert "must read `file:FOLDER` or `s3://BUCKET/PREFIX`" in told["storage"].detail


async def test_a_storage_that_takes_nothing_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "storage").mkdir()
    monkeypatch.setattr(doctor, "uuid4", lambda: "x")
    (tmp_path / "storage" / "doctor-x").write_bytes(b"no folder")
    told = (await bad(settings))["storage"]
    assert "path_not_allowed" in told.detail
    assert told.to_do


@pytest.fixture
async def sound(cluster: Cluster) -> AsyncIterator[None]:
    """The lab's own server forgets what it acknowledged when the machine dies: nobody else's should."""
    async with cluster.having(fsync="on"):
        yield


async def found(settings: Settings, name: str) -> Finding:
    return next(finding for finding in await examine(settings) if finding.name == name)


@pytest.mark.usefixtures("sound")
async def test_a_database_without_tables_is_told_who_makes_them_and_left_as_it_is(
    settings: Settings, cluster: Cluster
) -> None:
    async with cluster.empty() as dsn:
        empty = settings.model_copy(update={"database_url": SecretStr(dsn)})
        for _ in range(2):
            database = await found(empty, "database")
            assert database.ok
            assert database.detail == "no tables yet: the next start brings it up to date, or `encoder migrate`"


@pytest.mark.parametrize("storage", [None, "s3://some-bucket"])
async def test_wrong_networks_are_told_under_their_own_name(settings: Settings, storage: str | None) -> None:
    wrong = {"allow_addresses": ("10.0.0.0/99",), "storage": storage or settings.storage}
    told = await bad(settings.model_copy(update=wrong))
    assert told.keys() == {"addresses"}
    assert "ENCODER_ALLOW_ADDRESSES" in told["addresses"].detail


async def test_networks_that_are_open_are_told(settings: Settings) -> None:
    assert (await found(settings, "addresses")).detail == "the public internet only"
    opened = settings.model_copy(update={"allow_addresses": ("10.0.0.0/8",)})
    assert (await found(opened, "addresses")).detail == "the public internet, 10.0.0.0/8"


async def test_the_kinds_that_are_there_are_told_those_of_plug_ins_too(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    info = tmp_path / "lab_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[encoder.sources]\ntape = lab_plugin_missing:KIND\n")
    told = (await found(settings, "kinds")).detail
    assert "sources file, ftp, ftps, http, https, inline, s3, sftp, tape, upload; destinations file, ftp" in told
    assert "'tape' needs `lab_plugin_missing`" in told


async def test_every_fault_is_named_with_what_to_do(settings: Settings, tmp_path: Path) -> None:
    wrong = {
        "ffmpeg": tmp_path / "no-ffmpeg",
        "storage": "ftp://host/folder",
        "secret_keys": (SecretStr("too short"),),
        "file_roots": (tmp_path / "absent",),
        "database_url": SecretStr("postgresql://nobody:s3cret@127.0.0.1:1/none"),
    }
    told = await bad(settings.model_copy(update=wrong))
    of_ffmpeg = {"ffmpeg", "ffmpeg's known weaknesses"}
    assert set(told) == {*of_ffmpeg, "storage", "secrets", "webhooks", "file roots", "database"}
    assert told["database"].to_do.startswith("Start the database, or correct host and port")
    assert all(finding.to_do for finding in told.values())
    assert not any("s3cret" in finding.detail for finding in told.values())


@pytest.mark.usefixtures("sound")
async def test_a_database_is_measured_and_its_wake_ups_are_tried(settings: Settings, dsn: str) -> None:
    database = await found(settings.model_copy(update={"database_url": SecretStr(dsn)}), "database")
    assert database.ok, database.detail
    assert database.detail.startswith("PostgreSQL 1")
    assert "hints come through" in database.detail


@asynccontextmanager
async def durable(maria: mariadb.Server) -> AsyncIterator[None]:
    await maria.administer("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    try:
        yield
    finally:
        await maria.administer("SET GLOBAL innodb_flush_log_at_trx_commit = 0")


async def test_a_mysql_database_is_measured_and_what_is_wrong_with_its_server_is_told(
    settings: Settings, maria: mariadb.Server
) -> None:
    """The lab's own server forgets what it acknowledged when the machine dies: nobody else's should."""
    async with maria.ready() as dsn:
        ours = settings.model_copy(update={"database_url": SecretStr(dsn)})
        bad = await found(ours, "database")
        assert not bad.ok
        assert "innodb_flush_log_at_trx_commit is 0" in bad.detail
        assert bad.to_do == "Set innodb_flush_log_at_trx_commit to 1."
        async with durable(maria):
            good = await found(ours, "database")
    assert good.ok, good.detail
    assert good.detail.startswith("MariaDB 1")
    assert "no hints here" in good.detail


async def test_a_mysql_database_without_tables_is_left_as_it_is(settings: Settings, maria: mariadb.Server) -> None:
    async with maria.empty() as dsn, durable(maria):
        for _ in range(2):
            database = await found(settings.model_copy(update={"database_url": SecretStr(dsn)}), "database")
            assert database.detail == "no tables yet: the next start brings it up to date, or `encoder migrate`"


@pytest.mark.parametrize("address", ["oracle://a:s3cret@h/d", "mysql://a:s3cret@h", "mysql://a:s3cret@127.0.0.1:1/d"])
async def test_an_address_that_leads_nowhere_is_told_without_its_password(settings: Settings, address: str) -> None:
    told = await found(settings.model_copy(update={"database_url": SecretStr(address)}), "database")
    assert not told.ok
    assert "s3cret" not in told.detail


# what a test does to a queue with two jobs that run and one that is in line → what is told
DRIFT = {
    "DELETE FROM task_leases": "0 places or leases without their task, 2 open tasks without theirs",
    "DELETE FROM task_ready": "0 places or leases without their task, 1 open tasks without theirs",
    "UPDATE tasks SET state = 'done'": "3 places or leases without their task, 0 open tasks without theirs",
}


@pytest.mark.impossible_rows
@pytest.mark.parametrize("damage", DRIFT)
async def test_a_queue_that_does_not_agree_with_its_tasks_is_told(
    settings: Settings, dsn: str, maria: mariadb.Server, damage: str
) -> None:
    async with maria.ready() as other:
        for address in (dsn, other):
            ours = settings.model_copy(update={"database_url": SecretStr(address)})
            store = await engines.open_store(address)
            await work.lined_up(store)
            assert (await found(ours, "queue")).detail.startswith("agrees with its tasks")
            await store.close()
            await (mariadb.run(address, damage) if address == other else _run(address, damage))
            queue = await found(ours, "queue")
            assert (queue.ok, queue.detail) == (False, DRIFT[damage])
            assert queue.to_do


async def test_a_transaction_that_nobody_ends_is_told(
    settings: Settings, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_OLDEST_S", 0.2)
    forgotten = await asyncpg.connect(dsn)
    try:
        await forgotten.execute("BEGIN; SELECT 1")
        await asyncio.sleep(0.3)
        queue = await found(settings.model_copy(update={"database_url": SecretStr(dsn)}), "queue")
        assert (queue.ok, "a transaction is open" in queue.detail) == (False, True)
    finally:
        await forgotten.close()


@pytest.mark.both_databases
async def test_work_that_nobody_takes_is_told(settings: Settings, dsn: str) -> None:
    """Seen to fail when a worker that drains counted, and when one that takes from other queues did."""
    ours = settings.model_copy(update={"database_url": SecretStr(dsn)})
    store = await engines.open_store(dsn)
    assert (await found(ours, "workers")).detail == "none alive, and nothing waits for one"
    await work.enqueue(store)
    await store.hello(work.new_worker(queues=("io",)))
    leaving = work.new_worker(queues=("encode",))
    await store.hello(leaving)
    assert (await found(ours, "workers")).ok
    await store.draining(leaving.id)
    left = await found(ours, "workers")
    assert (left.ok, left.detail) == (False, "work waits in encode, and no worker that lives takes it")
    assert "ENCODER_WORKER_QUEUES" in left.to_do
    await store.close()


async def _run(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
