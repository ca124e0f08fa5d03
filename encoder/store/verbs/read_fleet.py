"""From rows to what the protocol speaks of: who works, what waits, what was used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from encoder.model.base import Json
from encoder.model.ids import JobId, TaskId, TenantId, WorkerId
from encoder.model.state import JobState, TaskState
from encoder.store.engine import Row
from encoder.store.fair import Head, Tenant
from encoder.store.fleet import (
    EndedBy,
    LiveWorker,
    QueueDepth,
    Quota,
    Running,
    Taken,
    Usage,
    Used,
    UsedBy,
    WorkerInfo,
    WorkerRow,
)
from encoder.store.pauses import read_pause
from encoder.store.verbs.read import live_of, members_of


def worker_of(row: Row, running: tuple[Running, ...]) -> WorkerRow:
    """A worker. What changes while it runs lies with what it said of itself, under names of its own."""
    about = members_of(row["about"])
    taken, machine = _taken_of(about.pop("lost", None)), about.pop("machine", None)
    info = WorkerInfo(
        id=WorkerId(row["id"]),
        host=row["host"],
        pid=row["pid"],
        version=row["version"],
        queues=tuple(row["queues"]),
        slots=msgspec.json.decode(row["slots"], type=dict[str, int]),
        encoders=tuple(row["encoders"]),
        about=about,
    )
    return WorkerRow(
        info=info,
        started_at=row["started_at"],
        seen_at=row["seen_at"],
        draining=row["draining"],
        lost=bool(row["unseen"]) or any(each.at > row["seen_at"] for each in taken),
        running=running,
        taken=taken,
        machine=machine if isinstance(machine, dict) else None,
    )


def _taken_of(noted: Json) -> tuple[Taken, ...]:
    return tuple(
        Taken(
            job_id=JobId(each["job"]),
            tenant_id=TenantId(each["tenant"]),
            kind=each["kind"],
            state=TaskState(each["state"]),
            at=datetime.fromisoformat(each["at"]),
        )
        for each in msgspec.convert(noted or [], type=list[dict[str, Any]])
    )


def running_of(row: Row) -> Running:
    return Running(
        task_id=TaskId(row["task_id"]),
        job_id=JobId(row["job_id"]),
        job_uuid=row["job_uuid"],
        label=row["label"],
        tenant_id=TenantId(row["tenant_id"]),
        name=row["name"],
        kind=row["kind"],
        queue=row["queue"],
        attempt=row["attempt"],
        stage=row["stage"],
        since=row["since"],
        beat_at=row["beat_at"],
        live=live_of(row["live"]),
    )


def depth_of(row: Row) -> QueueDepth:
    because, by = read_pause(row["paused_because"])
    return QueueDepth(
        queue=row["queue"],
        waiting=row["waiting"],
        ready=row["ready"],
        scheduled=row["scheduled"],
        running=row["running"],
        oldest_seconds=row["oldest_seconds"],
        paused_at=row["paused_at"],
        paused_because=because,
        paused_by=by,
    )


def live_worker_of(row: Row) -> LiveWorker:
    slots = msgspec.json.decode(row["slots"], type=dict[str, int])
    return LiveWorker(version=row["version"], slots=slots, draining=bool(row["draining"]))


def ended_of(row: Row) -> EndedBy:
    return EndedBy(state=JobState(row["state"]), code=row["code"], step=row["step"], jobs=int(row["jobs"]))


def used_by_of(row: Row) -> UsedBy:
    return UsedBy(
        tenant_id=TenantId(row["tenant_id"]),
        preset=row["preset"] or None,
        outputs=int(row["outputs"]),
        output_seconds=float(row["output_seconds"]),
        cpu_seconds=float(row["cpu_seconds"]),
        delivered_bytes=int(row["delivered_bytes"]),
    )


def usage_of(rows: Sequence[Row]) -> Usage:
    by_preset: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_preset[row["preset"]].append(row)
    used = (_used_of(preset, by_preset[preset]) for preset in sorted(by_preset))
    return Usage(jobs=sum(int(row["jobs"]) for row in rows), by_preset=tuple(each for each in used if each.outputs))


def _used_of(preset: str, rows: Sequence[Row]) -> Used:
    return Used(
        preset=preset or None,
        outputs=sum(int(row["outputs"]) for row in rows),
        output_seconds=sum(float(row["output_seconds"]) for row in rows),
        cpu_seconds=sum(float(row["cpu_seconds"]) for row in rows),
        delivered_bytes=sum(int(row["delivered_bytes"]) for row in rows),
    )


def quota_of(row: Row) -> Quota:
    return Quota(tenant_id=TenantId(row["tenant_id"]), queue=row["queue"], cap=row["cap"], share=row["share"])


def tenant_of(row: Row) -> Tenant:
    return Tenant(id=TenantId(row["tenant_id"]), used=row["used"], cap=row["cap"], share=row["share"])


def heads_of(rows: Sequence[Row]) -> Mapping[TenantId, Sequence[Head]]:
    heads: defaultdict[TenantId, list[Head]] = defaultdict(list)
    for row in rows:
        heads[TenantId(row["tenant_id"])].append(Head(id=TaskId(row["id"]), weight=row["weight"]))
    return heads
