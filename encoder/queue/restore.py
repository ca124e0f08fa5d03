"""A platform after its database was brought back to a moment before: what was done since is unknown to it.

Whoever held a task then may live yet, frozen or cut off. So nothing that it holds may ever count again, and nothing
that was given since may be given twice: leases end, epochs and numbers leap, and what stands in line waits anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from encoder import errors
from encoder.model.state import TaskState
from encoder.storage.protocol import Storage
from encoder.store.protocol import Tasks
from encoder.store.restored import Restored, StoredOutput
from encoder.store.rows import Outcome, Settlement

_AT_ONCE = 16  # objects that the storage is asked for
_CLOSING_S = 3.0  # until a server has noticed who went
_STORED = "storage:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leapt:
    """`released`: tasks that somebody held at the moment, uncharged. `open_tasks`: how many have another epoch."""

    released: int
    open_tasks: int


async def require_alone(database: Restored) -> None:
    """Raises:
    errors.StoreUnavailable: roles of Encoder still use the database.
    """
    for _ in range(10):
        others = await database.sessions()
        if not others:
            return
        await asyncio.sleep(_CLOSING_S / 10)
    raise errors.StoreUnavailable(f"{others} sessions are open here: stop every role of Encoder first")


async def leap(database: Restored, store: Tasks) -> Leapt:
    """Give back what was held, and leap. To be done before a role starts; twice does no harm."""
    await database.expire_leases()
    released = 0
    while held := await store.expired():
        for each in held:
            await store.settle(each.claim, Settlement(outcome=Outcome.RELEASED, state=TaskState.WAITING))
            released += 1
    await database.leap_numbers()
    return Leapt(released=released, open_tasks=await database.leap())


async def missing(database: Restored, storage: Storage) -> AsyncIterator[tuple[StoredOutput, Sequence[str]]]:
    """The outputs whose rows name what the storage lacks or has in another size, with the keys of that."""
    batch: list[StoredOutput] = []
    async for output in database.stored_outputs():
        batch.append(output)
        if len(batch) == _AT_ONCE:
            for each in await _missing(batch, storage):
                yield each
            batch = []
    for each in await _missing(batch, storage):
        yield each


async def _missing(outputs: Sequence[StoredOutput], storage: Storage) -> Sequence[tuple[StoredOutput, Sequence[str]]]:
    found = await asyncio.gather(*(_absent(output, storage) for output in outputs))
    return [(output, keys) for output, keys in zip(outputs, found, strict=True) if keys]


async def _absent(output: StoredOutput, storage: Storage) -> Sequence[str]:
    delivered = output.delivered
    key = delivered.uri.removeprefix(_STORED).removesuffix("/")
    if delivered.files and delivered.files != (key.rpartition("/")[2],):  # a package
        names = [f"{key}/{name}" for name in delivered.files]
        return [name for name in names if await storage.look(name) is None]
    standing = await storage.look(key)
    return [] if standing is not None and standing.size_bytes == delivered.size_bytes else [key]
