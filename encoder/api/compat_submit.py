"""Takes in what was translated from another service's words, as any job is taken in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from encoder.api import jobs
from encoder.api.operations import Asker
from encoder.api.wire_faults import distinct
from encoder.compat.translated import Translated
from encoder.errors import Fault, Rejected
from encoder.model.base import replace
from encoder.model.job import JobSpec


async def spec_of(call: Asker, translate: Callable[[], Translated | list[Fault]]) -> JobSpec:
    """The job that `translate` makes, in a thread, for bodies may be long; by the one check of all jobs.

    What that finds wrong is told at the caller's own members.

    Raises:
        errors.Rejected: what `translate` finds wrong; as `jobs.spec_of`.
    """
    made = await asyncio.to_thread(translate)
    if not isinstance(made, Translated):
        raise Rejected(*made)
    try:
        spec = await jobs.spec_of(call, made.job)
    except Rejected as wrong:
        raise Rejected(*distinct(made.led_back(wrong.faults))) from wrong
    origin = replace(made.origin, stamp=int(time.time() * 1000))
    return replace(spec, origin=origin, notification=made.notification)
