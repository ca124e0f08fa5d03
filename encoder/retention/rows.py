"""What is in the database alone: secrets, keys, what was seen of buckets, workers that fell silent, old sweeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import msgspec

from encoder.queue.erase import ObjectSweep, SecretSweep
from encoder.retention.tally import KEYS, SECRETS, SEEN, SWEEPS, WORKERS, Tally, Time
from encoder.store.protocol import Ingest, Jobs, Retention
from encoder.store.protocol import Sweeps as Swept
from encoder.store.sweeps import Looked
from encoder.store.text import json_text

KEYS_KEPT = timedelta(hours=24)
WORKERS_KEPT = timedelta(hours=24)
SWEEPS_KEPT = timedelta(days=90)
LOOK = 5000

_PLACE = "keys"


class Rows(Jobs, Ingest, Retention, Swept, Protocol):
    """What is asked of a store here."""


async def sweep(store: Rows, tally: Tally, time: Time, *, uniform: Callable[[float, float], float]) -> bool:
    """Remove what is to go; False when its time was up before.

    Raises:
        errors.StoreUnavailable: the database is away.
    """
    await tally.add({SECRETS: await SecretSweep(store, uniform=uniform).sweep()})
    await tally.add({SEEN: await ObjectSweep(store, uniform=uniform).sweep()})
    await tally.add({WORKERS: await store.forget_workers(unseen_for=WORKERS_KEPT)})
    await tally.add({SWEEPS: await store.forget_sweeps(begun_for=SWEEPS_KEPT)})
    return await _keys(store, tally, time)


async def _keys(store: Rows, tally: Tally, time: Time) -> bool:
    """Jobs are looked at in the order in which they came: each once, for the next sweep goes on where this one was."""
    kept = await store.sweep_place(_PLACE)
    place = None if kept is None else msgspec.json.decode(kept, type=Looked)
    while not time.is_up:
        after = place
        freed = await time.halved(lambda: store.free_keys(used_for=KEYS_KEPT, look=LOOK, after=after))  # noqa: B023  # awaited here
        if freed is None:
            return True
        place = freed.last
        await store.put_sweep_place(_PLACE, json_text(place))
        await tally.add({KEYS: freed.count})
    return False
