"""What is done to a database that was brought back to a moment before: once, while no role runs on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from encoder.model.base import Record
from encoder.model.result import Delivered

LEAP = 1_000_000  # more claims, jobs or tasks than were ever made between the moment and its restore
BATCH = 2000  # rows of one transaction

# what gives its rows numbers that were told to others: they must never be told again for something else
NUMBERED = ("jobs", "tasks", "webhook_deliveries", "webhook_endpoints", "api_keys")


class StoredOutput(Record):
    """An output that stands somewhere, as its row has it."""

    job_id: int
    position: int
    delivered: Delivered


class Restored(Protocol):
    """A restored database, by a connection that waits as long as it takes. All raise errors.StoreUnavailable."""

    async def sessions(self) -> int:
        """How many of Encoder's are open beside this one."""

    async def expire_leases(self) -> int:
        """All leases are over: whoever held one may live, but not for this database; how many there were."""

    async def leap(self) -> int:
        """No place in line and no lease is left; every open task waits, a `LEAP` of epochs on; how many did.

        So whatever was claimed after the moment holds an epoch that is never given again.
        """

    async def leap_numbers(self) -> None:
        """The next number of each of `NUMBERED` is a `LEAP` on, for the same reason."""

    def stored_outputs(self) -> AsyncIterator[StoredOutput]:
        """Every output that stands in the platform's storage, by its row."""
