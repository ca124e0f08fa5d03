"""What there is to hear of jobs and of deliveries, as the texts that receivers are told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from encoder.cli.client import Client
from encoder.cli.deliveries import line
from encoder.cli.refused import Object
from encoder.cli.text import clean
from encoder.model.base import Json, from_json
from encoder.model.event import TOLD, Event
from encoder.model.formats import FORMATS, STANDARD
from encoder.model.ids import JobId, OutputId
from encoder.model.job import JobSpec
from encoder.model.result import Delivered, Problem
from encoder.model.state import JobState, OutputState
from encoder.model.telling import ToldJob, ToldOutput, webhook_id

PAUSE_S = 1.0  # between two looks at deliveries
MOST = 10_000  # deliveries of one look
BACK = 100  # known ones, after which a look ends
MISSED = 200  # jobs that are looked at when the stream begins, or has begun anew
SLACK = timedelta(seconds=2)  # between our clock and the server's


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`body`: the very text that a receiver gets. `said`: for people."""

    webhook_id: str
    body: str
    said: str


async def of_deliveries(client: Client, filters: Mapping[str, str]) -> AsyncGenerator[Heard, None]:
    """What receivers are told from now on, in the form of each, whatever becomes of it."""
    seen = {_number(delivery) async for delivery in client.deliveries(limit=BACK)}
    first = min(seen, default=0)
    while True:
        fresh, known = [], 0
        async for delivery in client.deliveries(limit=MOST, **filters):
            number = _number(delivery)
            known += number in seen
            if number < first or known == BACK:  # numbers may appear out of order: a look goes some way back
                break
            if number not in seen:
                fresh.append(number)
        for number in sorted(fresh):
            seen.add(number)
            told = await client.delivery(str(number))
            yield Heard(webhook_id=str(told["webhookId"]), body=str(told["body"]), said=line(told))
        await asyncio.sleep(PAUSE_S)


async def of_jobs(client: Client, wanted: str | None) -> AsyncGenerator[Heard, None]:
    """What happens to all jobs from now on, in our own form, whether anybody is told of it. `wanted`: only this type.

    The text shows the job as it stands now, which may be later than its event.
    """
    ear = _Ear(client, wanted)
    async for message in client.news():
        if message.event == "job":
            changed = [str(json.loads(message.data)["id"])]
        elif message.event in {"hello", "reset"}:  # what came before it, or was passed over
            changed = [str(job["id"]) async for job in client.jobs(limit=MISSED) if ear.minds(job)]
        else:
            changed = []
        for job in changed:
            for heard in await ear.of(job):
                yield heard


class _Ear:
    """Remembers how far each job was heard."""

    def __init__(self, client: Client, wanted: str | None) -> None:
        self._client = client
        self._types = {wanted} if wanted else TOLD
        self._since = datetime.now(UTC) - SLACK
        self._seen: dict[str, int] = {}

    def minds(self, job: Object) -> bool:
        """Whether something may have happened to it since."""
        ended = job["finishedAt"]
        return ended is None or datetime.fromisoformat(str(ended)) >= self._since

    async def of(self, job_id: str) -> list[Heard]:
        events = [from_json(Event, told) for told in await self._client.timeline(job_id, self._seen.get(job_id, 0))]
        if events:
            self._seen[job_id] = events[-1].seq
        news = [event for event in events if event.type in self._types and event.at >= self._since]
        if not news:
            return []
        job = _job(await self._client.job(job_id))
        return [_heard(event, job) for event in news]


def _heard(event: Event, job: ToldJob) -> Heard:
    said = clean(f"{event.at:%Y-%m-%d %H:%M:%S}  {event.type:<16} job {job.id}")
    body = FORMATS[STANDARD].text(event, job, {})
    return Heard(webhook_id=webhook_id(job.uuid, event.seq), body=body, said=said)


def _job(told: Object) -> ToldJob:
    """A job that the API has shown, as a receiver is told of it."""
    outputs, metadata, tags = told["outputs"], told["metadata"], told["tags"]
    shown = [each for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
    return ToldJob(
        id=JobId(int(str(told["id"]))),
        uuid=UUID(str(told["uuid"])),
        created_at=datetime.fromisoformat(str(told["createdAt"])),
        state=JobState(str(told["status"])),
        spec=JobSpec(
            source={},
            outputs=(),
            metadata=metadata if isinstance(metadata, dict) else {},
            tags=tuple(map(str, tags)) if isinstance(tags, list) else (),
        ),
        problem=_problem(told["error"]),
        outputs=tuple(map(_output, shown)),
    )


def _output(told: Object) -> ToldOutput:
    return ToldOutput(
        id=OutputId(int(str(told["id"]))),
        state=OutputState(str(told["status"])),
        delivered=None if told["uri"] is None else from_json(Delivered, told),
        problem=_problem(told["error"]),
    )


def _problem(told: Json) -> Problem | None:
    return None if told is None else from_json(Problem, told)


def _number(delivery: Object) -> int:
    return int(str(delivery["id"]))
