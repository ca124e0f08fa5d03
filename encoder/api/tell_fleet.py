"""Makes answers of what the store keeps of the whole: workers and queues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from encoder import errors
from encoder.api import answers_fleet as answers
from encoder.model.base import Json, from_json
from encoder.model.ids import TenantId
from encoder.store.fleet import QueueDepth, QueuePace, Running, WorkerRow

MOST_TENANTS = 50
_HALF, _MOST = 0.5, 0.95


def worker(row: WorkerRow, tenant_id: TenantId) -> answers.WorkerAnswer:
    """As it is told to this tenant, who sees no names of others' sources."""
    info = row.info
    return answers.WorkerAnswer(
        id=info.id,
        host=info.host,
        pid=info.pid,
        version=info.version,
        status="lost" if row.lost else "draining" if row.draining else "live",
        queues=info.queues,
        slots=info.slots,
        encoders=info.encoders,
        about=info.about,
        machine=_machine(row.machine),
        started_at=row.started_at,
        seen_at=row.seen_at,
        draining=row.draining,
        running=tuple(_running(task, tenant_id) for task in row.running),
        taken=tuple(
            answers.TakenAnswer(
                job_id=each.job_id, tenant=each.tenant_id, kind=each.kind, status=each.state, at=each.at
            )
            for each in row.taken
        ),
    )


def _machine(told: dict[str, Json] | None) -> answers.MachineAnswer | None:
    """None of what another release may tell in other words."""
    try:
        return None if told is None else from_json(answers.MachineAnswer, told)
    except errors.Defect:
        return None


def _running(task: Running, tenant_id: TenantId) -> answers.RunningAnswer:
    shares = [live.progress for live in task.live.values()]
    known = [share for share in shares if share is not None]
    return answers.RunningAnswer(
        task_id=task.task_id,
        job_id=task.job_id,
        job_uuid=task.job_uuid,
        name=task.label if task.tenant_id == tenant_id else None,
        tenant=task.tenant_id,
        task=task.name,
        kind=task.kind,
        queue=task.queue,
        attempt=task.attempt,
        stage=task.stage,
        progress=sum(known) / len(known) if known and len(known) == len(shares) else None,
        since=task.since,
        last_beat_at=task.beat_at,
        outputs=tuple(
            answers.RunningOutputAnswer(
                id=output,
                stage=live.stage,
                progress=live.progress,
                fps=live.fps,
                speed=live.speed,
                eta_seconds=live.eta_seconds,
                waits_for=live.lack.what if live.lack else None,
            )
            for output, live in task.live.items()
        ),
    )


def queue(depth: QueueDepth, pace: QueuePace, workers: Sequence[WorkerRow]) -> answers.FleetQueueAnswer:
    """`workers`: all that are alive."""
    taking = [row for row in workers if depth.queue in row.info.queues and not row.draining]
    reasons: Counter[str] = Counter(dict(_before(depth, pace, is_taken=bool(taking))))
    reasons.update(_lacking(depth.queue, workers))
    return answers.FleetQueueAnswer(
        queue=depth.queue,
        waiting=depth.waiting,
        ready=depth.ready,
        scheduled=depth.scheduled,
        running=depth.running,
        oldest_seconds=depth.oldest_seconds,
        paused_since=depth.paused_at,
        paused_because=depth.paused_because,
        paused_by=depth.paused_by,
        workers=len(taking),
        slots=sum(row.info.slots.get(depth.queue, 0) for row in taking),
        arrivals_per_minute=round(pace.arrivals_per_minute, 1),
        wait_p50_seconds=quantile(pace.waits_s, _HALF),
        wait_p95_seconds=quantile(pace.waits_s, _MOST),
        waits=tuple(answers.ReasonAnswer(reason=reason, tasks=tasks) for reason, tasks in reasons.most_common()),
        tenants=tuple(
            answers.WaitingAnswer(
                tenant=each.tenant_id, waiting=each.waiting, used=each.used, cap=each.cap, share=each.share
            )
            for each in sorted(pace.tenants, key=lambda each: -each.waiting)[:MOST_TENANTS]
        ),
    )


def _before(depth: QueueDepth, pace: QueuePace, *, is_taken: bool) -> Iterator[tuple[str, int]]:
    """What keeps those that have not begun, each reason once."""
    free = "slot" if is_taken else "worker"
    capped = sum(each.waiting for each in pace.tenants if each.cap is not None and each.used >= each.cap)
    others = sum(each.waiting for each in pace.tenants) - capped
    if depth.paused_at is not None:
        told = {"paused": depth.ready + capped + others}
    else:
        told = {free: depth.ready + others, "cap": capped}
    told["backoff"] = depth.scheduled
    return ((reason, tasks) for reason, tasks in told.items() if tasks)


def _lacking(queue: str, workers: Iterable[WorkerRow]) -> Iterator[str]:
    """What each task lacks that runs, but waits for room on its machine."""
    for row in workers:
        for task in row.running:
            lack = next((live.lack for live in task.live.values() if live.lack), None)
            if task.queue == queue and lack is not None:
                yield lack.what


def quantile(values: Sequence[float], share: float) -> float | None:
    """The least value that is not below `share` of all; None of none. `values` are in their order."""
    if not values:
        return None
    return round(values[max(0, ceil(share * len(values)) - 1)], 3)
