"""The schema: made by whoever comes first, said to the reader as it is, and carried by the wheel."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest

from encoder.model.state import JobState, OutputState, TaskState, UploadEnd, UploadState
from encoder.store.postgres import migrate, open_store, pool, sql
from tests.lab import work
from tests.lab.postgres import Cluster

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def empty(cluster: Cluster) -> AsyncIterator[str]:
    async with cluster.empty() as dsn:
        yield dsn


async def ask(dsn: str, question: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return [str(row[0]) for row in await connection.fetch(question)]
    finally:
        await connection.close()


async def test_ten_starters_on_an_empty_database_make_one_schema(empty: str) -> None:
    stores = await asyncio.gather(*(open_store(empty) for _ in range(10)))
    await asyncio.gather(*(work.enqueue(store) for store in stores))
    for store in stores:
        await store.close()
    assert await ask(empty, "SELECT version FROM schema_version") == [str(migrate.VERSION)]
    assert await ask(empty, "SELECT count(*) FROM jobs") == ["10"]


async def test_an_older_database_takes_the_steps_that_it_lacks_once(empty: str) -> None:
    assert await migrate.upgrade(empty, steps=()) == 1
    first = "CREATE TABLE taken (step integer); INSERT INTO taken VALUES (2)"
    second = "INSERT INTO taken VALUES (3)"
    assert await migrate.upgrade(empty, steps=(first,)) == 2
    assert set(await asyncio.gather(*(migrate.upgrade(empty, steps=(first, second)) for _ in range(4)))) == {3}
    assert await ask(empty, "SELECT step FROM taken ORDER BY step") == ["2", "3"]
    assert await ask(empty, "SELECT version FROM schema_version ORDER BY version") == ["1", "2", "3"]


async def test_a_step_may_take_longer_than_any_other_statement(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "STATEMENT_S", 0.5)
    monkeypatch.setitem(pool.SESSION, "statement_timeout", "500ms")
    monkeypatch.setitem(pool.SESSION, "lock_timeout", "500ms")
    assert await migrate.upgrade(empty, steps=()) == 1
    upgrades = (migrate.upgrade(empty, steps=("SELECT pg_sleep(1)",)) for _ in range(2))  # one waits for the other
    assert await asyncio.gather(*upgrades) == [2, 2]


async def test_a_step_that_fails_is_not_noted_and_is_gone_through_again(empty: str) -> None:
    await migrate.upgrade(empty)
    broken = "CREATE TABLE IF NOT EXISTS half (n integer); SELECT * FROM nowhere"
    with pytest.raises(asyncpg.UndefinedTableError):
        await migrate.upgrade(empty, steps=(*migrate.STEPS, broken))
    assert (await migrate.check(empty)).version == migrate.VERSION
    mended = broken.replace("nowhere", "half")
    assert await migrate.upgrade(empty, steps=(*migrate.STEPS, mended)) == migrate.VERSION + 1


async def test_an_index_that_was_given_up_half_made_is_made_anew(empty: str) -> None:
    """As a killed CREATE INDEX CONCURRENTLY leaves it: there by its name, and of no use."""
    await migrate.upgrade(empty)
    await ask(empty, "CREATE TABLE many (n integer)")
    await ask(empty, "INSERT INTO many VALUES (1), (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await ask(empty, "CREATE UNIQUE INDEX CONCURRENTLY many_n ON many (n)")
    sound = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'many_n'::regclass"
    assert await ask(empty, sound) == ["False"]
    step = "CREATE INDEX CONCURRENTLY IF NOT EXISTS many_n ON many (n);"
    assert await migrate.upgrade(empty, steps=(*migrate.STEPS, step)) == migrate.VERSION + 1
    assert await ask(empty, sound) == ["True"]


async def test_an_index_is_made_while_others_wait_for_their_turn_to_upgrade(empty: str) -> None:
    """Who waited in a statement would hold up the index, and the index them."""
    await migrate.upgrade(empty)
    await ask(empty, "CREATE TABLE many AS SELECT generate_series(1, 100000) AS n")
    steps = (*migrate.STEPS, "CREATE INDEX CONCURRENTLY IF NOT EXISTS many_n ON many (n);\nSELECT pg_sleep(0.3);")
    async with asyncio.timeout(10):
        assert set(await asyncio.gather(*(migrate.upgrade(empty, steps=steps) for _ in range(4)))) == {len(steps) + 1}


async def test_a_newer_database_is_used_as_it_is(empty: str) -> None:
    """K14"""
    await migrate.upgrade(empty)
    await migrate.upgrade(empty, steps=(*migrate.STEPS, "SELECT 1", "SELECT 1"))
    assert await migrate.upgrade(empty) == migrate.VERSION + 2
    assert (await migrate.check(empty)).version == migrate.VERSION + 2


# what each version brought, so that a database can be made to look as it did before
BROUGHT = {
    2: "DROP TABLE uploads",
    3: "DROP INDEX jobs_created, jobs_ended, jobs_deleted",
    4: "DROP TABLE queues, tenant_quotas; DROP INDEX tasks_heads;"
    " ALTER TABLE tasks DROP COLUMN result, DROP COLUMN then_id, DROP COLUMN pending",
    5: "DROP TABLE api_keys",
    6: "DROP TABLE presets, pipelines, ingest_rules, ingest_seen; DROP TABLE removed_usage; DROP INDEX jobs_hidden;"
    " DROP TABLE webhook_endpoints; DROP INDEX webhook_deliveries_by_state;"
    " ALTER TABLE webhook_deliveries DROP CONSTRAINT webhook_deliveries_once;"
    " ALTER TABLE webhook_deliveries DROP COLUMN receiver,"
    " ADD CONSTRAINT webhook_deliveries_once UNIQUE (job_id, event_seq);"
    " DROP TABLE upload_jobs; DROP INDEX uploads_to_look, uploads_by_age; ALTER TABLE uploads"
    " DROP COLUMN protocol, DROP COLUMN offset_bytes, DROP COLUMN multipart, DROP COLUMN holder,"
    " DROP COLUMN held_until, DROP COLUMN ended, DROP COLUMN problem, DROP COLUMN ended_at, DROP COLUMN look_at",
    7: "DROP TABLE sweeps, swept, sweep_places; DROP INDEX jobs_purging; ALTER TABLE jobs DROP COLUMN purging_at;"
    " ALTER TABLE uploads DROP COLUMN purging_at",
    8: "DROP TABLE job_chunks",
}
LOOK = """
SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'schema_version'
UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1
"""


async def test_an_upgraded_database_is_like_a_new_one(empty: str) -> None:
    await migrate.upgrade(empty)
    new = await ask(empty, LOOK)
    assert BROUGHT.keys() == set(range(2, migrate.VERSION + 1))
    for back in (*reversed(BROUGHT.values()), "UPDATE schema_version SET version = 1"):
        for command in back.split("; "):
            await ask(empty, command)
    assert await ask(empty, LOOK) != new
    assert await migrate.upgrade(empty) == migrate.VERSION
    assert await ask(empty, LOOK) == new


async def test_a_look_at_an_empty_database_changes_nothing(empty: str) -> None:
    assert (await migrate.check(empty)).version == 0
    assert await ask(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == ["0"]


async def test_each_constraint_and_index_is_named_in_the_schema(dsn: str) -> None:
    names = await ask(
        dsn, "SELECT conname FROM pg_constraint WHERE contype <> 'n' AND connamespace = 'public'::regnamespace"
    )
    names += await ask(dsn, "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
    assert names
    assert [name for name in names if not re.search(rf"\b{name}\b", sql.SCHEMA)] == []


@pytest.mark.parametrize(
    ("constraint", "states"),
    [
        ("jobs_state_known", JobState),
        ("job_outputs_state_known", OutputState),
        ("tasks_state_known", TaskState),
        ("uploads_state_known", UploadState),
        ("uploads_ended_known", UploadEnd),
    ],
)
async def test_the_database_knows_the_states_of_the_model(
    dsn: str, constraint: str, states: type[JobState | OutputState | TaskState | UploadEnd | UploadState]
) -> None:
    (text,) = await ask(dsn, f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{constraint}'")  # noqa: S608  # a constant above
    assert set(re.findall(r"'(\w+)'", text)) == {str(state) for state in states}


def test_each_table_and_statement_says_what_it_is_for() -> None:
    for table in re.finditer(r"(^.*\n)CREATE TABLE (?:IF NOT EXISTS )?(\w+)", sql.SCHEMA, re.MULTILINE):
        assert table[1].startswith("-- "), table[2]
    for file in files("encoder.store").joinpath("sql", "postgres").iterdir():
        assert file.read_text().startswith("-- "), file.name


def test_each_statement_is_loaded() -> None:
    loaded = {name.lower() for name in vars(sql) if name.isupper()} - {"texts"} | set(sql.TEXTS)
    assert {
        file.name.removesuffix(".sql") for file in files("encoder.store").joinpath("sql", "postgres").iterdir()
    } == loaded


def test_the_schema_at_the_root_is_the_one_that_is_installed() -> None:
    assert (ROOT / "schema.sql").read_text() == sql.SCHEMA


def test_the_wheel_carries_the_statements_and_what_leads_to_the_fonts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # our own build
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        f"encoder/store/sql/postgres/{file.name}"
        for file in files("encoder.store").joinpath("sql", "postgres").iterdir()
    }
    assert {*ours, "encoder/ffmpeg/fonts.conf"} <= inside
