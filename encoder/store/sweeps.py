"""What goes into the store and what comes out of it: for whoever takes away what has had its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from encoder.model.ids import JobId, OutputId, SweepId
from encoder.model.policy import Policy
from encoder.store.rows import Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class DueJobs:
    """Jobs whose time is over, of those that were looked at. `last`: of all of these; None: there were none."""

    jobs: Sequence[Ended]
    last: Ended | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlaces:
    """Where an output stands, or was to stand: addresses, the one of a package with a slash at its end.

    `files`: below the address of a package. `size_bytes`: of what stands there.
    """

    job_id: JobId
    output: OutputId
    uris: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """How far jobs were looked at in the order in which they were submitted, or ended."""

    at: datetime
    id: JobId


BEGINNING = Looked(at=datetime.fromtimestamp(0, UTC), id=JobId(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    count: int
    last: Looked


class SweepEnd(StrEnum):
    """`more`: its time was up, and something is left."""

    DONE = "done"
    MORE = "more"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """One sweep. `ended_at` None: it works, or died; `read_at`: by the database's clock, as all times are."""

    id: SweepId
    host: str
    version: str
    policy: Policy
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    outcome: SweepEnd | None
    removed: Mapping[str, int]
    blocked: int
    overdue: int
    problem: str | None
    read_at: datetime
