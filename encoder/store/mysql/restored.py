"""A restored MySQL or MariaDB."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from encoder.model.result import Delivered
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, connect, translated
from encoder.store.mysql.sql import Query
from encoder.store.restored import BATCH, LEAP, NUMBERED, StoredOutput

_SESSIONS = Query.of(
    "SELECT COUNT(*) AS open FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
)
_EXPIRE = Query.of("UPDATE task_leases SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
_LAST = Query.of("SELECT MAX(id) AS last FROM (SELECT id FROM tasks WHERE id > $1 ORDER BY id LIMIT $2) AS mine")
_LEAP = Query.of(
    "UPDATE tasks SET epoch = epoch + $3, state = CASE WHEN state IN ('ready', 'running') THEN 'waiting' ELSE state END"
    " WHERE id > $1 AND id <= $2 AND state NOT IN ('done', 'failed', 'cancelled')"
)
_STORED = Query.of(
    "SELECT o.job_id, o.position, o.delivered FROM job_outputs o JOIN jobs j ON j.id = o.job_id"
    " WHERE (o.job_id > $1 OR (o.job_id = $1 AND o.position > $2)) AND o.state = 'uploaded'"
    " AND JSON_UNQUOTE(JSON_EXTRACT(o.delivered, '$.uri')) LIKE 'storage:%' AND j.deleted_at IS NULL"
    " ORDER BY o.job_id, o.position LIMIT $3"
)
_NEXT_NUMBER = re.compile(r"AUTO_INCREMENT=(\d+)")


@asynccontextmanager
async def restored(dsn: str) -> AsyncIterator[RestoredMysql]:
    """Raises:
    errors.StoreUnavailable: it cannot be reached.
    """
    with translated():
        connection = await connect(Address.of(dsn), name="encoder doctor", patient=True)
        try:
            yield RestoredMysql(connection)
        finally:
            connection.close()


class RestoredMysql:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sessions(self) -> int:
        (row,) = await self._connection.ask(_SESSIONS)
        return int(row["open"])

    async def expire_leases(self) -> int:
        return await self._connection.write(_EXPIRE)

    async def leap(self) -> int:
        await self._connection.say("DELETE FROM task_leases")
        await self._connection.say("DELETE FROM task_ready")
        after, leapt = 0, 0
        while (last := (await self._connection.ask(_LAST, after, BATCH))[0]["last"]) is not None:
            leapt += await self._connection.write(_LEAP, after, last, LEAP)
            after = int(last)
        return leapt

    async def leap_numbers(self) -> None:
        for table in NUMBERED:
            (row,) = await self._connection.ask(Query.of(f"SHOW CREATE TABLE {table}"))
            told = _NEXT_NUMBER.search(str(row["Create Table"]))  # the other places that tell it tell what it was
            await self._connection.say(f"ALTER TABLE {table} AUTO_INCREMENT = {(int(told[1]) if told else 1) + LEAP}")

    async def stored_outputs(self) -> AsyncIterator[StoredOutput]:
        after = (0, -1)
        while rows := await self._connection.ask(_STORED, *after, BATCH):
            for row in rows:
                delivered = msgspec.json.decode(row["delivered"], type=Delivered)
                yield StoredOutput(job_id=row["job_id"], position=row["position"], delivered=delivered)
            after = (rows[-1]["job_id"], rows[-1]["position"])
