"""Which way a job went: run by run, attempt by attempt, stage by stage; and what ffmpeg says while it runs."""

from __future__ import annotations

from aiohttp import web

from encoder.api import answers_timeline as answers
from encoder.api import problems, tell_timeline, webhooks
from encoder.api.jobs import find, output_of
from encoder.api.operations import Asker, Call, answer
from encoder.model.event import Event
from encoder.model.state import OutputState, TaskState
from encoder.store.receivers import DeliveryFilter
from encoder.store.rows import JobRow, OutputRow

MOST_EVENTS = 2_000
BATCH = 500
MOST_TOLD = 200  # deliveries
TAIL_CHARS = 2048
ASK_AGAIN_S = 30.0  # before a worker tells the log no more


async def timeline(call: Call) -> web.Response:
    """GET /jobs/{id}/timeline."""
    return answer(await of(call, await find(call)))


async def of(call: Asker, row: JobRow) -> answers.TimelineAnswer:
    """The timeline of a job of the caller's."""
    now = await call.parts.store.under_way(row.id)
    events = await _events(call, row)
    only = DeliveryFilter(tenant_id=row.tenant_id, job_id=row.id)
    told = await call.parts.store.deliveries(only, limit=MOST_TOLD)
    return answers.TimelineAnswer(
        at=now.at,
        complete=len(events) < MOST_EVENTS and told.before is None,
        runs=tell_timeline.runs(events, now.attempts),
        webhooks=tuple(webhooks.told(each) for each in reversed(told.rows)),
    )


async def _events(call: Asker, row: JobRow) -> list[Event]:
    events: list[Event] = []
    while len(events) < MOST_EVENTS:
        some = await call.parts.store.events(row.id, after=events[-1].seq if events else 0, limit=BATCH)
        events += some
        if len(some) < BATCH:
            break
    return events


async def tail(call: Call) -> web.Response:
    """GET /jobs/{id}/outputs/{outputId}/tail."""
    row = await find(call)
    output = output_of(call, row)
    await want_log(call, row)
    told = live_tail(row, output) or await stored_tail(call, row, output)
    if told is None:
        raise problems.not_found("This output has no log yet: ffmpeg has not said anything for it.")
    return answer(told)


async def want_log(call: Asker, row: JobRow) -> None:
    """Ask the worker of a job for its log, which comes with its beats: for a minute, so ask again while it is read.

    It costs nothing where that was asked lately, and where nothing runs.
    """
    told = row.log_tail
    runs = row.task_state is TaskState.RUNNING or (row.chunks is not None and row.chunks.running > 0)
    if runs and (told is None or told.left_s < ASK_AGAIN_S):
        await call.parts.store.hint(f"log:{row.id}")


def live_tail(row: JobRow, output: OutputRow) -> answers.TailAnswer | None:
    """What ffmpeg says now for an output, as of its worker's last beat; of one in chunks, for the first that tells."""
    own = output.live.aside if output.live else None
    told = own.log if own and own.log else row.log_tail
    if told is None or output.state is not OutputState.ENCODING or output.id not in told.outputs:
        return None
    return answers.TailAnswer(live=True, at=told.at, text=told.text)


async def stored_tail(call: Asker, row: JobRow, output: OutputRow) -> answers.TailAnswer | None:
    """The end of the log that was written down."""
    text = await call.parts.store.log(row.id, output.id)
    if text is None:
        return None
    at = max(0, len(text) - TAIL_CHARS)
    return answers.TailAnswer(live=False, at=at, text=text[at:])
