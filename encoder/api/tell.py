"""Makes answers of what the store keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from encoder.api import answers, sentence
from encoder.ffmpeg.containers import CONTAINERS
from encoder.ffmpeg.presets import Preset
from encoder.model import beside
from encoder.model.base import Json, to_json
from encoder.model.ids import OutputId
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.plan import Note
from encoder.model.preview import Preview
from encoder.model.state import JOB_ENDED, JobState, OutputState, TaskState
from encoder.store.fleet import QueueDepth, Quota, Stats, Usage, Used
from encoder.store.kept import PresetRow
from encoder.store.rows import Accepted, Holder, JobRow, Lack, Live, OutputRow

# Addresses from which anyone may read outputs of the platform's own storage.
Links = Mapping[OutputId, str]
_SUFFIXES = frozenset(f".{container.extension}" for container in CONTAINERS.values())
_NEVER_MADE = frozenset({OutputState.FAILED, OutputState.CANCELLED})


class Warnings(Protocol):
    """What is to be known of a place that was found in order, its secrets hidden or not."""

    def source_warnings(self, place: Place) -> tuple[Note, ...]: ...

    def destination_warnings(self, place: Place) -> tuple[Note, ...]: ...


def accepted(job: Accepted) -> answers.AcceptedAnswer:
    return answers.AcceptedAnswer(id=job.id, uuid=job.uuid, status=job.state)


def job(row: JobRow, links: Links, places: Warnings) -> answers.JobAnswer:
    outputs = tuple(_output(row, output, links.get(output.id), places) for output in row.outputs)
    return answers.JobAnswer(
        id=row.id,
        uuid=row.uuid,
        status=row.state,
        run=row.run,
        name=row.label,
        source=_shown(row.spec.source),
        notification_url=row.spec.notification_url,
        priority=row.spec.priority,
        queue=row.spec.queue,
        metadata=row.spec.metadata,
        tags=row.spec.tags,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cancel_requested=row.cancel_requested,
        progress=_progress(row),
        waiting_for=_waiting_for(row),
        media=row.media,
        warnings=_once(
            row.spec.origin.warnings if row.spec.origin else (),
            places.source_warnings(row.spec.source),
            *(output.warnings for output in outputs),
        ),
        outputs=outputs,
        error=row.problem,
        links=answers.JobLinks(self=f"/jobs/{row.id}", events=f"/jobs/{row.id}/events"),
    )


def progress(row: JobRow) -> answers.JobProgress:
    return answers.JobProgress(
        status=row.state,
        progress=_progress(row),
        waiting_for=_waiting_for(row),
        outputs=tuple(_output_progress(row, output) for output in row.outputs),
    )


def _progress(row: JobRow) -> float | None:
    """The mean of the outputs that can still be had; None if that of one is unknown, for it is never guessed."""
    shares = [_share(output) for output in row.outputs if output.state not in _NEVER_MADE]
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known and len(known) == len(shares) else None


def _waiting_for(row: JobRow) -> answers.WaitAnswer | None:
    """What keeps a job from running, or what is kept from going on; None when it goes on, or has ended."""
    if row.task_state is TaskState.SCHEDULED:
        return answers.WaitAnswer(reason="backoff", detail=_backoff(row), error=row.task_problem)
    if row.task_state in (TaskState.WAITING, TaskState.READY):
        reason, detail = _held_up(row)
        return answers.WaitAnswer(reason=reason, detail=detail, error=row.task_problem)
    if row.holder is not None and row.holder.silent and row.state not in JOB_ENDED:
        return answers.WaitAnswer(reason="worker", detail=_silent(row.holder))
    if lack := next((output.live.lack for output in row.outputs if output.live and output.live.lack), None):
        return answers.WaitAnswer(reason=lack.what, detail=_lacks(row, lack))
    if row.task_state is TaskState.BLOCKED:
        reason, detail = _in_chunks(row)
        return answers.WaitAnswer(reason=reason, detail=detail)
    return None


def _in_chunks(row: JobRow) -> tuple[str, str]:
    """Of a job whose chunks are made; where none is just now, what holds them up."""
    if row.chunks is None:
        return "chunks", "its chunks are still being made"
    made = f"{row.chunks.made} of {row.chunks.chunks} chunks are made"
    if row.chunks.running:
        return "chunks", f"{made}, {row.chunks.running} {'is' if row.chunks.running == 1 else 'are'} being made"
    reason, detail = _held_up(row)
    return reason, f"{made}; the next one waits: {detail}"


def _held_up(row: JobRow) -> tuple[str, str]:
    if row.holdup is not None and row.holdup.paused_at is not None:
        since = row.holdup.paused_at.isoformat(timespec="seconds")
        because = f": {row.holdup.paused_because}" if row.holdup.paused_because else ""
        return "paused", f"queue `{row.task_queue}` is paused since {since}{because}"
    if row.holdup is not None and row.holdup.cap is not None and (row.holdup.running or 0) >= row.holdup.cap:
        return "cap", f"{row.holdup.running} of at most {row.holdup.cap} run"
    if row.holdup is not None and not row.holdup.taken:
        return "slot", f"no live worker takes from `{row.task_queue}`; GET /workers tells what each takes from"
    if row.task_problem is not None and row.task_problem.code == "disk_full":
        return "scratch", row.task_problem.message
    return "slot", "a free slot of a worker; GET /workers tells which are alive"


def _lacks(row: JobRow, lack: Lack) -> str:
    host = f"on {row.holder.host}" if row.holder else "on its worker"
    room = "disk" if lack.what == "scratch" else "memory"
    needed, free = _megabytes(lack.needed_bytes), _megabytes(lack.free_bytes)
    return f"{needed} of {room} {host}, where {free} are free beside other work"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _silent(holder: Holder) -> str:
    since = holder.beat_at.isoformat(timespec="seconds")
    return f"the worker on {holder.host} is silent since {since}; the next one that is alive takes over"


def _backoff(row: JobRow) -> str:
    until = f" until {row.run_at.isoformat(timespec='seconds')}" if row.run_at else ""
    after = f"an attempt failed with {row.task_problem.code}; " if row.task_problem else ""
    return f"{after}the next one waits{until}"


def _share(output: OutputRow) -> float | None:
    if output.state is OutputState.UPLOADED:
        return 1.0
    if output.state in _NEVER_MADE:
        return None
    if output.state is OutputState.QUEUED:
        return 0.0
    return output.live.progress if output.live else None


def _output_progress(row: JobRow, output: OutputRow) -> answers.OutputProgress:
    live = output.live
    holder = row.holder if live else None
    if live and holder and holder.silent:  # how fast it was says nothing of now
        live = Live(stage=live.stage, progress=live.progress)
    return answers.OutputProgress(
        id=output.id,
        status=output.state,
        stage=live.stage if live else None,
        progress=_share(output),
        fps=live.fps if live else None,
        speed=live.speed if live else None,
        eta_seconds=live.eta_seconds if live else None,
        transferred_bytes=live.transferred_bytes if live else None,
        total_bytes=live.total_bytes if live else None,
        bytes_per_second=live.bytes_per_second if live else None,
        worker=holder.host if holder else None,
        last_beat_at=holder.beat_at if holder else None,
    )


def _output(row: JobRow, output: OutputRow, link: str | None, places: Warnings) -> answers.OutputAnswer:
    made, live = output.delivered, _output_progress(row, output)
    return answers.OutputAnswer(
        id=output.id,
        status=output.state,
        spec=_asked(output),
        stage=live.stage,
        progress=live.progress,
        fps=live.fps,
        speed=live.speed,
        eta_seconds=live.eta_seconds,
        transferred_bytes=live.transferred_bytes,
        total_bytes=live.total_bytes,
        bytes_per_second=live.bytes_per_second,
        worker=live.worker,
        last_beat_at=live.last_beat_at,
        attempts=output.attempts,
        uri=made.uri if made else None,
        url=link,
        files=made.files if made else (),
        size_bytes=made.size_bytes if made else None,
        duration_seconds=made.duration_seconds if made else None,
        width=made.width if made else None,
        height=made.height if made else None,
        video_codec=made.video_codec if made else None,
        audio_codec=made.audio_codec if made else None,
        bitrate=made.bitrate if made else None,
        frames=made.frames if made else None,
        sha256=made.sha256 if made else None,
        proof=output.proof,
        plan=output.plan,
        command=output.command,
        timings=output.timings,
        warnings=_of_places(output.spec, places) + output.warnings,
        error=output.problem,
    )


def _of_places(spec: OutputSpec, places: Warnings) -> tuple[Note, ...]:
    """What is unsafe or misleading about where an output goes, and where its watermark and its subtitles come from."""
    told = () if spec.destination is None else places.destination_warnings(spec.destination)
    told += _misnamed(spec)
    read = chain.from_iterable(places.source_warnings(place) for place in beside.sources(spec).values())
    return _once(read, told)


def _misnamed(spec: OutputSpec) -> tuple[Note, ...]:
    """A file that is called as another kind of file is: players and servers go by the name."""
    place = spec.destination or {}
    path = str(place.get("path") or urlsplit(str(place.get("url", ""))).path)
    suffix = PurePosixPath(path).suffix.lower()
    container = CONTAINERS.get(spec.container)
    if container is None or path.endswith("/") or suffix not in _SUFFIXES - {f".{container.extension}"}:
        return ()
    message = f"The file is called `{PurePosixPath(path).name}`, and holds {container.name}."
    return (Note(code="suffix_differs", message=message),)


def _once(*told: Iterable[Note]) -> tuple[Note, ...]:
    """Each different one once."""
    return tuple(dict.fromkeys(chain.from_iterable(told)))


def _asked(output: OutputRow) -> dict[str, Json]:
    spec = output.spec
    shown = {where: _shown(place) for where, place in beside.sources(spec).items()}
    members: dict[str, Json] = to_json(beside.with_sources(spec, shown))
    return {name: value for name, value in members.items() if value is not None}


def _shown(source: Place) -> dict[str, Json]:
    """An inline source is the file itself: nobody wants it back with every answer."""
    return {name: value for name, value in source.items() if name != "data"}


def preview(made: Preview, spec: JobSpec, places: Warnings) -> answers.PreviewAnswer:
    planned = {
        plan.output: (plan, commands, estimate)
        for plan, commands, estimate in zip(made.plan.outputs, made.commands, made.estimates, strict=True)
    }
    refused = {refusal.output: Note(code=refusal.code, message=refusal.message) for refusal in made.plan.refused}
    outputs = []
    for position, asked in enumerate(spec.outputs):
        plan, commands, estimate = planned.get(position, (None, (), None))
        outputs.append(
            answers.PlannedAnswer(
                id=OutputId(position),
                plan=plan,
                reasons=plan.reasons if plan else (),
                warnings=_of_places(asked, places) + (plan.warnings if plan else ()),
                commands=commands,
                estimate=estimate,
                error=refused.get(position),
            )
        )
    warnings = _once(places.source_warnings(spec.source), *(output.warnings for output in outputs))
    return answers.PreviewAnswer(media=made.media, warnings=warnings, outputs=tuple(outputs))


def built_in(preset: Preset) -> answers.PresetAnswer:
    return answers.PresetAnswer(
        name=preset.name,
        about=preset.about,
        version=preset.version,
        makes=sentence.of_preset(preset.members),
        members=dict(preset.members),
        built_in=True,
        created_at=None,
        updated_at=None,
    )


def preset(row: PresetRow, warnings: tuple[Note, ...] = ()) -> answers.PresetAnswer:
    return answers.PresetAnswer(
        name=row.name,
        about=row.about,
        version=row.version,
        makes=sentence.of_preset(row.members),
        members=row.members,
        warnings=warnings,
        built_in=False,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def stats(counted: Stats, used: answers.UsageAnswer | None) -> answers.StatsAnswer:
    jobs = {state: counted.jobs.get(state, 0) for state in JobState}
    return answers.StatsAnswer(jobs=jobs, queues=tuple(map(queue, counted.queues)), usage=used)


def usage(used: Usage, *, since: datetime, until: datetime) -> answers.UsageAnswer:
    return answers.UsageAnswer(
        since=since,
        until=until,
        jobs=used.jobs,
        outputs=sum(each.outputs for each in used.by_preset),
        output_minutes=round(sum(each.output_seconds for each in used.by_preset) / 60, 3),
        cpu_seconds=round(sum(each.cpu_seconds for each in used.by_preset), 3),
        delivered_bytes=sum(each.delivered_bytes for each in used.by_preset),
        presets=tuple(map(_used, used.by_preset)),
    )


def _used(used: Used) -> answers.UsedAnswer:
    return answers.UsedAnswer(
        preset=used.preset,
        outputs=used.outputs,
        output_minutes=round(used.output_seconds / 60, 3),
        cpu_seconds=round(used.cpu_seconds, 3),
        delivered_bytes=used.delivered_bytes,
    )


def queue(depth: QueueDepth) -> answers.QueueAnswer:
    return answers.QueueAnswer(
        queue=depth.queue,
        waiting=depth.waiting,
        ready=depth.ready,
        scheduled=depth.scheduled,
        running=depth.running,
        oldest_seconds=depth.oldest_seconds,
        paused_since=depth.paused_at,
        paused_because=depth.paused_because,
    )


def quota(said: Quota) -> answers.QuotaAnswer:
    return answers.QuotaAnswer(tenant=said.tenant_id, queue=said.queue, cap=said.cap, share=said.share)
