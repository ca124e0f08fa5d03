"""The platform's own form of an event: what docs/reference/webhooks.md shows.

No plan, command, log or single check of a proof is in it; `links.self` leads to the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from encoder.model.base import Json, replace, to_json
from encoder.model.event import Event, EventType
from encoder.model.result import Problem
from encoder.model.telling import MOST_OF_A_MESSAGE, ToldJob, ToldOutput, shortest_needed

_FACTS = ("uri", "sizeBytes", "durationSeconds", "width", "height", "sha256")


def body(event: Event, job: ToldJob, _settings: Mapping[str, Json]) -> str:
    """The text to be sent: the longest of the forms below that is short enough."""
    return shortest_needed(_forms(event, job))


def _forms(event: Event, job: ToldJob) -> Iterator[dict[str, Json]]:
    """From the full form to the barest, which is short whatever the caller sent."""
    concerned = tuple(output for output in job.outputs if output.id == event.output)
    yield _form(event, job, [_in_full(output) for output in job.outputs])
    yield _form(event, job, [_outline(output) for output in job.outputs], shortened=True)
    yield _form(event, job, [_in_full(output) for output in concerned], shortened=True)
    bare = replace(job, spec=replace(job.spec, metadata={}, tags=()))
    yield _form(event, bare, [_outline(output) for output in concerned], shortened=True)


def _form(event: Event, job: ToldJob, outputs: list[Json], *, shortened: bool = False) -> dict[str, Json]:
    told: dict[str, Json] = {
        "id": job.id,
        "uuid": str(job.uuid),
        "status": job.state,
        "run": event.run,
        "metadata": job.spec.metadata,
        "tags": list(job.spec.tags),
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
    if event.type is EventType.JOB_PROGRESS:
        data |= {name: event.data.get(name) for name in ("progress", "stage")}
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
    told: Json = to_json(replace(problem, message=problem.message[:MOST_OF_A_MESSAGE]))
    return told
