"""Who works, what there is to choose from, and how much waits."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from aiohttp import web

from encoder.api import answers, answers_fleet, problems, tell, tell_fleet
from encoder.api.operations import Call, answer
from encoder.errors import Rejected
from encoder.model.ids import TenantId
from encoder.model.queue import QUEUE_NAME, named

LOST_WITHIN = timedelta(days=1)  # for which a worker that fell silent is told of
CAME_WITHIN = timedelta(minutes=5)  # of what comes to a queue
BEGAN_WITHIN = timedelta(hours=1)  # of tasks of whose waits is told
MOST_USED = 50_000  # jobs whose outputs are added up for one answer
_TENANT = re.compile(r"[1-9][0-9]{0,17}")


async def workers(call: Call) -> web.Response:
    """GET /workers; with `lost` also those that fell silent within a day."""
    return answer(await workers_of(call, lost=call.query.get("lost", bool) or False))


async def workers_of(call: Call, *, lost: bool) -> answers_fleet.WorkersAnswer:
    """Live workers, and if asked for those that were lost within a day, as the caller may see them."""
    seen_within = LOST_WITHIN if lost else call.parts.limits.worker_seen
    rows = await call.parts.store.workers(seen_within=seen_within)
    told = tuple(tell_fleet.worker(row, call.tenant_id) for row in rows if lost or not row.lost)
    return answers_fleet.WorkersAnswer(workers=told)


async def queues(call: Call) -> web.Response:
    """GET /queues."""
    return answer(await queues_of(call))


async def queues_of(call: Call) -> answers_fleet.QueuesAnswer:
    """Every queue, with what all tenants have there."""
    store = call.parts.store
    depths = await store.depths(None)
    names = [depth.queue for depth in depths]
    paces = await store.paces(names, came_within=CAME_WITHIN, began_within=BEGAN_WITHIN)
    alive = [row for row in await store.workers(seen_within=call.parts.limits.worker_seen) if not row.lost]
    told = (tell_fleet.queue(depth, pace, alive) for depth, pace in zip(depths, paces, strict=True))
    return answers_fleet.QueuesAnswer(queues=tuple(told))


async def stats(call: Call) -> web.Response:
    """GET /stats; with `createdAfter` what was used since then, or until `createdBefore`."""
    since, until = _times(call)
    if since is None and until is not None:
        raise Rejected.because("invalid_query", "`createdBefore` must not stand without `createdAfter`.")
    used = None if since is None else await _usage(call, call.tenant_id, since, until)
    return answer(tell.stats(await call.parts.store.stats(call.tenant_id), used))


async def usage(call: Call) -> web.Response:
    """GET /tenants/{tenant}/usage: as `stats` tells a tenant of itself."""
    since, until = _times(call)
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return answer(await _usage(call, tenant_of(call), since or month, until))


def tenant_of(call: Call) -> TenantId:
    """The tenant that the path names.

    Raises:
        errors.Rejected: `not_found`, for it can be none.
    """
    ref = call.request.match_info["tenant"]
    if not _TENANT.fullmatch(ref):
        raise problems.not_found("There is no such tenant: each is a number, from 1 up.")
    return TenantId(int(ref))


def _times(call: Call) -> tuple[datetime | None, datetime | None]:
    return call.query.get("createdAfter", datetime), call.query.get("createdBefore", datetime)


async def _usage(call: Call, tenant_id: TenantId, since: datetime, until: datetime | None) -> answers.UsageAnswer:
    until = until or datetime.now(UTC)
    if until <= since:
        raise Rejected.because("invalid_query", "`createdBefore` must be later than `createdAfter`.")
    used = await call.parts.store.usage(tenant_id, since=since, until=until, most=MOST_USED)
    if used is None:
        told = f"More than {MOST_USED:,} jobs were submitted in that time: name shorter ones, and add them up."
        raise Rejected.because("invalid_query", told)
    return tell.usage(used, since=since, until=until)


async def pause(call: Call) -> web.Response:
    """POST /queues/{queue}/pause: what runs goes on."""
    queue = call.request.match_info["queue"]
    await hold(call, queue, call.query.get("because", str) or "")
    return await _queue(call, queue)


async def hold(call: Call, queue: str, because: str) -> None:
    """Pause a queue in the name of the caller's key.

    Raises:
        errors.Rejected: `not_found`, there is no such queue.
    """
    if not (is_name(queue) and await call.parts.store.pause(queue, because, call.let_in.name or None)):
        raise await unknown_queue(call)


async def release(call: Call, queue: str) -> None:
    """End the pause of a queue. Raises as `hold`."""
    if not (is_name(queue) and await call.parts.store.resume(queue)):
        raise await unknown_queue(call)


async def resume(call: Call) -> web.Response:
    """POST /queues/{queue}/resume."""
    queue = call.request.match_info["queue"]
    await release(call, queue)
    return await _queue(call, queue)


def is_name(queue: str) -> bool:
    return re.fullmatch(QUEUE_NAME, queue) is not None


async def unknown_queue(call: Call) -> Rejected:
    known = await call.parts.store.known_queues()
    return problems.not_found(f"There is no such queue; known are {named(known)}.")


async def _queue(call: Call, name: str) -> web.Response:
    depths = await call.parts.store.depths(call.tenant_id)
    return answer(next(tell.queue(depth) for depth in depths if depth.queue == name))
