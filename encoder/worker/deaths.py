"""Deaths on this machine are known: whoever starts here and finds a dead process's folder frees its tasks at once.

So a worker that crashed and is started again goes on with its job without waiting for its old lease to run out.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Protocol

from encoder import errors
from encoder.log import get_logger
from encoder.model.ids import TaskId
from encoder.queue import settle, tally
from encoder.store.protocol import Tasks, Workers
from encoder.worker.scratch import Scratch

log = get_logger(__name__)

_ATTEMPT = re.compile(r"(\d+)-(\d+)", re.ASCII)  # the folder of one: see `transcode.token_of`


class Orphanage(Tasks, Workers, Protocol):
    """What is needed of a store."""


async def take_over(store: Orphanage, scratch: Scratch) -> None:
    """Settle as lost what dead processes of this machine were at, and remove what they left.

    While the database is away their folders stay for the next start, and their leases run out as any other.
    """
    try:
        await scratch.sweep(partial(_free, store))
    except errors.StoreUnavailable as error:
        log.warning("deaths.unavailable", reason=str(error))


async def _free(store: Orphanage, folder: str) -> None:
    """`folder`: the name of what stands in the dead one's. That of an attempt says which task it was at."""
    attempt = _ATTEMPT.fullmatch(folder)
    owned = await store.held(TaskId(int(attempt[1])), int(attempt[2])) if attempt else None
    if owned is None:
        return
    claim = owned.claim
    lost = settle.lost(claim)
    try:
        settled = await store.settle(claim, lost)
    except errors.LeaseLost:
        return  # it was rescued meanwhile
    except errors.StoreUnavailable:
        raise
    except Exception:  # a defect that one task meets must not keep this machine from starting
        log.exception("deaths.defect", task=claim.task_id)
        return
    tally.count(claim, lost, settled)
    await store.note_lost(owned.worker_id, claim, settled.task_state)
    log.warning("task.orphaned", task=claim.task_id, epoch=claim.epoch, job=claim.job_id, state=settled.task_state)
