"""What was done over time: jobs by their ends, failures, waits, and what was used."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from aiohttp import web

from encoder.api import answers_fleet as answers
from encoder.api.operations import Call, answer
from encoder.api.spans import Piece, Range, pieces
from encoder.model.ids import TenantId
from encoder.model.state import JOB_ENDED, JobState
from encoder.store.fleet import EndedBy, UsedBy

MOST_USED = 200  # rows of usage in one answer
_HALF, _MOST = 0.5, 0.95
_STEPS = 8  # to each doubling, as the store counts waits
_ENDS = tuple(state for state in JobState if state in JOB_ENDED)


class Table(StrEnum):
    """What of it is told as one table."""

    BUCKETS = "buckets"
    FAILURES = "failures"
    USAGE = "usage"


async def own(call: Call) -> web.Response:
    """GET /insights: of the caller's tenant."""
    return await _told(call, call.tenant_id)


async def every(call: Call) -> web.Response:
    """GET /insights/all: of all tenants."""
    return await _told(call, None)


async def _told(call: Call, tenant_id: TenantId | None) -> web.Response:
    wanted = Range(call.query.get("range", str) or Range.DAY)
    told = await insights_of(call, tenant_id, wanted)
    table = call.query.get("csv", str)
    return answer(told) if table is None else as_csv(told, Table(table))


async def insights_of(call: Call, tenant_id: TenantId | None, wanted: Range) -> answers.InsightsAnswer:
    """What ended of late, of a tenant or of all."""
    now = (await call.parts.store.moment()).at
    found = await call.parts.spans.counted(call.parts.store, tenant_id, pieces(wanted, now), now)
    return summed(wanted, found)


def summed(wanted: Range, found: Sequence[Piece]) -> answers.InsightsAnswer:
    """Buckets as they were counted, and the sums over them."""
    spans = [piece.span for piece in found if piece.span is not None]
    ended = [each for span in spans for each in span.ended]
    waits = _waits(ended)
    return answers.InsightsAnswer(
        range=wanted,
        since=found[0].since,
        until=found[-1].until,
        complete=len(spans) == len(found) and not any(span.cut for span in spans),
        jobs=_by_state(ended),
        wait_p50_seconds=quantile(waits, _HALF),
        wait_p95_seconds=quantile(waits, _MOST),
        buckets=tuple(map(_bucket, found)),
        failures=tuple(_failures(found)),
        usage=tuple(_usage(each for span in spans for each in span.used))[:MOST_USED],
    )


def _bucket(piece: Piece) -> answers.BucketAnswer:
    span = piece.span
    waits = {} if span is None else _waits(span.ended)
    return answers.BucketAnswer(
        since=piece.since,
        until=piece.until,
        jobs=None if span is None else _by_state(span.ended),
        outputs=None if span is None else sum(each.outputs for each in span.used),
        output_minutes=None if span is None else round(sum(each.output_seconds for each in span.used) / 60, 3),
        cpu_seconds=None if span is None else round(sum(each.cpu_seconds for each in span.used), 3),
        delivered_bytes=None if span is None else sum(each.delivered_bytes for each in span.used),
        wait_p50_seconds=quantile(waits, _HALF),
        wait_p95_seconds=quantile(waits, _MOST),
        cut=span is not None and span.cut,
    )


def _by_state(ended: Iterable[EndedBy]) -> dict[JobState, int]:
    jobs = dict.fromkeys(_ENDS, 0)
    for each in ended:
        jobs[each.state] += each.jobs
    return jobs


def _waits(ended: Iterable[EndedBy]) -> Mapping[int, int]:
    waits: Counter[int] = Counter()
    for each in ended:
        if each.step is not None:
            waits[each.step] += each.jobs
    return waits


def quantile(waits: Mapping[int, int], share: float) -> float | None:
    """Seconds that `share` of the jobs waited at most, to a twentieth; None of none. `waits`: jobs by their step."""
    left = share * sum(waits.values())
    for step in sorted(waits):
        left -= waits[step]
        if left <= 0:
            return float(f"{2 ** ((step + 0.5) / _STEPS):.3g}")
    return None


def _failures(found: Sequence[Piece]) -> Iterator[answers.FailuresAnswer]:
    by_code: defaultdict[str, list[int]] = defaultdict(lambda: [0] * len(found))
    for position, piece in enumerate(found):
        for each in piece.span.ended if piece.span else ():
            if each.state is JobState.FAILED:
                by_code[each.code or "unknown"][position] += each.jobs
    for code, counts in sorted(by_code.items(), key=lambda item: (-sum(item[1]), item[0])):
        yield answers.FailuresAnswer(code=code, jobs=sum(counts), by_bucket=tuple(counts))


def _usage(used: Iterable[UsedBy]) -> Iterator[answers.TenantUsedAnswer]:
    """By tenant and preset, what took most of the processors first."""
    sums: defaultdict[tuple[TenantId, str | None], list[UsedBy]] = defaultdict(list)
    for each in used:
        sums[each.tenant_id, each.preset].append(each)
    told = (
        answers.TenantUsedAnswer(
            tenant=tenant,
            preset=preset,
            outputs=sum(each.outputs for each in some),
            output_minutes=round(sum(each.output_seconds for each in some) / 60, 3),
            cpu_seconds=round(sum(each.cpu_seconds for each in some), 3),
            delivered_bytes=sum(each.delivered_bytes for each in some),
        )
        for (tenant, preset), some in sums.items()
    )
    yield from sorted(told, key=lambda each: (-each.cpu_seconds, each.tenant, each.preset or ""))


def as_csv(told: answers.InsightsAnswer, table: Table) -> web.Response:
    """One table of it, to be saved."""
    text = io.StringIO()
    csv.writer(text).writerows(_rows(told, table))
    name = f"encoder-{table}-{told.range}-{told.until:%Y%m%dT%H%MZ}.csv"
    return web.Response(
        text=text.getvalue(),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _rows(told: answers.InsightsAnswer, table: Table) -> Iterator[Sequence[object]]:
    """The names of its columns first, as in JSON. What is not counted yet is empty."""
    match table:
        case Table.BUCKETS:
            names = ("outputs", "outputMinutes", "cpuSeconds", "deliveredBytes", "waitP50Seconds", "waitP95Seconds")
            yield ("since", "until", *_ENDS, *names)
            for each in told.buckets:
                jobs = each.jobs or dict.fromkeys(_ENDS)
                yield (
                    *(each.since.isoformat(), each.until.isoformat(), *(jobs[state] for state in _ENDS)),
                    *(each.outputs, each.output_minutes, each.cpu_seconds, each.delivered_bytes),
                    *(each.wait_p50_seconds, each.wait_p95_seconds),
                )
        case Table.FAILURES:
            yield ("code", "jobs", *(bucket.since.isoformat() for bucket in told.buckets))
            for failed in told.failures:
                yield (failed.code, failed.jobs, *failed.by_bucket)
        case Table.USAGE:
            yield ("tenant", "preset", "outputs", "outputMinutes", "cpuSeconds", "deliveredBytes")
            for used in told.usage:
                yield (
                    *(used.tenant, used.preset or "", used.outputs),
                    *(used.output_minutes, used.cpu_seconds, used.delivered_bytes),
                )
