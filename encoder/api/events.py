"""A job's timeline: as a list, or live as server-sent events that can be taken up where they broke.

A stream begins with a snapshot of the job. Then come the stored events, each under its `seq` as id, and between them
`progress` without id, so that `Last-Event-ID` always names a stored event. After the event that ends the job the
stream ends too: a browser would otherwise come back for ever.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from weakref import WeakKeyDictionary

from aiohttp import web

from encoder import errors
from encoder.api import answers, live, tell
from encoder.api.jobs import find, show
from encoder.api.live import Message
from encoder.api.operations import Call, answer
from encoder.model.event import Event
from encoder.model.state import JOB_ENDED
from encoder.queue.seats import JobSeat, View
from encoder.store.rows import JobRow

BATCH = 500
_SEQ = re.compile(r"[0-9]{1,9}")
_TOLD: WeakKeyDictionary[View, tuple[JobRow, str]] = WeakKeyDictionary()  # made once for all who watch a job


async def events(call: Call) -> web.StreamResponse:
    """GET /jobs/{id}/events: by `Accept`, the list or the stream."""
    row = await find(call)
    if live.asked_for(call):
        return await live.stream(call, _messages(call, row))
    after = call.query.get("after", int) or 0
    limit = call.query.get("limit", int) or BATCH
    happened = await call.parts.store.events(row.id, after=after, limit=limit)
    return answer(answers.EventsAnswer(events=tuple(happened)))


async def _messages(call: Call, row: JobRow) -> AsyncGenerator[Message]:
    with call.parts.watcher.job(row.id, seq=row.seq) as seat:
        seen = await _taken_up(call, row)
        yield Message("snapshot" if seen is not None else "reset", await show(call, row), first=True)
        seen, told = seen or 0, live.text(tell.progress(row))
        while True:
            looked, happened = await _look(call, seat, row, seen)
            for event in happened:
                seen = event.seq
                yield Message(event.type, event, id=seen)
            if looked is None:  # deleted
                return
            row = looked
            # events are never older than the job: with one that was seen to have ended, its last event came too
            if row.state in JOB_ENDED and row.seq <= seen:
                return
            # progress must not follow what happened after it, least of all the job's last event
            if row.seq >= seen and (now := _progress(seat.view, row)) != told:
                told = now
                yield Message("progress", now)
            if len(happened) < BATCH and not await live.pause(call, seat):
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


async def _look(call: Call, seat: JobSeat, row: JobRow, seen: int) -> tuple[JobRow | None, Sequence[Event]]:
    """The job and what happened since: as all who watch it see it, where that reaches back so far; else as it is now.

    As it was, while the database is away; None if it is gone.
    """
    view = seat.view
    happened = view.after(seen)
    if view.gone or (view.job is not None and happened is not None):
        return None if view.gone else view.job, happened or ()
    try:
        now = await call.parts.store.job(call.tenant_id, str(row.id))
        return now, await call.parts.store.events(row.id, after=seen, limit=BATCH)
    except errors.StoreUnavailable:
        return row, ()


def _progress(view: View, row: JobRow) -> str:
    """How far the job is, as it is told to everybody."""
    made = _TOLD.get(view)
    if made is None or made[0] is not row:
        made = _TOLD[view] = row, live.text(tell.progress(row))
    return made[1]
