"""How long ended jobs are kept: by rules, of which the first that a job fits counts."""

from __future__ import annotations

import msgspec

from encoder.model.base import Record, replace
from encoder.model.state import JOB_ENDED, JobState

DEFAULT_HOURS = 168.0

# what sweeps count, in words for people
SWEPT = {
    "jobs": "jobs",
    "objects": "objects of the storage",
    "uploads": "uploads",
    "secrets": "jobs' secrets",
    "keys": "idempotency keys",
    "seen": "objects of buckets that were seen",
    "workers": "workers that fell silent",
    "sweeps": "old sweeps",
    "unfinished": "objects that were never finished",
    "strays": "objects that nothing led to",
}


class Rule(Record):
    """For ended jobs that are all that it says; what is None says nothing. `hours` after their end, 0: for good."""

    hours: float
    status: JobState | None = None
    tenant: int | None = None
    tag: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.hours < 1_000_000:  # noqa: PLR2004  # a century, and no more than a database can count
            raise ValueError("`hours` must be from 0 to 1000000")
        if self.status is not None and self.status not in JOB_ENDED:
            raise ValueError(f"`status` must be one in which a job ends, not {self.status}")


class Policy(Record):
    """`hours`: for jobs that fit no rule."""

    hours: float = DEFAULT_HOURS
    rules: tuple[Rule, ...] = ()

    @property
    def whole(self) -> tuple[Rule, ...]:
        """All rules; the last one fits every job."""
        return (*self.rules, Rule(hours=self.hours))

    @property
    def least_hours(self) -> float | None:
        """No job goes sooner; None: none ever goes."""
        return min((rule.hours for rule in self.whole if rule.hours), default=None)

    def later(self, hours: float) -> Policy:
        """The same, so much later."""
        rules = tuple(replace(rule, hours=rule.hours + hours if rule.hours else 0.0) for rule in self.rules)
        return Policy(hours=self.hours + hours if self.hours else 0.0, rules=rules)


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules that an operator wrote as JSON.

    Raises:
        ValueError: what is wrong with them.
    """
    try:
        written = msgspec.json.decode(text or "[]", type=list[dict[str, object]])
        rules = msgspec.convert(written, tuple[Rule, ...])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    unknown = {name for rule in written for name in rule} - {"status", "tenant", "tag", "hours"}
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; a rule has `status`, `tenant`, `tag` and `hours`")
    return rules


def told(rule: Rule) -> str:
    """Which jobs it is for, in words."""
    what = [f"{rule.status}" if rule.status else "", f"tagged {rule.tag}" if rule.tag is not None else ""]
    whose = f"of tenant {rule.tenant}" if rule.tenant is not None else ""
    return " ".join(word for word in (*what, whose) if word) or "all others"
