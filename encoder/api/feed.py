"""What changes among a tenant's jobs, live: for lists that are to stay true without being asked for again and again.

It tells of jobs as they stand, not what happened: of two changes within a second only the last one. Nothing is told
again, so that whoever comes (back) reads the list once the stream has said `hello`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping

from aiohttp import web

from encoder.api import answers_live as answers
from encoder.api import live, tell
from encoder.api.live import Message
from encoder.api.operations import Call
from encoder.errors import Rejected
from encoder.model.ids import JobId
from encoder.store.rows import JobRow


async def feed(call: Call) -> web.StreamResponse:
    """GET /events.

    Raises:
        errors.Rejected: `invalid_header`.
    """
    if not live.asked_for(call):
        raise Rejected.because("invalid_header", "This is a live stream; ask for it with `Accept: text/event-stream`.")
    return await live.stream(call, _messages(call))


async def _messages(call: Call) -> AsyncGenerator[Message]:
    with call.parts.watcher.tenant(call.tenant_id) as seat:
        while not seat.open:
            if not await live.pause(call, seat):
                return
        yield Message("hello", answers.FeedAnswer(), first=True)
        while await live.pause(call, seat):
            for message in _changes(seat.take()):
                yield message
            await asyncio.sleep(call.parts.limits.stream_gather_s)


def _changes(changed: Mapping[JobId, JobRow | None] | None) -> Iterator[Message]:
    if changed is None:
        yield Message("reset", answers.FeedAnswer())
        return
    for job_id, row in changed.items():
        if row is None:
            yield Message("deleted", answers.DeletedAnswer(id=job_id))
        else:
            yield Message("job", _change(row))


def _change(row: JobRow) -> answers.ChangeAnswer:
    now = tell.progress(row)
    return answers.ChangeAnswer(
        id=row.id,
        uuid=row.uuid,
        status=now.status,
        run=row.run,
        seq=row.seq,
        name=row.label,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested=row.cancel_requested,
        progress=now.progress,
        waiting_for=now.waiting_for,
        outputs=now.outputs,
        error=row.problem,
    )
