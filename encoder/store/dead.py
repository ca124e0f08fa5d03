"""Dead letters: jobs that stand `failed`, as they are asked for and told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from encoder.errors import FailureClass
from encoder.model.ids import JobId, TenantId

LOOK = 1_000  # failed jobs that one look reads
COUNTED = 10_000  # failed jobs that are counted at most


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadFilter:
    """A look at the next `look` failed jobs, those with an id above `after`. What does not match is passed over."""

    tenant_id: TenantId
    code: str | None = None
    kind: FailureClass | None = None
    failed_after: datetime | None = None  # at this time or later
    failed_before: datetime | None = None
    after: JobId | None = None  # None: from the oldest on
    look: int = LOOK


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadJob:
    """A job that matches. `secrets_erased`: it cannot run again."""

    id: JobId
    secrets_erased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadPage:
    """Those of a look that match, by id. `after`: where the next look begins; None when there is no further job."""

    jobs: Sequence[DeadJob]
    after: JobId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadGroup:
    """Jobs that failed alike, the first and the last of them when."""

    code: str
    kind: FailureClass
    jobs: int
    first_at: datetime
    last_at: datetime
