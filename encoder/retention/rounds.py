"""Sweeps again and again, for whoever has no timer of his own: `encoder up`, and `encoder retention --every`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from encoder import errors
from encoder.log import get_logger
from encoder.retention.sweep import Report, Sweep
from encoder.store.sweeps import SweepEnd

log = get_logger(__name__)

PERIOD_S = 3600.0
FIRST_S = 60.0  # a start has other things to do


async def rounds(
    sweep: Sweep,
    *,
    every_s: float = PERIOD_S,
    first_s: float = 0.0,
    most_s: float | None = None,
    told: Callable[[Report], None] = lambda _report: None,
) -> None:
    """Sweep for ever, a while after the last sweep began, whosever that was."""
    await asyncio.sleep(first_s * sweep.uniform(0.8, 1.2))
    while True:
        try:
            wait_s = await _still(sweep, every_s)
            if wait_s <= 0:
                told(await sweep.run(most_s=most_s))
                wait_s = every_s
        except errors.StoreUnavailable as error:
            log.warning("retention.unavailable", reason=str(error))
            wait_s = min(every_s, FIRST_S)
        except Exception:  # what it stumbles over stays, and must not end who serves beside it
            log.exception("retention.defect")
            wait_s = every_s
        await asyncio.sleep(wait_s * sweep.uniform(0.95, 1.05))


async def _still(sweep: Sweep, every_s: float) -> float:
    """For how many seconds more the last sweep, whosever it was, is enough."""
    for last in await sweep.store.sweeps(limit=1):
        if last.outcome is SweepEnd.DONE and last.policy == sweep.policy:
            return every_s - (last.read_at - last.started_at).total_seconds()
    return 0.0
