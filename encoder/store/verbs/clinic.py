"""What a doctor asks of a database."""

from __future__ import annotations

from encoder.store.fleet import Checkup
from encoder.store.statements import Statement
from encoder.store.verbs.base import Verbs


class Clinic(Verbs):
    async def checkup(self) -> Checkup:
        (row,) = await self._pool.rows(Statement.CHECKUP)
        return Checkup(
            at=row["at"],
            oldest_s=row["oldest_seconds"],
            stray=row["stray_places"] + row["stray_leases"],
            missing=row["unplaced"] + row["unleased"],
        )
