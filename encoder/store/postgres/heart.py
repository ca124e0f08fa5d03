"""Beats on a connection of its own, so that no busy pool can make a living worker look dead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from time import monotonic

from encoder.model.ids import TaskId, WorkerId
from encoder.store.engine import AGE_S
from encoder.store.postgres import sql
from encoder.store.postgres.pool import Connection, connect, translated
from encoder.store.rows import Beat, Pulse
from encoder.store.text import json_text


class Heart:
    """One beat at a time. After any failure the connection is given up, and the next beat makes a new one."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None
        self._made_at = 0.0

    async def beat(self, worker_id: WorkerId, beats: Sequence[Beat], *, lease: timedelta) -> Sequence[Pulse]:
        with translated():
            connection = await self._connected()
            try:
                rows = await connection.fetch(
                    sql.BEAT,
                    lease,
                    [beat.task_id for beat in beats],
                    [beat.epoch for beat in beats],
                    [beat.stage for beat in beats],
                    [json_text(beat.live) if beat.live else None for beat in beats],
                    worker_id,
                )
            except BaseException:
                self._give_up()
                raise
        return [Pulse(task_id=TaskId(row["task_id"]), epoch=row["epoch"], cancel=row["cancel"]) for row in rows]

    async def close(self) -> None:
        self._give_up()

    async def _connected(self) -> Connection:
        if self._connection is not None and monotonic() - self._made_at >= AGE_S:
            self._give_up()
        if self._connection is None or self._connection.is_closed():
            self._made_at = monotonic()
            self._connection = await connect(self._dsn, application_name="encoder heart")
        return self._connection

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
