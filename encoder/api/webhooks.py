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
from encoder.model.base import Json
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
    return answer(await every_endpoint(call))


async def every_endpoint(call: Call) -> answers.EndpointsAnswer:
    """The tenant's, by name."""
    rows = await call.parts.store.endpoints(call.tenant_id)
    return answers.EndpointsAnswer(endpoints=tuple(map(_endpoint, rows)))


async def endpoint(call: Call) -> web.Response:
    """GET /webhooks/endpoints/{name}."""
    return answer(await one_endpoint(call, call.request.match_info["name"]))


async def one_endpoint(call: Call, name: str) -> answers.EndpointAnswer:
    """The endpoint of this name.

    Raises:
        errors.Rejected: `not_found`.
    """
    row = await call.parts.store.endpoint(call.tenant_id, name) if is_name(name) else None
    if row is None:
        raise _no_endpoint()
    return _endpoint(row)


async def put(call: Call) -> web.Response:
    """PUT /webhooks/endpoints/{name}: 201 with the secret of a new one, 200 without."""
    body = await receive(call.request)
    told = await keep_endpoint(call, call.request.match_info["name"], body)
    return answer(told, status=201 if told.secret else 200)


async def keep_endpoint(call: Call, name: str, body: Json) -> answers.EndpointAnswer:
    """The endpoint that `body` says, kept under this name; with the secret of a new one.

    Raises:
        errors.Rejected: every fault of it.
    """
    receiver, enabled = await asyncio.to_thread(read_endpoint, name, body, call.parts.places)
    made = await call.parts.endpoints.put(call.tenant_id, receiver, enabled=enabled)
    return _endpoint(made.row, made.secret)


async def remove(call: Call) -> web.Response:
    """DELETE /webhooks/endpoints/{name}."""
    await drop_endpoint(call, call.request.match_info["name"])
    return web.Response(status=204)


async def drop_endpoint(call: Call, name: str) -> None:
    """Remove the endpoint of this name.

    Raises:
        errors.Rejected: `not_found`.
    """
    if not (is_name(name) and await call.parts.store.remove_endpoint(call.tenant_id, name)):
        raise _no_endpoint()


async def rotate(call: Call) -> web.Response:
    """POST /webhooks/endpoints/{name}/rotate: a new secret, beside which the old one signs for a while."""
    hours = call.query.get("keepHours", int)
    keep = KEPT if hours is None else timedelta(hours=hours)
    return answer(await rotated(call, call.request.match_info["name"], keep=keep))


async def rotated(call: Call, name: str, *, keep: timedelta = KEPT) -> answers.EndpointAnswer:
    """The endpoint of this name, with the new secret that it was given. `keep`: how long the old one signs as well.

    Raises:
        errors.Rejected: `not_found`.
    """
    made = await call.parts.endpoints.rotate(call.tenant_id, name, keep=keep) if is_name(name) else None
    if made is None:
        raise _no_endpoint()
    return _endpoint(made.row, made.secret)


async def test(call: Call) -> web.Response:
    """POST /webhooks/endpoints/{name}/test."""
    delivery = await tested(call, call.request.match_info["name"])
    return answer(answers.TestAnswer(delivery_id=delivery), status=202)


async def tested(call: Call, name: str) -> DeliveryId:
    """The delivery in which the endpoint of this name is told a test.

    Raises:
        errors.Rejected: `not_found`.
    """
    delivery = await call.parts.endpoints.test(call.tenant_id, name) if is_name(name) else None
    if delivery is None:
        raise _no_endpoint()
    return delivery


async def deliveries(call: Call) -> web.Response:
    """GET /webhooks/deliveries."""
    return answer(await page(call))


async def page(call: Call) -> answers.DeliveriesAnswer:
    """Deliveries, newest first, by the call's query.

    Raises:
        errors.Rejected: `invalid_cursor`, `invalid_query`; `not_found`, of a job.
    """
    wanted = await _wanted(call)
    given = ((name, str(value)) for name, value in call.query.values.items() if name not in _OF_THE_PAGE)
    question = f"deliveries?{urlencode(sorted(given))}"
    cursors, cursor = call.parts.cursors, call.query.get("cursor", str)
    before = cursors.read(cursor, tenant_id=call.tenant_id, question=question) if cursor else None
    found = await call.parts.store.deliveries(
        replace(wanted, before=None if before is None else DeliveryId(before)),
        limit=call.query.get("limit", int) or DEFAULT_PAGE,
    )
    after = None if found.before is None else cursors.write(found.before, tenant_id=call.tenant_id, question=question)
    return answers.DeliveriesAnswer(deliveries=tuple(map(told, found.rows)), next_cursor=after)


async def delivery(call: Call) -> web.Response:
    """GET /webhooks/deliveries/{id}."""
    return answer(await one_delivery(call, call.request.match_info["id"]))


async def one_delivery(call: Call, ref: str) -> answers.DeliveryAnswer:
    """The delivery of this number, with the text that is sent.

    Raises:
        errors.Rejected: `not_found`.
    """
    row = await _find(call, DeliveryId(int(ref))) if _NUMBER.fullmatch(ref) else None
    if row is None:
        raise _no_delivery()
    return told(row, body=row.body)


async def _find(call: Call, delivery_id: DeliveryId) -> DeliveryRow | None:
    only = DeliveryFilter(tenant_id=call.tenant_id, before=DeliveryId(delivery_id + 1), look=1)
    page = await call.parts.store.deliveries(only, limit=1)
    return next((row for row in page.rows if row.id == delivery_id), None)


async def replay(call: Call) -> web.Response:
    """POST /webhooks/deliveries/{id}/replay: the same event again, under the same `webhook-id`."""
    await again(call, call.request.match_info["id"])
    return web.Response(status=202)


async def again(call: Call, ref: str) -> None:
    """Tell the delivery of this number again.

    Raises:
        errors.Rejected: `not_found`.
    """
    if not _NUMBER.fullmatch(ref) or not await call.parts.store.replay(call.tenant_id, DeliveryId(int(ref))):
        raise _no_delivery()


async def replay_all(call: Call) -> web.Response:
    """POST /webhooks/deliveries/replay: those that match, the newest first, each in a transaction of its own."""
    return answer(await all_again(call))


async def all_again(call: Call) -> answers.ReplayAnswer:
    """Tell again what the call's query names; what was given up if it names no state.

    Raises:
        errors.Rejected: `invalid_query`; `not_found`, of a job.
    """
    wanted = await _wanted(call)
    if wanted.state is None:
        wanted = replace(wanted, state="exhausted")
    return await _replay(call, wanted, call.query.get("limit", int) or DEFAULT_REPLAY)


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


def _no_delivery() -> Rejected:
    return problems.not_found("There is no such delivery.")


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
        next_try_at=row.next_try_at,
        body=body,
    )
