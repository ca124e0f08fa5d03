"""Many jobs at once: cancelled, tried again or deleted, a few hundred with each call, until none is left.

Newest first, each in a transaction of its own, so that a call that broke off has done what it did; the cursor says how
far it came. Who repeats one finds what is done already among those that were passed over.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
from aiohttp import web

from encoder import errors
from encoder.api import answers, jobs
from encoder.api.body import receive
from encoder.api.operations import Asker, Call, answer
from encoder.api.wire_bulk import CANCEL, DELETE, RETRY, Bulk, JobsMeant, read_bulk
from encoder.errors import Rejected
from encoder.model.ids import JobId, TenantId
from encoder.model.state import JobState
from encoder.store.rows import JobFilter, JobRow

MOST = 500  # jobs in one call
MOST_S = 5.0  # for which one call goes on
COUNTED = 10_000  # of those that are left

_TO_ONE: Mapping[str, Callable[[Asker, JobRow], Awaitable[object]]] = {
    CANCEL: jobs.cancel_job,
    RETRY: jobs.retry_job,
    DELETE: jobs.delete_job,
}
_STATES = {
    CANCEL: (JobState.QUEUED, JobState.PROCESSING),
    RETRY: (JobState.FAILED, JobState.CANCELLED),
    DELETE: tuple(JobState),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What is to be done, and to which: those of `ids`, or what `wanted` finds in a state that allows it."""

    action: str
    tenant_id: TenantId
    ids: Sequence[JobId] | None = None
    wanted: JobFilter | None = None

    def __post_init__(self) -> None:
        if self.ids is not None:
            object.__setattr__(self, "ids", tuple(sorted(set(self.ids), reverse=True)))

    @property
    def name(self) -> str:
        """By which a cursor knows it again."""
        return hashlib.sha256(msgspec.json.encode([self.action, self.ids, self.wanted], order="sorted")).hexdigest()


async def act(call: Call) -> web.Response:
    """POST /jobs/bulk."""
    bulk = read_bulk(await receive(call.request))
    return answer(await go_on(call, _meant(bulk, call.tenant_id), bulk.cursor))


async def go_on(call: Asker, meant: Meant, cursor: str | None = None) -> answers.BulkAnswer:
    """Do it to the next ones, from the newest on or from `cursor`.

    Raises:
        errors.Rejected: `invalid_cursor`, `too_much_to_search`.
    """
    cursors, tenant_id = call.parts.cursors, meant.tenant_id
    before = JobId(cursors.read(cursor, tenant_id=tenant_id, question=meant.name)) if cursor else None
    done, skipped, until = 0, Counter[str](), time.monotonic() + MOST_S
    found = left = await _next(call, meant, before, limit=MOST)
    while left and done + skipped.total() < MOST and (time.monotonic() < until or not done + skipped.total()):
        before, *left = left
        refused = await _do(call, meant, before)
        done, skipped = done + (refused is None), skipped + Counter([refused] if refused else [])
    still = len(left) if len(found) < MOST or before is None else await _left(call, meant, before, known=len(left))
    after = cursors.write(before, tenant_id=tenant_id, question=meant.name) if before and still else None
    return answers.BulkAnswer(done=done, skipped=dict(skipped), left=still, cursor=after)


async def _left(call: Asker, meant: Meant, before: JobId, *, known: int) -> int:
    """How many come after `before`. What takes too long to count is no fault of what was done: at least one more."""
    try:
        return len(await _next(call, meant, before, limit=COUNTED))
    except Rejected:
        return max(1, known)


async def count(call: Asker, meant: Meant) -> int:
    """To how many it would be done, counted to `COUNTED`. Raises as `go_on`."""
    return len(await _next(call, meant, None, limit=COUNTED))


def _meant(bulk: Bulk, tenant_id: TenantId) -> Meant:
    if bulk.ids is not None:
        return Meant(action=bulk.action, tenant_id=tenant_id, ids=tuple(map(JobId, bulk.ids)))
    return Meant(action=bulk.action, tenant_id=tenant_id, wanted=_filter(bulk.filter, tenant_id))


def _filter(said: JobsMeant, tenant_id: TenantId) -> JobFilter:
    return JobFilter(
        tenant_id=tenant_id,
        states=tuple(map(JobState, said.status or ())),
        tag=said.tag,
        text=said.q,
        preset=said.preset,
        code=said.code,
        created_after=said.created_after,
        created_before=said.created_before,
    )


async def _next(call: Asker, meant: Meant, before: JobId | None, *, limit: int) -> Sequence[JobId]:
    if meant.ids is not None:
        return [job_id for job_id in meant.ids if before is None or job_id < before][:limit]
    if meant.wanted is None:
        return ()
    states = [state for state in _STATES[meant.action] if state in (meant.wanted.states or JobState)]
    if not states:
        return ()
    wanted = replace(meant.wanted, states=tuple(states), before=before, limit=limit)
    return await call.parts.store.find_jobs(wanted)


async def _do(call: Asker, meant: Meant, job_id: JobId) -> str | None:
    """Why it could not be done to a job; None where it was."""
    row = await call.parts.store.job(meant.tenant_id, str(job_id))
    if row is None:
        return "not_found"
    try:
        await _TO_ONE[meant.action](call, row)
    except Rejected as error:
        return error.faults[0].code
    except errors.Failure as error:  # of the storage
        return error.code
    return None
