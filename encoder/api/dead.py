"""Dead letters: what failed alike, and running it again."""

from __future__ import annotations

import difflib
import time
from dataclasses import replace
from datetime import datetime

from aiohttp import web

from encoder.api import answers
from encoder.api.operations import Asker, Call, answer
from encoder.errors import CATALOGUE, FailureClass, Rejected
from encoder.model.ids import JobId
from encoder.store.dead import COUNTED, DeadFilter, DeadGroup
from encoder.store.protocol import Store

DEFAULT_LIMIT = 100
MOST_S = 10.0  # for which one call goes on with retries


async def listed(call: Call) -> web.Response:
    """GET /dead."""
    kind = call.query.get("class", str)
    told = await groups(
        call,
        kind=FailureClass(kind) if kind else None,
        failed_after=call.query.get("failedAfter", datetime),
        failed_before=call.query.get("failedBefore", datetime),
    )
    return answer(answers.DeadAnswer(groups=told))


async def groups(
    call: Asker,
    *,
    kind: FailureClass | None = None,
    failed_after: datetime | None = None,
    failed_before: datetime | None = None,
) -> tuple[answers.DeadGroupAnswer, ...]:
    """What failed alike, of a class, in a time."""
    found = await call.parts.store.dead_groups(call.tenant_id, failed_after=failed_after, failed_before=failed_before)
    return tuple(_group(group) for group in found if kind in (None, group.kind))


async def redrive(call: Call) -> web.Response:
    """POST /dead/redrive: the oldest first, each in a transaction of its own."""
    return answer(await run_again(call, await _wanted(call), limit=call.query.get("limit", int) or DEFAULT_LIMIT))


async def run_again(call: Asker, wanted: DeadFilter, *, limit: int) -> answers.RedriveAnswer:
    """Retry what is meant, the oldest first, for ten seconds at most."""
    return await _redrive(call.parts.store, wanted, limit, max_attempts=call.parts.limits.max_attempts)


async def _wanted(call: Call) -> DeadFilter:
    kind = call.query.get("class", str)
    wanted = DeadFilter(
        tenant_id=call.tenant_id,
        code=call.query.get("code", str),
        kind=FailureClass(kind) if kind else None,
        failed_after=call.query.get("failedAfter", datetime),
        failed_before=call.query.get("failedBefore", datetime),
    )
    if not (wanted.code or wanted.kind or wanted.failed_after):
        raise Rejected.because("invalid_query", "One of `code`, `class` and `failedAfter` must be given.")
    if wanted.failed_after and wanted.failed_before and wanted.failed_before <= wanted.failed_after:
        raise Rejected.because("invalid_query", "`failedBefore` must be later than `failedAfter`.")
    if wanted.code and not await _is_code(call, wanted.code):
        near = difflib.get_close_matches(wanted.code, CATALOGUE, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ": GET /docs/errors has those that there are."
        raise Rejected.because("invalid_query", f"`code` is not known{hint}")
    return wanted


async def _is_code(call: Call, code: str) -> bool:
    """Whether something may have failed with it: plug-ins have codes of their own, known once a job failed so."""
    return code in CATALOGUE or any(group.code == code for group in await call.parts.store.dead_groups(call.tenant_id))


async def _redrive(store: Store, wanted: DeadFilter, limit: int, *, max_attempts: int) -> answers.RedriveAnswer:
    redriven = skipped = 0
    until = time.monotonic() + MOST_S
    place: JobId | None = JobId(0)
    while place is not None and redriven < limit and time.monotonic() < until:
        page = await store.dead_jobs(replace(wanted, after=place))
        place = page.after
        for job in page.jobs:
            if redriven == limit or time.monotonic() >= until:
                place = JobId(job.id - 1)
                break
            if not job.secrets_erased and await _again(store, job.id, max_attempts):
                redriven += 1
            else:
                skipped += 1
    left = 0 if place is None else await _left(store, replace(wanted, after=place, look=COUNTED))
    return answers.RedriveAnswer(redriven=redriven, skipped=skipped, left=left)


async def _again(store: Store, job_id: JobId, max_attempts: int) -> bool:
    """Whether a job could be run again. Meanwhile somebody else may have done so, or deleted it."""
    try:
        await store.retry(job_id, max_attempts=max_attempts)
    except Rejected:
        return False
    return True


async def _left(store: Store, behind: DeadFilter) -> int:
    return sum(not job.secrets_erased for job in (await store.dead_jobs(behind)).jobs)


def _group(group: DeadGroup) -> answers.DeadGroupAnswer:
    entry = CATALOGUE.get(group.code)
    return answers.DeadGroupAnswer(
        code=group.code,
        kind=group.kind,
        jobs=group.jobs,
        first_at=group.first_at,
        last_at=group.last_at,
        advice=entry.to_do if entry else None,
    )
