"""Tells receivers that asked for it how far a job is, now and then (`job.progress`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from encoder import errors
from encoder.log import get_logger
from encoder.worker.ledger import Ledger

log = get_logger(__name__)

EVERY_S = 60.0


@asynccontextmanager
async def sampled(ledger: Ledger, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """While the work inside goes on, a sample each `every_s`; the first one finds out whether anybody asked."""
    telling = asyncio.create_task(_tell(ledger, every_s), name="samples")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait({telling})


async def _tell(ledger: Ledger, every_s: float) -> None:
    """What goes wrong here costs the work nothing: who lost the task is told by the ledger."""
    try:
        asked = True
        while asked:
            await asyncio.sleep(every_s)
            asked = await ledger.tell_progress()
    except errors.LeaseLost:
        return
    except Exception:
        log.exception("samples.defect")
