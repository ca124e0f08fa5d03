"""The end of a `notify` claim: its lease, its task and its delivery; no job is locked for it."""

from __future__ import annotations

from encoder.model.ids import DeliveryId
from encoder.model.state import TaskState
from encoder.store.engine import Session
from encoder.store.rows import Claim, DeliveryTry, Outcome, Settlement
from encoder.store.statements import Statement
from encoder.store.text import stored_text
from encoder.store.verbs.write import close_task

_OVER = (TaskState.FAILED, TaskState.CANCELLED)


async def close(
    session: Session,
    claim: Claim,
    settlement: Settlement,
    *,
    result: DeliveryTry | None = None,
    by_rescue: bool = False,
) -> bool:
    """Settle the task and note how the telling went; False when the claim is not held."""
    won = await close_task(session, claim, settlement, settlement.state, by_rescue=by_rescue)
    if won is None:
        return False
    told = result or _untold(settlement)
    tried = result is not None or settlement.outcome is Outcome.LOST
    state = "exhausted" if told.state == "pending" and settlement.state in _OVER else told.state
    await session.execute(
        Statement.TOLD, delivery_id(claim), state, tried, won["at"], told.status, _text(told.error), _text(told.answer)
    )
    if state == "gone":
        await session.execute(Statement.GONE, claim.job_id, delivery_id(claim))
    return True


def delivery_id(claim: Claim) -> DeliveryId:
    return DeliveryId(int(str(claim.args["delivery"])))


def _untold(settlement: Settlement) -> DeliveryTry:
    """No answer at all: the worker was lost, or gave the task back."""
    problem = settlement.problem
    return DeliveryTry(state="pending", status=None, error=None if problem is None else problem.message, answer=None)


def _text(value: str | None) -> str | None:
    return None if value is None else stored_text(value)
