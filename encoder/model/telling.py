"""What a receiver is told: an event with the job as it stood then, in a short form of less than 20 kB, without secrets.

The text is made once, in the transaction of the event, and kept: every try sends and signs the same bytes. No plan,
command, log or single check of a proof is in it; `links.self` leads to the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import msgspec

from encoder.model.base import Json, Record, replace, to_json
from encoder.model.event import Event
from encoder.model.ids import JobId, OutputId
from encoder.model.result import Delivered, Problem
from encoder.model.state import JobState, OutputState

MOST_BYTES = 20_000
_FACTS = ("uri", "sizeBytes", "durationSeconds", "width", "height", "sha256")
_MOST_OF_A_MESSAGE = 500  # characters


class ToldOutput(Record):
    id: OutputId
    state: OutputState
    delivered: Delivered | None = None
    problem: Problem | None = None


class ToldJob(Record):
    """A job as it stands at the event."""

    id: JobId
    uuid: UUID
    state: JobState
    metadata: dict[str, Json]
    tags: tuple[str, ...]
    problem: Problem | None
    outputs: tuple[ToldOutput, ...]


def webhook_id(job: UUID, seq: int) -> str:
    """The name of an event for receivers: the same on every try, so that they can drop what they have seen."""
    return f"evt_{job.hex}_{seq}"


def body(event: Event, job: ToldJob) -> str:
    """The text to be sent: the longest of the forms below that is short enough."""
    for told in _forms(event, job):
        text = msgspec.json.encode(told)
        if len(text) < MOST_BYTES:
            break
    return text.decode()


def _forms(event: Event, job: ToldJob) -> Iterator[dict[str, Json]]:
    """From the full form to the barest, which is short whatever the caller sent."""
    concerned = tuple(output for output in job.outputs if output.id == event.output)
    yield _form(event, job, [_in_full(output) for output in job.outputs])
    yield _form(event, job, [_outline(output) for output in job.outputs], shortened=True)
    yield _form(event, job, [_in_full(output) for output in concerned], shortened=True)
    yield _form(event, replace(job, metadata={}, tags=()), [_outline(output) for output in concerned], shortened=True)


def _form(event: Event, job: ToldJob, outputs: list[Json], *, shortened: bool = False) -> dict[str, Json]:
    told: dict[str, Json] = {
        "id": job.id,
        "uuid": str(job.uuid),
        "status": job.state,
        "run": event.run,
        "metadata": job.metadata,
        "tags": list(job.tags),
        "outputs": outputs,
        "error": _error(job.problem),
        "sequence": event.seq,
        "links": {"self": f"/jobs/{job.uuid}"},
    }
    if shortened:
        told["shortened"] = True
    data: dict[str, Json] = {"job": told}
    if event.output is not None:
        data["output"] = event.output
    return {"type": event.type, "timestamp": to_json(event.at), "data": data}


def _in_full(output: ToldOutput) -> Json:
    made = output.delivered
    facts: dict[str, Json] = {} if made is None else to_json(made)
    return {
        "id": output.id,
        "status": output.state,
        **{fact: facts.get(fact) for fact in _FACTS},
        "error": _error(output.problem),
    }


def _outline(output: ToldOutput) -> Json:
    error: Json = None if output.problem is None else {"code": output.problem.code}
    return {"id": output.id, "status": output.state, "error": error}


def _error(problem: Problem | None) -> Json:
    if problem is None:
        return None
    told: Json = to_json(replace(problem, message=problem.message[:_MOST_OF_A_MESSAGE]))
    return told
