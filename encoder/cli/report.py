"""What is said of a job: pure text, cleaned of all that a terminal would obey."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from encoder.cli.session import advice
from encoder.cli.text import clean, count, duration, frames, left, percent, size, times
from encoder.cli.views import Job, Output
from encoder.model import place as places
from encoder.model.result import Timings

STORAGE = "the platform's storage"


def ending(job: Job) -> list[str]:
    """How the job ended, for people: what stands where, or what went wrong and what to do."""
    return list(_endings(job))


def _endings(job: Job) -> Iterator[str]:
    if job.status == "completed":
        checks = sum(len(output.proof.checks) for output in job.outputs if output.proof)
        yield f"Done in {duration(job.took_seconds)}, {count(checks, 'check')} passed."
    if job.status == "cancelled":
        yield f"Cancelled after {duration(job.took_seconds)}."
    for output in job.outputs:
        if output.uri:
            yield f"{clean(output.name)}: {clean(output.url or output.uri)}"
    yield from _errors(job)


def _errors(job: Job) -> Iterator[str]:
    """Each different error once: that of the job is often that of all its outputs."""
    found = [job.error, *(output.error for output in job.outputs)]
    for problem in dict.fromkeys(problem for problem in found if problem):
        check = f" ({clean(problem.check)})" if problem.check else ""
        yield f"error: {clean(problem.code)}{check}: {clean(problem.message)}"
        yield from advice(problem.code, [problem.message])


def warnings(job: Job) -> list[str]:
    """Each different warning once, whatever it is about."""
    notes = chain(job.warnings, *(output.warnings for output in job.outputs))
    told = dict.fromkeys(clean(note.message) for note in notes)
    return [f"warning: {message}" for message in told]


def state(output: Output) -> str:
    """`h264  encoding 68 %, 4.1× real time, 21 s left`."""
    facts = [
        percent(output.progress) if output.progress is not None else "",
        frames(output.fps) if output.fps else "",
        f"{times(output.speed)} real time" if output.speed else "",
        f"{size(output.bytes_per_second)}/s" if output.bytes_per_second else "",
        left(output.eta_seconds) if output.eta_seconds is not None else "",
    ]
    doing = output.stage or output.status
    return f"{clean(output.name)}  {clean(doing)} {', '.join(fact for fact in facts if fact)}".rstrip()


def details(job: Job) -> list[str]:
    """A whole job on a screen."""
    return [line for part in (_head(job), *(_output(output) for output in job.outputs), _tail(job)) for line in part]


def _head(job: Job) -> Iterator[str]:
    yield f"job {job.id}  {clean(job.status)}  {percent(job.progress)}  run {job.run}  {clean(job.name)}"
    took = f", took {duration(job.took_seconds)}" if job.ended else ""
    yield f"  uuid {clean(job.uuid)}, created {job.created_at:%Y-%m-%d %H:%M:%S} UTC{took}"
    yield f"  queue {clean(job.queue)}, priority {job.priority}"
    yield f"  from {clean(places.named(job.source))}"
    of_outputs = {note for output in job.outputs for note in output.warnings}
    yield from (f"     warning: {clean(note.message)}" for note in job.warnings if note not in of_outputs)
    if job.waiting_for:
        yield f"  {'' if job.waiting_for.goes_on else 'waits: '}{clean(job.waiting_for.words)}"


def _output(output: Output) -> Iterator[str]:
    yield f"  {output.id}  {state(output)}"
    if output.rungs:
        yield f"     rungs {clean(output.rungs)}"
    if output.worker:
        beat = f", last heard of at {output.last_beat_at:%H:%M:%S} UTC" if output.last_beat_at else ""
        yield f"     on {clean(output.worker)}{beat}"
    if output.attempts > 1:
        yield f"     attempt {output.attempts}"
    to = output.spec.destination
    yield f"     to {clean(places.named(to)) if to else STORAGE}"
    if output.uri:
        picture = f"{output.width}×{output.height}, " if output.width else ""
        yield f"     {clean(output.url or output.uri)}"
        plays = duration(output.duration_seconds)
        yield f"     {size(output.size_bytes)}, {picture}{plays}, sha256 {clean(output.sha256)}"
    if output.proof:
        failed = ", ".join(clean(check.name) for check in output.proof.failed)
        verdict = f"failed: {failed}" if failed else "all passed"
        yield f"     proof: {count(len(output.proof.checks), 'check')}, {verdict}"
    if times := timings(output.timings):
        yield f"     {times}"
    for message in dict.fromkeys(note.message for note in output.warnings):
        yield f"     warning: {clean(message)}"


def timings(times: Timings) -> str:
    """`queued 0.01 s, fetch 0.1 s, …`: the parts that were done."""
    parts = (times.queued, times.fetch, times.first_frame, times.encode, times.verify, times.upload)
    names = ("queued", "fetch", "first frame after", "encode", "verify", "upload")
    told = [f"{name} {duration(part)}" for name, part in zip(names, parts, strict=True) if part is not None]
    return ", ".join(told)


def _tail(job: Job) -> Iterator[str]:
    yield from (f"  {line}" for line in _errors(job))
