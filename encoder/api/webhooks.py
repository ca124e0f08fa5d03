"""Who is told: endpoints of a tenant, and what became of each delivery."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from encoder.api import answers_webhooks as answers
from encoder.api import problems
from encoder.api.body import receive
from encoder.api.jobs import find_job
from encoder.api.operations import Call, answer
from encoder.api.wire_endpoint import is_name, read_endpoint
from encoder.errors import Rejected
from encoder.model.ids import DeliveryId, JobId
from encoder.model.receiver import OF_THE_JOB
from encoder.store.receivers import DeliveryFilter, EndpointRow
from encoder.store.rows import DeliveryRow
from encoder.webhooks.endpoints import KEPT

DEFAULT_PAGE = 50
DEFAULT_REPLAY = 100
MOST_S = 10.0  # for which one call goes on with replays
COUNTED = 10_000  # deliveries that are counted as left
_NUMBER = re.compile(r"[0-9]{1,18}")
_OF_THE_PAGE = {"limit", "cursor"}


async def endpoints(call: Call) -> web.Response:
    """GET /webhooks/endpoints."""
    rows = await call.parts.store.endpoints(call.tenant_id)
    return answer(answers.EndpointsAnswer(endpoints=tuple(map(_endpoint, rows))))


async def endpoint(call: Call) -> web.Response:
    """GET /webhooks/endpoints/{name}."""
    name = call.request.match_info["name"]
    row = await call.parts.store.endpoint(call.tenant_id, name) if is_name(name) else None
    if row is None:
        raise _no_endpoint()
    return answer(_endpoint(row))


async def put(call: Call) -> web.Response:
    """PUT /webhooks/endpoints/{name}: 201 with the secret of a new one, 200 without."""
    body = await receive(call.request)
    name = call.request.match_info["name"]
    receiver, enabled = await asyncio.to_thread(read_endpoint, name, body, call.parts.places)
    made = await call.parts.endpoints.put(call.tenant_id, receiver, enabled=enabled)
    return answer(_endpoint(made.row, made.secret), status=201 if made.secret else 200)


async def remove(call: Call) -> web.Response:
    """DELETE /webhooks/endpoints/{name}."""
    name = call.request.match_info["name"]
    if not (is_name(name) and await call.parts.store.remove_endpoint(call.tenant_id, name)):
        raise _no_endpoint()
    return web.Response(status=204)


async def rotate(call: Call) -> web.Response:
    """POST /webhooks/endpoints/{name}/rotate: a new secret, beside which the old one signs for a while."""
    name = call.request.match_info["name"]
    hours = call.query.get("keepHours", int)
    keep = KEPT if hours is None else timedelta(hours=hours)
    made = await call.parts.endpoints.rotate(call.tenant_id, name, keep=keep) if is_name(name) else None
    if made is None:
        raise _no_endpoint()
    return answer(_endpoint(made.row, made.secret))


async def test(call: Call) -> web.Response:
    """POST /webhooks/endpoints/{name}/test."""
    name = call.request.match_info["name"]
    delivery = await call.parts.endpoints.test(call.tenant_id, name) if is_name(name) else None
    if delivery is None:
        raise _no_endpoint()
    return answer(answers.TestAnswer(delivery_id=delivery), status=202)


async def deliveries(call: Call) -> web.Response:
    """GET /webhooks/deliveries: a page, newest first."""
    wanted = await _wanted(call)
    given = ((name, str(value)) for name, value in call.query.values.items() if name not in _OF_THE_PAGE)
    question = f"deliveries?{urlencode(sorted(given))}"
    cursors, cursor = call.parts.cursors, call.query.get("cursor", str)
    before = cursors.read(cursor, tenant_id=call.tenant_id, question=question) if cursor else None
    page = await call.parts.store.deliveries(
        replace(wanted, before=None if before is None else DeliveryId(before)),
        limit=call.query.get("limit", int) or DEFAULT_PAGE,
    )
    after = None if page.before is None else cursors.write(page.before, tenant_id=call.tenant_id, question=question)
    return answer(answers.DeliveriesAnswer(deliveries=tuple(map(told, page.rows)), next_cursor=after))


async def delivery(call: Call) -> web.Response:
    """GET /webhooks/deliveries/{id}: one, with the text that is sent."""
    ref = call.request.match_info["id"]
    row = await _find(call, DeliveryId(int(ref))) if _NUMBER.fullmatch(ref) else None
    if row is None:
        raise problems.not_found("There is no such delivery.")
    return answer(told(row, body=row.body))


async def _find(call: Call, delivery_id: DeliveryId) -> DeliveryRow | None:
    only = DeliveryFilter(tenant_id=call.tenant_id, before=DeliveryId(delivery_id + 1), look=1)
    page = await call.parts.store.deliveries(only, limit=1)
    return next((row for row in page.rows if row.id == delivery_id), None)


async def replay(call: Call) -> web.Response:
    """POST /webhooks/deliveries/{id}/replay: the same event again, under the same `webhook-id`."""
    ref = call.request.match_info["id"]
    if not _NUMBER.fullmatch(ref) or not await call.parts.store.replay(call.tenant_id, DeliveryId(int(ref))):
        raise problems.not_found("There is no such delivery.")
    return web.Response(status=202)


async def replay_all(call: Call) -> web.Response:
    """POST /webhooks/deliveries/replay: those that match, the newest first, each in a transaction of its own."""
    wanted = await _wanted(call)
    if wanted.state is None:
        wanted = replace(wanted, state="exhausted")
    limit = call.query.get("limit", int) or DEFAULT_REPLAY
    return answer(await _replay(call, wanted, limit))


async def _replay(call: Call, wanted: DeliveryFilter, limit: int) -> answers.ReplayAnswer:
    store, until, replayed = call.parts.store, time.monotonic() + MOST_S, 0
    while True:
        look = await store.look_at_deliveries(wanted)
        for delivery in look.ids:
            if replayed == limit or time.monotonic() >= until:
                return await _left(call, wanted, DeliveryId(delivery + 1), replayed)
            replayed += await store.replay(call.tenant_id, delivery)
        if look.before is None:
            return answers.ReplayAnswer(replayed=replayed, left=0)
        if time.monotonic() >= until:  # nor does a call go on for ever where nothing matches
            return await _left(call, wanted, look.before, replayed)
        wanted = replace(wanted, before=look.before)


async def _left(call: Call, wanted: DeliveryFilter, before: DeliveryId, replayed: int) -> answers.ReplayAnswer:
    behind = await call.parts.store.look_at_deliveries(replace(wanted, before=before, look=COUNTED))
    return answers.ReplayAnswer(replayed=replayed, left=len(behind.ids))


async def _wanted(call: Call) -> DeliveryFilter:
    ref = call.query.get("job", str)
    after, before = call.query.get("createdAfter", datetime), call.query.get("createdBefore", datetime)
    if after and before and before <= after:
        raise Rejected.because("invalid_query", "`createdBefore` must be later than `createdAfter`.")
    return DeliveryFilter(
        tenant_id=call.tenant_id,
        job_id=JobId((await find_job(call, ref)).id) if ref else None,
        state=call.query.get("status", str),
        receiver=call.query.get("endpoint", str),
        event_type=call.query.get("event", str),
        created_after=after,
        created_before=before,
    )


def _no_endpoint() -> Rejected:
    return problems.not_found("There is no such endpoint.")


def _endpoint(row: EndpointRow, secret: str | None = None) -> answers.EndpointAnswer:
    receiver = row.receiver
    return answers.EndpointAnswer(
        name=receiver.name,
        url=receiver.url,
        events=receiver.events,
        format=receiver.format,
        settings=receiver.settings,
        enabled=row.enabled,
        secret_at=row.secret_at,
        old_secret_until=row.old_secret_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
        secret=secret,
    )


def told(row: DeliveryRow, body: str | None = None) -> answers.DeliveryAnswer:
    return answers.DeliveryAnswer(
        id=row.id,
        job_id=row.job_id,
        job_uuid=row.job_uuid,
        endpoint=None if row.receiver == OF_THE_JOB else row.receiver,
        webhook_id=row.webhook_id,
        type=row.event_type,
        url=row.url,
        status=row.state,
        tries=row.tries,
        http_status=row.status,
        error=row.error,
        answer=row.answer,
        created_at=row.created_at,
        tried_at=row.tried_at,
        delivered_at=row.delivered_at,
        body=body,
    )
