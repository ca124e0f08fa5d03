"""What the API tells of ingest. Every member is always there; `null`: there is none."""

from __future__ import annotations

from datetime import datetime

from encoder.ingest.rules import Skip
from encoder.model.base import Json, Record
from encoder.model.ids import JobId


class RuleAnswer(Record):
    """A rule as it was put, without what is secret of it. `version`: how often it was put."""

    name: str
    version: int
    enabled: bool
    source: dict[str, Json]
    outputs: tuple[dict[str, Json], ...]
    notification_url: str | None
    priority: int
    queue: str
    metadata: dict[str, Json]
    tags: tuple[str, ...]
    topics: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


class RulesAnswer(Record):
    rules: tuple[RuleAnswer, ...]


class IngestedAnswer(Record):
    """What became of one object by one rule: its job, also if that was made before; or why there is none."""

    bucket: str
    key: str | None
    rule: str | None
    job_id: JobId | None
    skipped: Skip | None


class IngestAnswer(Record):
    """`subscribed`: the topic of SNS that was told that its word is wanted here."""

    records: tuple[IngestedAnswer, ...]
    subscribed: str | None
