"""Which jobs a list shows: read from its address, and written into the addresses of its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from multidict import MultiDict, MultiMapping

from encoder.api import query
from encoder.model.ids import JobId, TenantId
from encoder.model.state import JobState
from encoder.store.rows import JobFilter, JobRow

SINCE = {
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(hours=24)),
    "7d": ("last 7 days", timedelta(days=7)),
    "30d": ("last 30 days", timedelta(days=30)),
}
ROWS = ("50", "100", "200")
_WHICH = (
    query.states("status", ""),
    query.text("q", ""),
    query.text("tag", ""),
    query.text("preset", ""),
    query.text("code", ""),
    query.choice("since", "", SINCE),
    query.moment("createdAfter", ""),
    query.moment("createdBefore", ""),
)
_PAGE = (query.choice("rows", "", ROWS), query.whole("before", "", low=1, high=2**63 - 1))
NAMES = frozenset(parameter.name for parameter in _WHICH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """`said`: as it stands in the address, without what is empty. `wanted`: the same for the store."""

    said: Mapping[str, str]
    wanted: JobFilter

    @property
    def rows(self) -> int:
        return int(self.said.get("rows", ROWS[0]))

    @property
    def chosen(self) -> dict[str, str]:
        """What chooses jobs, without how many are shown, and from where on."""
        return {name: value for name, value in self.said.items() if name in NAMES}

    def address(self, **changes: object) -> str:
        """The list with some filters changed, from its first page on; None takes one away."""
        said = {name: value for name, value in self.said.items() if name != "before"} | changes
        asked = urlencode({name: value for name, value in said.items() if value not in (None, "")})
        return f"/?{asked}" if asked else "/"

    def without_time(self) -> JobFilter:
        return _filter(self.wanted.tenant_id, query.read(_kept(self.said, leaving={"since", *_TIMES}), _WHICH + _PAGE))


_TIMES = ("createdAfter", "createdBefore")


def read(given: MultiMapping[str], tenant_id: TenantId, *, more: tuple[query.Parameter, ...] = ()) -> Filters:
    """The filters of an address, or of a form that holds them. `more`: other fields that it may have.

    Raises:
        errors.Rejected: `invalid_query`.
    """
    kept = _kept(given)
    asked = query.read(kept, (*_WHICH, *_PAGE, *more))
    names = {parameter.name for parameter in (*_WHICH, *_PAGE)}
    said = {name: ",".join(kept.getall(name)) for name in dict.fromkeys(kept) if name in names}
    return Filters(said=said, wanted=_filter(tenant_id, asked))


def _kept(
    given: Mapping[str, str] | MultiMapping[str], *, leaving: set[str] | frozenset[str] = frozenset()
) -> MultiDict[str]:
    """Without what a form sends empty."""
    return MultiDict((name, value.strip()) for name, value in given.items() if value.strip() and name not in leaving)


def _filter(tenant_id: TenantId, asked: query.Query) -> JobFilter:
    since, after = asked.get("since", str), asked.get("createdAfter", datetime)
    begins = [datetime.now(UTC) - SINCE[since][1]] if since else []
    return JobFilter(
        tenant_id=tenant_id,
        states=asked.get("status", tuple) or (),
        tag=asked.get("tag", str),
        text=asked.get("q", str),
        preset=asked.get("preset", str),
        code=asked.get("code", str),
        created_after=max((*begins, *((after,) if after else ())), default=None),
        created_before=asked.get("createdBefore", datetime),
        before=None if (before := asked.get("before", int)) is None else JobId(before),
    )


def finds(wanted: JobFilter, row: JobRow) -> bool:
    """Whether a list of `wanted` would show a job, as far as that can be told of one that has just come."""
    text = (wanted.text or "").lower()
    return (
        (not wanted.states or row.state in wanted.states)
        and (not wanted.tag or wanted.tag in row.spec.tags)
        and (not wanted.preset or any(output.spec.preset == wanted.preset for output in row.outputs))
        and (not wanted.code or (row.problem is not None and row.problem.code == wanted.code))
        and (wanted.created_before is None or row.created_at < wanted.created_before)
        and text in " ".join((row.label, str(row.uuid), *row.spec.tags)).lower()
    )


def words(filters: Filters) -> str:
    """What was looked for, as the end of a sentence: "failed job tagged trailer in the last 24 hours"."""
    said, states = filters.said, " or ".join(state for state in JobState if state in filters.wanted.states)
    told = [f"{states} job".strip()]
    told += [f"{word}\u202f{said[name]}" for name, word in _WORDS.items() if name in said]
    told += [f"in the {SINCE[said['since']][0]}"] if "since" in said else []
    told += [f"since {said['createdAfter']}"] if "createdAfter" in said else []
    told += [f"before {said['createdBefore']}"] if "createdBefore" in said else []
    return " ".join(told)


_WORDS = {"tag": "tagged", "preset": "with preset", "code": "that failed with", "q": "with the text"}
