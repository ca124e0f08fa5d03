"""A job's timeline: as a list, or live as server-sent events that can be taken up where they broke.

A stream begins with a snapshot of the job. Then come the stored events, each under its `seq` as id, and between them
`progress` without id, so that `Last-Event-ID` always names a stored event. After the event that ends the job the
stream ends too: a browser would otherwise come back for ever.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from aiohttp import web
from aiohttp_sse import EventSourceResponse

from encoder import errors
from encoder.api import answers, tell
from encoder.api.jobs import find, show
from encoder.api.operations import Call, answer
from encoder.model.base import Record
from encoder.model.event import Event
from encoder.model.key import Scope
from encoder.model.state import JOB_ENDED
from encoder.store.rows import JobRow

BATCH = 500
RECONNECT_MS = 3000
_SEQ = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event."""

    event: str
    data: Record
    id: int | None = None


async def events(call: Call) -> web.StreamResponse:
    """GET /jobs/{id}/events: by `Accept`, the list or the stream."""
    row = await find(call)
    if "text/event-stream" in call.request.headers.get("Accept", ""):
        return await _stream(call, row)
    after = call.query.get("after", int) or 0
    limit = call.query.get("limit", int) or BATCH
    happened = await call.parts.store.events(row.id, after=after, limit=limit)
    return answer(answers.EventsAnswer(events=tuple(happened)))


async def _stream(call: Call, row: JobRow) -> web.StreamResponse:
    response = EventSourceResponse()
    await response.prepare(call.request)
    async with response:
        with suppress(ConnectionError, TimeoutError, errors.Rejected):  # nobody listens any more, or nobody may
            async for message in _messages(call, row):
                await response.send(
                    msgspec.json.encode(message.data).decode(),
                    event=message.event,
                    id=None if message.id is None else str(message.id),
                    retry=RECONNECT_MS if message.id is None and message.event != "progress" else None,
                )
    return response


async def _messages(call: Call, row: JobRow) -> AsyncIterator[Message]:
    seen = await _taken_up(call, row)
    yield Message("snapshot" if seen is not None else "reset", await show(call, row))
    seen, told = seen or 0, tell.progress(row)
    while True:
        looked, happened = await _look(call, row, seen)
        for event in happened:
            seen = event.seq
            yield Message(event.type, event, id=seen)
        if looked is None:  # deleted
            return
        row = looked
        # state and events come from one transaction: with a job that was read as ended, its last event was read too
        if row.state in JOB_ENDED and len(happened) < BATCH:
            return
        if happened:
            continue  # progress is older than what was just told, and must not follow the job's last event
        if (now := tell.progress(row)) != told:
            told = now
            yield Message("progress", now)
        if not await _pause(call):
            return


async def _taken_up(call: Call, row: JobRow) -> int | None:
    """The event after which to go on; 0 for a first look, None if the one that was named is not there."""
    named = call.request.headers.get("Last-Event-ID") or "0"
    if not _SEQ.fullmatch(named):
        return None
    seq = int(named)
    if seq == 0 or await call.parts.store.events(row.id, after=seq - 1, limit=1):
        return seq
    return None


async def _look(call: Call, row: JobRow, seen: int) -> tuple[JobRow | None, Sequence[Event]]:
    """The job as it is now and what happened since; as it was, while the database is away; None if it is gone."""
    try:
        await call.parts.gate.admit(call.request, Scope.READ)  # a key may be revoked meanwhile
        now = await call.parts.store.job(call.tenant_id, str(row.id))
        return now, await call.parts.store.events(row.id, after=seen, limit=BATCH)
    except errors.StoreUnavailable:
        return row, ()


async def _pause(call: Call) -> bool:
    """Wait until the next look; False when there is nobody left to tell, or the server stops."""
    with suppress(TimeoutError):
        async with asyncio.timeout(call.parts.limits.stream_poll_s):
            await call.parts.stopping.wait()
            return False
    transport = call.request.transport
    return transport is not None and not transport.is_closing()
