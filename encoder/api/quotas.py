"""Quotas: how much of a queue a tenant may have. `encoder quota` says them on the database itself."""

from __future__ import annotations

from aiohttp import web

from encoder.api import answers, fleet, tell
from encoder.api.body import receive
from encoder.api.operations import Call, answer
from encoder.api.wire_quota import read_quota
from encoder.model.ids import TenantId
from encoder.store.fleet import Quota


async def listed(call: Call) -> web.Response:
    """GET /quotas: those that say anything."""
    return answer(await quotas_of(call))


async def quotas_of(call: Call) -> answers.QuotasAnswer:
    said = [quota for quota in await call.parts.store.quotas() if quota != _usual(quota.tenant_id, quota.queue)]
    return answers.QuotasAnswer(quotas=tuple(map(tell.quota, said)))


async def put(call: Call) -> web.Response:
    """PUT /tenants/{tenant}/quotas/{queue}."""
    tenant_id, queue = fleet.tenant_of(call), call.request.match_info["queue"]
    said = read_quota(await receive(call.request))
    quota = Quota(tenant_id=tenant_id, queue=queue, cap=said.cap, share=said.share)
    await keep(call, quota)
    return answer(tell.quota(quota))


async def remove(call: Call) -> web.Response:
    """DELETE /tenants/{tenant}/quotas/{queue}: what holds for everybody holds for this tenant."""
    await keep(call, _usual(fleet.tenant_of(call), call.request.match_info["queue"]))
    return web.Response(status=204)


async def keep(call: Call, quota: Quota) -> None:
    """Let a quota hold.

    Raises:
        errors.Rejected: `not_found`, there is no such queue.
    """
    if not (fleet.is_name(quota.queue) and await call.parts.store.set_quota(quota)):
        raise await fleet.unknown_queue(call)


def _usual(tenant_id: TenantId, queue: str) -> Quota:
    return Quota(tenant_id=tenant_id, queue=queue, cap=None)
