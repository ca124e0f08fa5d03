"""A database that serves one test after the other tells the next nothing of the one before."""

from __future__ import annotations

import pytest

from encoder.store.engines import open_store
from tests.lab import work
from tests.lab.databases import ask, rows, run
from tests.lab.postgres import Cluster

FILES = """
SELECT relname, reltuples, pg_relation_size(oid) FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"""
NUMBERS = "SELECT sequencename, last_value FROM pg_sequences ORDER BY sequencename"


async def look(dsn: str) -> tuple[object, ...]:
    return sorted(await rows(dsn)), sorted(await ask(dsn, FILES)), await ask(dsn, NUMBERS)


async def used(cluster: Cluster, *statements: str) -> str:
    """A database in which there was a job, and in which these were said."""
    async with cluster.ready() as dsn:
        store = await open_store(dsn)
        await work.enqueue(store)
        await work.enqueue(store, queue="gpu")
        await store.close()
        await run(dsn, *statements)
    return dsn


async def test_what_was_emptied_is_as_it_was_made(cluster: Cluster) -> None:
    cluster._free.clear()
    async with cluster.ready() as made:
        as_made = await look(made)
    left = "INSERT INTO queues (queue) VALUES ('left')"
    again = await used(cluster, left, "UPDATE schema_version SET compatible_from = 99", "DELETE FROM tasks")
    async with cluster.ready() as dsn:
        assert (dsn, await look(dsn)) == (again, as_made)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE jobs ADD COLUMN left_over text",
        "DROP INDEX jobs_created",
        "CREATE TABLE left_over (n int)",
        "GRANT SELECT ON jobs TO public",
        "ANALYZE jobs",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 4096', current_database()); END $$",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 9', current_database()); END $$",
    ],
)
async def test_a_database_of_which_more_was_changed_than_rows_serves_no_more(cluster: Cluster, statement: str) -> None:
    gone = await used(cluster, statement)
    assert gone.rpartition("/")[2] not in cluster._free
    found = await ask(cluster.dsn, f"SELECT 1 FROM pg_database WHERE datname = '{gone.rpartition('/')[2]}'")  # noqa: S608  # ours
    assert found == []
