"""What waits, for what; to hold a queue and let it go; and how much of it each tenant may have."""

from __future__ import annotations

from aiohttp import web

from encoder.api import fleet, quotas
from encoder.api.wire_quota import read_quota
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import Rejected
from encoder.model.ids import TenantId
from encoder.model.key import Scope
from encoder.store.fleet import Quota

_HOME = "/ui/queues"
_DIGITS = 18  # of a number of a tenant
_LONGEST = 200  # letters of a reason


async def listed(visit: Visit) -> web.Response:
    """GET /ui/queues."""
    said = await quotas.quotas_of(visit.call)
    return visit.show("queues.html", queues=(await fleet.queues_of(visit.call)).queues, quotas=said.quotas)


async def part(visit: Visit) -> web.Response:
    """GET /ui/parts/queues: what of it changes."""
    return visit.show("queues_part.html", queues=(await fleet.queues_of(visit.call)).queues)


async def pause(visit: Visit) -> web.Response:
    """POST /ui/queues/{queue}/pause."""
    queue = visit.request.match_info["queue"]
    because = (await visit.form()).get("because", "").strip()
    if len(because) > _LONGEST or not because.isprintable():
        raise Rejected.because("invalid_query", f"The reason must be at most {_LONGEST} printable characters.")
    told = "Nothing of it starts until it is resumed. What runs goes on."
    asks = await visit.confirmed(Question(text=told, verb=f"Pause {queue}", keep="Let it run"))
    if asks is not None:
        return asks
    await fleet.hold(visit.call, queue, because)
    return await visit.back(f"Queue {queue} is paused.", to=_HOME)


async def resume(visit: Visit) -> web.Response:
    """POST /ui/queues/{queue}/resume."""
    queue = visit.request.match_info["queue"]
    await fleet.release(visit.call, queue)
    return await visit.back(f"Queue {queue} goes on.", to=_HOME)


async def quota(visit: Visit) -> web.Response:
    """POST /ui/queues/quotas: an empty cap is no limit."""
    form = await visit.form()
    members = {name: _whole(name, text) for name in ("tenant", "cap", "share") if (text := form.get(name, "").strip())}
    tenant = members.pop("tenant", 0)
    if tenant < 1:
        raise Rejected.because("invalid_query", "`tenant` must be a whole number, from 1 up.")
    said = read_quota(dict(members))
    await quotas.keep(
        visit.call,
        Quota(tenant_id=TenantId(tenant), queue=form.get("queue", ""), cap=said.cap, share=said.share),
    )
    limit = f"a cap of {said.cap}" if "cap" in members else "no cap"
    return await visit.back(f"Tenant {tenant} has {limit} and a share of {said.share}.", to=_HOME)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise Rejected.because("invalid_query", f"`{name}` must be a whole number.")
    return int(text)


PAGES = (
    Page(method="GET", path=_HOME, handler=listed, scope=Scope.ADMIN),
    Page(method="GET", path="/ui/parts/queues", handler=part, scope=Scope.ADMIN, fragment=True),
    Page(method="POST", path=f"{_HOME}/quotas", handler=quota, scope=Scope.ADMIN),
    Page(method="POST", path=f"{_HOME}/{{queue}}/pause", handler=pause, scope=Scope.ADMIN),
    Page(method="POST", path=f"{_HOME}/{{queue}}/resume", handler=resume, scope=Scope.ADMIN),
)
