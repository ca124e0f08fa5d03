"""Work in parts: what a settle does to the tasks around its own. One task behind many is all the graph there is."""

from __future__ import annotations

from dataclasses import dataclass

from encoder.model.state import TaskState
from encoder.store.changes import Standing
from encoder.store.engine import Session
from encoder.store.rows import Claim, FanOut, Settlement
from encoder.store.statements import Statement
from encoder.store.text import json_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """`goes_on`: other tasks of the job are still to end. `queues`: with work. `abandoned`: what runs is to stop."""

    goes_on: bool = False
    queues: tuple[str, ...] = ()
    abandoned: bool = False


NOTHING = Rest()


async def follow(
    session: Session, job: Standing, claim: Claim, settlement: Settlement, state: TaskState, *, then: int | None
) -> Rest:
    """Open, end or make the tasks around one that was closed. `then`: the task behind it, where it is a part."""
    if settlement.fan_out is not None and state is TaskState.DONE:
        return await _fan_out(session, job, claim, settlement.fan_out)
    if then is None:
        return NOTHING
    queues: tuple[str, ...] = ()
    if state is TaskState.DONE:
        queues = tuple(str(row["queue"]) for row in await session.fetch(Statement.OPEN_NEXT, then))
    elif state is TaskState.FAILED:
        await session.execute(Statement.ABANDON, then)
    goes_on = await session.fetchrow(Statement.LIVE, job.id) is not None
    return Rest(goes_on=goes_on, queues=queues, abandoned=goes_on and state is TaskState.FAILED)


async def _fan_out(session: Session, job: Standing, claim: Claim, wanted: FanOut) -> Rest:
    tasks = json_text(wanted.then), json_text(wanted.parts)
    await session.execute(Statement.FAN_OUT, job.id, -job.spec.priority, claim.max_attempts, *tasks)
    return Rest(goes_on=True, queues=tuple({part.queue for part in wanted.parts}))
