"""Work in parts: what a settle does to the tasks around its own. One task behind many is all the graph there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from encoder.model.ids import OutputId, TaskId
from encoder.model.state import TASK_ENDED, TaskState
from encoder.store import changes as rules
from encoder.store.changes import Standing
from encoder.store.engine import Session
from encoder.store.rows import Claim, FanOut, Settlement
from encoder.store.statements import Statement
from encoder.store.text import json_text
from encoder.store.verbs.read import members_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """`goes_on`: other tasks of the job are still to end. `queues`: with work. `unneeded`: what runs for nothing."""

    goes_on: bool = False
    queues: tuple[str, ...] = ()
    unneeded: tuple[TaskId, ...] = ()


NOTHING = Rest()


async def follow(
    session: Session, job: Standing, claim: Claim, settlement: Settlement, state: TaskState, *, then: int | None
) -> Rest:
    """Open, end or make the tasks around one that was closed. `then`: the task behind it, where it is a part.

    `job`: with its outputs as they stood before.
    """
    if settlement.fan_out is not None and state is TaskState.DONE:
        return await _fan_out(session, job, claim, settlement.fan_out)
    if then is None or state not in TASK_ENDED:
        return Rest(goes_on=then is not None)
    left = rules.open_beyond(job, claim, settlement, state)
    cancelled, running = await _without(session, then, left) if state is TaskState.FAILED else ((), ())
    opened = await session.fetch(Statement.OPEN_NEXT, then, 1 + len(cancelled), bool(left))
    return Rest(
        goes_on=await session.fetchrow(Statement.LIVE, job.id) is not None,
        queues=tuple(str(row["queue"]) for row in opened),
        unneeded=tuple(running),
    )


async def _without(session: Session, then: int, left: frozenset[OutputId]) -> tuple[Sequence[TaskId], Sequence[TaskId]]:
    """End the parts whose outputs are all closed by now: which did, and which run."""
    rows = await session.fetch(Statement.SIBLINGS, then)
    useless = [TaskId(row["id"]) for row in rows if not _serves(row["args"], left)]
    if not useless:
        return (), ()
    cancelled = [TaskId(row["id"]) for row in await session.fetch(Statement.CANCEL_PARTS, useless)]
    return cancelled, [task for task in useless if task not in cancelled]


def _serves(args: str, left: frozenset[OutputId]) -> bool:
    outputs = members_of(args).get("outputs")
    return bool(left if not isinstance(outputs, list) else left.intersection(outputs))


async def _fan_out(session: Session, job: Standing, claim: Claim, wanted: FanOut) -> Rest:
    tasks = json_text(wanted.then), json_text(wanted.parts)
    await session.execute(Statement.FAN_OUT, job.id, _BEGUN - job.spec.priority, claim.max_attempts, *tasks)
    return Rest(goes_on=True, queues=tuple({part.queue for part in wanted.parts or (wanted.then,)}))


_BEGUN = -1  # to `nice`: what was begun goes before what its tenant has waiting at the same priority
