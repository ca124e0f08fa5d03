"""A restored PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from encoder.model.result import Delivered
from encoder.store.postgres.pool import Connection, connect_patiently, translated
from encoder.store.restored import BATCH, LEAP, NUMBERED, StoredOutput

_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'encoder%' AND pid <> pg_backend_pid()
"""
_EXPIRE = "UPDATE task_leases SET expires_at = clock_timestamp() - interval '1 second'"
_LEAP = """
WITH mine AS MATERIALIZED (
  SELECT id FROM tasks WHERE id > $1 ORDER BY id LIMIT $2
), leapt AS (
  UPDATE tasks t SET epoch = epoch + $3, state = CASE WHEN state IN ('ready', 'running') THEN 'waiting' ELSE state END
  FROM mine WHERE t.id = mine.id AND t.state NOT IN ('done', 'failed', 'cancelled')
  RETURNING t.id
)
SELECT (SELECT max(id) FROM mine) AS last, (SELECT count(*) FROM leapt) AS leapt
"""
_LEAP_NUMBERS = """
SELECT setval(numbers, nextval(numbers) + $2)
FROM unnest($1::text[]) AS name, LATERAL (SELECT pg_get_serial_sequence(name, 'id')::regclass AS numbers) AS of
"""
_STORED = """
SELECT o.job_id, o.position, o.delivered FROM job_outputs o JOIN jobs j ON j.id = o.job_id
WHERE (o.job_id, o.position) > ($1, $2) AND o.state = 'uploaded' AND o.delivered ->> 'uri' LIKE 'storage:%'
  AND j.deleted_at IS NULL
ORDER BY o.job_id, o.position LIMIT $3
"""


@asynccontextmanager
async def restored(dsn: str) -> AsyncIterator[RestoredPostgres]:
    """Raises:
    errors.StoreUnavailable: it cannot be reached.
    """
    with translated():
        connection = await connect_patiently(dsn)
        try:
            yield RestoredPostgres(connection)
        finally:
            await connection.close()


class RestoredPostgres:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sessions(self) -> int:
        return int(await self._connection.fetchval(_SESSIONS))

    async def expire_leases(self) -> int:
        return int((await self._connection.execute(_EXPIRE)).rpartition(" ")[2])

    async def leap(self) -> int:
        await self._connection.execute("DELETE FROM task_leases; DELETE FROM task_ready")
        last, leapt = 0, 0
        while last is not None:
            (row,) = await self._connection.fetch(_LEAP, last, BATCH, LEAP)
            last, leapt = row["last"], leapt + row["leapt"]
        return leapt

    async def leap_numbers(self) -> None:
        await self._connection.fetch(_LEAP_NUMBERS, list(NUMBERED), LEAP)

    async def stored_outputs(self) -> AsyncIterator[StoredOutput]:
        after = (0, -1)
        while rows := await self._connection.fetch(_STORED, *after, BATCH):
            for row in rows:
                delivered = msgspec.json.decode(row["delivered"], type=Delivered)
                yield StoredOutput(job_id=row["job_id"], position=row["position"], delivered=delivered)
            after = (rows[-1]["job_id"], rows[-1]["position"])
