"""Beats on a connection of its own, so that no busy pool can make a living worker look dead."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from encoder.model.ids import TaskId, WorkerId
from encoder.store.mysql.address import Address
from encoder.store.mysql.connection import Connection, connect, translated
from encoder.store.mysql.sql import queries
from encoder.store.rows import Beat, Pulse
from encoder.store.text import json_text

_SEEN, _RENEW, _ANSWER = queries("beat")


class Heart:
    """One beat at a time. After any failure the connection is given up, and the next beat makes a new one."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None

    async def beat(self, worker_id: WorkerId, beats: Sequence[Beat], *, lease: timedelta) -> Sequence[Pulse]:
        with translated():
            connection = await self._connected()
            try:
                values = (lease, _told(beats), worker_id)
                await connection.write(_SEEN, *values)
                if not beats:
                    return []
                await connection.write(_RENEW, *values)
                rows = await connection.ask(_ANSWER, *values)
            except BaseException:
                self._give_up()
                raise
        return [Pulse(task_id=TaskId(row["task_id"]), epoch=row["epoch"], cancel=row["cancel"]) for row in rows]

    async def close(self) -> None:
        self._give_up()

    async def _connected(self) -> Connection:
        if self._connection is None or not self._connection.usable:
            self._give_up()
            self._connection = await connect(self._address, name="encoder heart")
        return self._connection

    def _give_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _told(beats: Sequence[Beat]) -> str:
    """By task: whoever locks two leases locks them in this order."""
    return json_text(
        [
            {
                "task": beat.task_id,
                "epoch": beat.epoch,
                "stage": beat.stage,
                "live": json_text(beat.live) if beat.live else None,
            }
            for beat in sorted(beats, key=lambda beat: beat.task_id)
        ]
    )
