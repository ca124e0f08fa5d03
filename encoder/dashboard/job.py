"""One job: its state in a sentence, what failed, which way it went, and all that there is to know of it."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import msgspec
from aiohttp import web

from encoder.api import again, jobs, timeline
from encoder.api.answers import JobAnswer, OutputAnswer
from encoder.api.answers_timeline import TimelineAnswer
from encoder.dashboard import job_words, log_words, proof_words, source_words, waterfall
from encoder.dashboard.facts import shape
from encoder.dashboard.job_words import name_of
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import CATALOGUE, Rejected
from encoder.model.key import Scope
from encoder.model.state import JOB_ENDED
from encoder.store.rows import JobRow

OPEN_AT_MOST = 4  # outputs that stand whole on the page of the job; of more, each is fetched when it is opened
MOST_EVENTS = 500
MOST_FILES = 200

Shown = Callable[[Visit], Awaitable[web.StreamResponse]]


def found(show: Shown) -> Shown:
    """The page of a job, or that there is none."""

    async def handle(visit: Visit) -> web.StreamResponse:
        try:
            return await show(visit)
        except Rejected as wrong:
            if wrong.faults[0].code != "not_found":
                raise
            return visit.show("job_absent.html", status=404, hours=visit.call.parts.policy.hours)

    return handle


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A job as the API tells it, its timeline, and what pages make of both."""

    row: JobRow
    job: JobAnswer
    timeline: TimelineAnswer

    def told(self) -> dict[str, Any]:
        run = job_words.run_of(self.timeline, self.job.run)
        attempt = job_words.under_way(run)
        return {
            "job": self.job,
            "row": self.row,
            "timeline": self.timeline,
            "name": name_of,
            "sentence": job_words.sentence(self.job),
            "life": job_words.life(attempt, self.timeline.at),
            "time_left": job_words.time_left(self.job.outputs),
            "cards": job_words.cards(self.job, run),
            "again": job_words.again(self.job),
            "retry_words": job_words.retry_words(self.job),
            "ended": self.job.status in JOB_ENDED,
            "area": "jobs",
            "report": proof_words.report,
            "pace": job_words.pace,
            "codes": CATALOGUE,
            "shape": shape(self.row),
            "command": command,
            "files": lambda output: files(self.row, output),
        }

    def waterfalls(self) -> tuple[waterfall.Waterfall, ...]:
        """The newest run first."""
        names = {output.id: name_of(output) for output in self.job.outputs}
        runs = self.timeline.runs
        begins = [*(run.started_at for run in runs[1:]), None]  # of the run behind each
        told = self.timeline.webhooks
        falls = [
            waterfall.drawn(
                run,
                names,
                self.timeline.at,
                [each for each in told if each.created_at >= run.started_at and (not end or each.created_at < end)],
            )
            for run, end in zip(runs, begins, strict=True)
        ]
        return tuple(reversed(falls))


async def facts(visit: Visit) -> Facts:
    row = await jobs.find(visit.call)
    return Facts(row=row, job=await jobs.show(visit.call, row), timeline=await timeline.of(visit.call, row))


async def shown(visit: Visit) -> web.StreamResponse:
    """GET /ui/jobs/{id}."""
    return visit.show("job.html", **await _whole(visit))


async def part(visit: Visit) -> web.StreamResponse:
    """GET /ui/parts/jobs/{id}: all of the page that changes while a job runs."""
    return visit.show("job_live.html", **await _whole(visit))


async def _whole(visit: Visit) -> dict[str, Any]:
    known = await facts(visit)
    request = await again.request_of(visit.call, known.row)
    return {
        **known.told(),
        "runs": known.waterfalls(),
        "source": source_words.facts(known.job.media) if known.job.media else (),
        "events": await visit.call.parts.store.events(known.row.id, limit=MOST_EVENTS),
        "request": request,
        "metadata": _json(known.job.metadata) if known.job.metadata else "",
        "whole": len(known.job.outputs) <= OPEN_AT_MOST,
    }


async def output(visit: Visit) -> web.StreamResponse:
    """GET /ui/jobs/{id}/outputs/{outputId}: one output, with all that is known of it."""
    return visit.show("job_output.html", **await _one(visit))


async def output_part(visit: Visit) -> web.StreamResponse:
    """GET /ui/parts/jobs/{id}/outputs/{outputId}: the same, to stand on the page of the job."""
    return visit.show("job_output_part.html", **await _one(visit))


async def proof(visit: Visit) -> web.StreamResponse:
    """GET /ui/jobs/{id}/outputs/{outputId}/proof: its checks; `faults`: only those that did not pass."""
    told = await _one(visit)
    said = _json(told["output"].proof) if told["output"].proof else ""
    return visit.show("job_proof.html", only_faults="faults" in visit.request.query, proof_json=said, **told)


async def log(visit: Visit) -> web.StreamResponse:
    """GET /ui/jobs/{id}/outputs/{outputId}/log."""
    told = await _one(visit)
    return visit.show("job_log.html", **told, **await _log(visit))


async def log_part(visit: Visit) -> web.StreamResponse:
    """GET /ui/parts/jobs/{id}/outputs/{outputId}/log: the log, to stand in another page."""
    told = await _one(visit)
    return visit.show("job_log_part.html", **told, **await _log(visit))


async def _one(visit: Visit) -> dict[str, Any]:
    known = await facts(visit)
    one = known.job.outputs[jobs.output_of(visit.call, known.row).id]
    return {**known.told(), "output": one}


async def _log(visit: Visit) -> dict[str, Any]:
    """What ffmpeg says now, or what was written down. To look at it makes its worker tell it."""
    row = await jobs.find(visit.call)
    at = jobs.output_of(visit.call, row)
    await timeline.want_log(visit.call, row)
    live = timeline.live_tail(row, at)
    text = live.text if live else await visit.call.parts.store.log(row.id, at.id)
    return {"log": None if text is None else log_words.read(text), "tail": live}


async def raw_log(visit: Visit) -> web.StreamResponse:
    """GET /ui/jobs/{id}/outputs/{outputId}/log/raw."""
    return await jobs.log(visit.call)


async def raw(visit: Visit) -> web.StreamResponse:
    """GET /ui/jobs/{id}/json: the job as the API tells it."""
    row = await jobs.find(visit.call)
    told = msgspec.json.format(msgspec.json.encode(await jobs.show(visit.call, row)), indent=2)
    return web.Response(body=told, content_type="application/json")


async def cancel(visit: Visit) -> web.StreamResponse:
    """POST /ui/jobs/{id}/cancel."""
    row = await jobs.find(visit.call)
    text = f"Job {row.id} ends; what was delivered stays. ffmpeg is stopped on every worker."
    asked = await visit.confirmed(Question(text=text, verb=f"Cancel job {row.id}", keep="Keep it"))
    if asked is not None:
        return asked
    state = await jobs.cancel_job(visit.call, row)
    done = "Cancelled." if state in JOB_ENDED else "Cancelling: its worker ends what runs."
    return await visit.back(done, to=f"/ui/jobs/{row.id}")


async def retry(visit: Visit) -> web.StreamResponse:
    """POST /ui/jobs/{id}/retry."""
    row = await jobs.find(visit.call)
    words = job_words.retry_words(await jobs.show(visit.call, row))
    asked = await visit.confirmed(Question(text=words, verb=f"Retry job {row.id}", keep="Leave it"))
    if asked is not None:
        return asked
    try:
        run = await visit.call.parts.store.retry(row.id, max_attempts=visit.call.parts.limits.max_attempts)
    except Rejected as refused:
        if refused.faults[0].code != "secrets_erased":
            raise
        told = "It cannot run again: its credentials were erased. Clone it, and give them again."
        return await visit.back(told, to=f"/ui/jobs/{row.id}")
    return await visit.back(f"Run {run} begins. {words}", to=f"/ui/jobs/{row.id}")


async def delete(visit: Visit) -> web.StreamResponse:
    """POST /ui/jobs/{id}/delete."""
    row = await jobs.find(visit.call)
    text = f"Job {row.id} goes for good, with all that the platform's own storage holds of it; what is elsewhere stays."
    asked = await visit.confirmed(Question(text=text, verb=f"Delete job {row.id}", keep="Keep it"))
    if asked is not None:
        return asked
    await jobs.delete(visit.call)
    return await visit.back(f"Job {row.id} was deleted.", to="/")


def command(output: OutputAnswer) -> str:
    """For a shell: words quoted, one command after the other."""
    return " ".join(word if word == "&&" else shlex.quote(word) for word in output.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    name: str
    size_bytes: int | None
    url: str | None


def files(row: JobRow, output: OutputAnswer) -> tuple[File, ...]:
    """The first of the files that an output consists of, with an address where anybody may read them."""
    kept = row.outputs[output.id].intent
    sizes: Mapping[str, int] = {piece.name: piece.size_bytes for piece in kept.pieces} if kept else {}
    only = len(output.files) == 1
    return tuple(
        File(
            name=name,
            size_bytes=sizes.get(name, output.size_bytes if only else None),
            url=None if output.url is None else output.url if only else urljoin(output.url, name),
        )
        for name in output.files[:MOST_FILES]
    )


def _json(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


_JOB = "/ui/jobs/{id}"
_OUTPUT = "/outputs/{outputId}"
_PART = "/ui/parts/jobs/{id}"
PAGES = (
    Page(method="GET", path=_JOB, handler=found(shown), query=None),
    Page(method="GET", path=f"{_JOB}/json", handler=found(raw)),
    Page(method="GET", path=f"{_JOB}{_OUTPUT}", handler=found(output)),
    Page(method="GET", path=f"{_JOB}{_OUTPUT}/log", handler=found(log)),
    Page(method="GET", path=f"{_JOB}{_OUTPUT}/log/raw", handler=found(raw_log)),
    Page(method="GET", path=f"{_JOB}{_OUTPUT}/proof", handler=found(proof), query=None),
    Page(method="POST", path=f"{_JOB}/cancel", handler=found(cancel), scope=Scope.WRITE),
    Page(method="POST", path=f"{_JOB}/retry", handler=found(retry), scope=Scope.WRITE),
    Page(method="POST", path=f"{_JOB}/delete", handler=found(delete), scope=Scope.WRITE),
    Page(method="GET", path=_PART, handler=part, fragment=True),
    Page(method="GET", path=f"{_PART}{_OUTPUT}", handler=output_part, fragment=True),
    Page(method="GET", path=f"{_PART}{_OUTPUT}/log", handler=log_part, fragment=True),
)
