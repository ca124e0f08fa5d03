"""Takes in what stores say of new objects: one job of each by each rule that wants it, however often it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from aiohttp import web

from encoder import errors
from encoder.api import answers_ingest as answers
from encoder.api.body import JSON, read_json, receive
from encoder.api.ingest_rules import enabled, opened, require_sound
from encoder.api.jobs import spec_of
from encoder.api.operations import Call, answer
from encoder.api.parts import Parts
from encoder.api.wire_ingest import OF_INGEST
from encoder.errors import CATALOGUE, Fault, Rejected
from encoder.ingest import sns
from encoder.ingest.events import Notice, ObjectEvent, Subscription, read_events
from encoder.ingest.job import job_of
from encoder.ingest.rules import Rule, Skip, choose, digest
from encoder.metrics.api import ingested
from encoder.model.base import Json
from encoder.model.base import replace as changed
from encoder.model.ids import JobId, TenantId
from encoder.model.job import JobSpec
from encoder.model.place import read
from encoder.net.s3 import About
from encoder.net.s3_members import S3Members
from encoder.net.side import SOURCE
from encoder.sources.upload import id_of
from encoder.store.kept import Seen

_Became = JobId | Skip | tuple[Fault, ...]  # of an object by a rule: its job, or why there is none, or not yet
MOST_PAIRS = 1_000  # of an object and a rule, in one call: each asks the object's store
LONGEST_S = 30.0  # for which one call goes on with them
TYPES = frozenset({*JSON, "text/plain", "application/octet-stream"})  # the last one is what no type is


async def take(call: Call) -> web.Response:
    """POST /ingest/s3: answered once the jobs stand."""
    body = await receive(call.request, types=TYPES)
    return answer(await Intake(parts=call.parts, tenant_id=call.tenant_id).take(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes events in for one tenant, by whichever door they come."""

    parts: Parts
    tenant_id: TenantId

    async def take(self, body: Json) -> answers.IngestAnswer:
        """What became of each event. All that is told as a job stands.

        Raises:
            errors.Rejected: `unsupported_event`, `unknown_topic`, `address_not_allowed`: it will not be taken.
            errors.Rejected: `body_too_large`: so too, for it tells of more than one call may look at.
            errors.Rejected: `ingest_incomplete`: not all of it was, and whoever sends it again makes nothing twice.
            errors.StoreUnavailable: so too.
        """
        told = await asyncio.to_thread(read_events, body, read_json)  # what SNS wraps may be as long as a body
        rules = await enabled(self.parts, self.tenant_id)
        if isinstance(told, Subscription):
            await self._agree(told, rules)
            return answers.IngestAnswer(records=(), subscribed=told.topic)
        return answers.IngestAnswer(records=tuple(await self._all(told, rules)), subscribed=None)

    async def _agree(self, asked: Subscription, rules: Sequence[Rule]) -> None:
        if not any(asked.topic in rule.topics for rule in rules):
            raise Rejected.because("unknown_topic", CATALOGUE["unknown_topic"].to_do, path="/TopicArn")
        try:
            await sns.agree(self.parts.surroundings.web, asked.url)
        except errors.Failure as failure:
            fault = Fault(path="/SubscribeURL", code=failure.code, message=failure.message)
            raise _incomplete([fault]) from None

    async def _all(self, told: Notice, rules: Sequence[Rule]) -> list[answers.IngestedAnswer]:
        """Each event by each of its rules; one that cannot be taken now holds up none behind it."""
        done: list[answers.IngestedAnswer] = []
        faults: list[Fault] = []
        async for event, rule, what in self._each(told, rules):
            ingested.of(event.origin, _result(what)).inc()
            if isinstance(what, tuple):
                faults += what
            else:
                done.append(_told(event, rule, what))
        if faults:
            raise _incomplete(faults)
        return done

    async def _each(
        self, told: Notice, rules: Sequence[Rule]
    ) -> AsyncIterator[tuple[ObjectEvent, Rule | None, _Became]]:
        """What became of each event by each of its rules; the first for which there is no time is the last."""
        until = time.monotonic() + LONGEST_S
        # in a thread: a tenant may have many rules of many words
        chosen = await asyncio.to_thread(_choices, told, rules)
        for event, by in zip(told.events, chosen, strict=True):
            what = Skip.UPLOAD if await self._announced(event) else by
            if isinstance(what, Skip):
                yield event, None, what
            for rule in () if isinstance(what, Skip) else what:
                if time.monotonic() >= until:
                    yield event, rule, (_late(event, rule),)
                    return
                yield event, rule, await self._became(event, rule)

    async def _announced(self, event: ObjectEvent) -> bool:
        """Whether it is the file of an upload: then that is looked after at once, in whosever name the event came."""
        own = self.parts.surroundings.s3.closed
        if own is None or event.bucket != own[0] or not (event.key or "").startswith(own[1]):
            return False
        upload_id = id_of((event.key or "").removeprefix(own[1]))
        row = await self.parts.store.upload(None, upload_id) if upload_id else None
        if row is None:
            return False
        with suppress(errors.Failure):  # a sweep comes by anyway
            await self.parts.arrivals.look(row)
        return True

    async def _became(self, event: ObjectEvent, rule: Rule) -> _Became:
        """As `_one`; or what stands in the way."""
        try:
            return await self._one(event, rule)
        except errors.Failure as failure:
            return (Fault(path=event.where, code=failure.code, message=_of(event, rule, failure.message)),)
        except Rejected as refusal:
            return tuple(
                replace(found, path=event.where, message=_of(event, rule, found.message)) for found in refusal.faults
            )

    async def _one(self, event: ObjectEvent, rule: Rule) -> JobId | Skip:
        """The job of an object by a rule.

        Raises:
            errors.Failure: the store cannot be asked about the object, or the rule's secrets cannot be read.
            errors.Rejected: the rule cannot make jobs any more; `queue_full`.
        """
        if event.version_id or event.etag:  # who tells of it again may do so when the object is gone
            known = await self.parts.store.ingested(self.tenant_id, self._digest(event, rule, None))
            if known is not None:
                return known
        spec = await self._spec(rule, event.key or "")
        if spec is None:
            return Skip.INVALID_KEY
        about = await self._about(spec)
        match about:
            case None:
                return Skip.GONE
            case About(sha256=str()):
                return Skip.OWN_OUTPUT
            case About(size_bytes=0):
                return Skip.EMPTY
        told = changed(spec, metadata={**spec.metadata, OF_INGEST: _origin(event, rule, about)})
        seen = Seen(rule=rule.name, digest=self._digest(event, rule, about.etag))
        return (await self.parts.submit.ingest(told, seen, tenant_id=self.tenant_id)).job_id

    def _digest(self, event: ObjectEvent, rule: Rule, etag: str | None) -> bytes:
        return digest(self.tenant_id, rule.name, event, etag=etag)

    async def _spec(self, rule: Rule, key: str) -> JobSpec | None:
        """The job; None where it is the object's name that stands in its way."""
        members = opened(self.parts, self.tenant_id, rule)
        try:
            return await spec_of(self, job_of(members, key))
        except Rejected:
            await require_sound(self, members)  # no event is to be lost where the rule is at fault
            return None

    async def _about(self, spec: JobSpec) -> About | None:
        """What the store says of the object: an event is a hint."""
        members = read(S3Members, spec.source)
        if isinstance(members, list):
            raise Rejected(*members)
        around = self.parts.surroundings
        async with around.s3.open(members.at(), around.web, SOURCE) as s3:
            return await s3.about(members.path)


def _choices(told: Notice, rules: Sequence[Rule]) -> list[Sequence[Rule] | Skip]:
    """What is to be done with each event.

    Raises:
        errors.Rejected: `body_too_large`.
    """
    chosen = [choose(rules, event, told.topic) for event in told.events]
    if sum(len(by) for by in chosen if not isinstance(by, Skip)) > MOST_PAIRS:
        message = f"More than {MOST_PAIRS} jobs may come of it, over all its objects and rules: tell of fewer at once."
        raise Rejected.because("body_too_large", message)
    return chosen


def _origin(event: ObjectEvent, rule: Rule, about: About) -> dict[str, Json]:
    """Where a job comes from, for its metadata."""
    return {
        "rule": rule.name,
        "version": rule.version,
        "origin": event.origin.value,
        "bucket": event.bucket,
        "key": event.key,
        "etag": about.etag,
        "sizeBytes": about.size_bytes,
    }


def _told(event: ObjectEvent, rule: Rule | None, became: JobId | Skip) -> answers.IngestedAnswer:
    return answers.IngestedAnswer(
        bucket=event.bucket,
        key=event.key,
        rule=rule.name if rule else None,
        job_id=None if isinstance(became, Skip) else became,
        skipped=became if isinstance(became, Skip) else None,
    )


def _result(became: _Became) -> str:
    """For those who count."""
    match became:
        case Skip():
            return became.value
        case tuple():
            return "incomplete"
        case _:
            return "job"


def _of(event: ObjectEvent, rule: Rule, message: str) -> str:
    """Says whose a fault is: an event's place in the body says neither."""
    return f"{event.key or 'An object'} by the rule {rule.name}: {message}"


def _late(event: ObjectEvent, rule: Rule) -> Fault:
    message = _of(event, rule, f"There was no time for it within {LONGEST_S:.0f} s.")
    return Fault(path=event.where, code="ingest_incomplete", message=message)


def _incomplete(faults: Sequence[Fault]) -> Rejected:
    entry = CATALOGUE["ingest_incomplete"]
    return Rejected(Fault(path="", code=entry.code, message=entry.to_do), *faults)
