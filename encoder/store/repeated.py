"""Transactions that lost against a rival, a deadlock mostly: the whole again, after a pause."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from encoder import errors

T = TypeVar("T")

REPEATS = 5
FIRST_PAUSE_S = 0.01


async def repeated(run: Callable[[], Awaitable[T]], *, lost: Callable[[errors.StoreUnavailable], bool]) -> T:
    """What `run` gives. `lost`: whether it failed because a rival won.

    Raises:
        errors.StoreUnavailable: another reason, or it lost five times.
    """
    for attempt in range(REPEATS):
        try:
            return await run()
        except errors.StoreUnavailable as error:
            if not lost(error):
                raise
            last = error
        await asyncio.sleep(random.uniform(0.5, 1.0) * FIRST_PAUSE_S * 2**attempt)  # noqa: S311  # no secret
    raise last
