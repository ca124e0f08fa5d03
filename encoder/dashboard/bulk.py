"""What is done to many jobs at once: asked first, then done slice by slice, until none is left.

Who stops finds the page of its progress by its address and goes on from there. A cursor stands for the answer to the
question: only whoever gave it has one (`api.cursor` signs it, for this tenant and these jobs).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import hdrs, web
from multidict import MultiDict, MultiMapping

from encoder.api import bulk
from encoder.api.bulk import Meant
from encoder.api.wire_bulk import ACTIONS, CANCEL, DELETE, MOST_IDS, RETRY
from encoder.dashboard import filters, stream
from encoder.dashboard.address import is_local
from encoder.dashboard.look import iso
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import CATALOGUE, Rejected
from encoder.model.key import Scope
from encoder.model.state import OutputState
from encoder.store.rows import JobRow

ADDRESS = "/ui/jobs/bulk"
TYPED_FROM = 20  # deleting more asks for their number
_DONE = {CANCEL: "Cancelled", RETRY: "Queued again", DELETE: "Deleted"}
_GOES_ON = {CANCEL: "Cancelling", RETRY: "Queueing again", DELETE: "Deleting"}
_TEXTS = {
    CANCEL: "ffmpeg is stopped on every worker. Outputs that stand already are kept.",
    RETRY: "What failed or was cancelled in them runs again; outputs that stand are kept. Jobs whose credentials were "
    "erased are passed over: clone them with new ones.",
    DELETE: "They go for good, with what the platform’s own storage holds of them. What was delivered elsewhere stays.",
}
_PASSED = {
    "job_ended": "had ended before",
    "nothing_to_retry": "have nothing to retry",
    "secrets_erased": "need new credentials",
    "not_found": "are gone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What is to be done, to which jobs, and how far it is. `after`: where the visitor goes on then."""

    meant: Meant
    said: Mapping[str, str]  # what says it, in a form or an address
    cursor: str | None
    done: int
    skipped: Counter[str]
    total: int
    after: str

    @property
    def fields(self) -> dict[str, str]:
        """All of it, as `read` takes it."""
        skipped = ",".join(f"{code}:{count}" for code, count in sorted(self.skipped.items()))
        how_far = {"done": str(self.done), "skipped": skipped, "total": str(self.total), "cursor": self.cursor or ""}
        return {**self.said, **how_far, "after": self.after}

    @property
    def share(self) -> float:
        return min(1.0, (self.done + self.skipped.total()) / self.total) if self.total else 0.0

    @property
    def sentence(self) -> str:
        """As: Cancelled 37 jobs; 3 had ended before."""
        passed = (f"{count:,} {_PASSED.get(code, f'could not be: {code}')}" for code, count in self.skipped.items())
        return "; ".join((f"{_DONE[self.meant.action]} {_jobs(self.done)}", *passed)) + "."


async def act(visit: Visit) -> web.Response:
    """POST /ui/jobs/bulk: ask, or do the next slice."""
    form = await visit.form()
    if "ids" not in form and form.get("all") != "1":
        return await visit.back("No job was selected.")
    errand = read(form, visit)
    if errand.cursor is None:
        errand = replace(errand, total=await bulk.count(visit.call, errand.meant))
        if errand.total == 0:
            return await visit.back(_none(errand.meant.action))
        asked = await visit.confirmed(await _question(visit, errand))
        if asked is not None:
            return asked
    slice_ = await bulk.go_on(visit.call, errand.meant, errand.cursor)
    errand = replace(
        errand,
        done=errand.done + slice_.done,
        skipped=errand.skipped + Counter(slice_.skipped),
        total=max(errand.total, errand.done + errand.skipped.total() + slice_.done + slice_.left),
        cursor=slice_.cursor,
    )
    if errand.cursor is None:
        return await visit.back(errand.sentence, to=errand.after)
    return web.Response(status=303, headers={hdrs.LOCATION: f"{ADDRESS}?{urlencode(errand.fields)}"})


async def shown(visit: Visit) -> web.Response:
    """GET /ui/jobs/bulk: how far it is; by script it goes on from here by itself."""
    errand = read(visit.request.query, visit)
    tenant_id = visit.call.tenant_id
    if not errand.cursor:
        raise Rejected.because("invalid_cursor", "Nothing is under way here.")
    visit.call.parts.cursors.read(errand.cursor, tenant_id=tenant_id, question=errand.meant.name)
    return visit.show("bulk.html", errand=errand, title=f"{_GOES_ON[errand.meant.action]} jobs")


def read(form: MultiMapping[str], visit: Visit) -> Errand:
    """What a form or an address says.

    Raises:
        errors.Rejected: `invalid_query`.
    """
    action, tenant_id = form.get("action", ""), visit.call.tenant_id
    if action not in ACTIONS:
        raise Rejected.because("invalid_query", f"`action` must be one of {', '.join(ACTIONS)}.")
    if form.get("all") == "1":
        said = _until(form)
        meant = Meant(
            action=action, tenant_id=tenant_id, wanted=filters.read(stream.only_filters(said), tenant_id).wanted
        )
    else:
        ids = stream.ids_of(",".join(form.getall("ids", [])), most=MOST_IDS)
        meant = Meant(action=action, tenant_id=tenant_id, ids=ids)
        said = MultiDict(ids=",".join(map(str, ids)))
    after = form.get("after", "/")
    return Errand(
        meant=meant,
        said={"action": action, **said},
        cursor=form.get("cursor") or None,
        done=_count(form.get("done")),
        skipped=_skipped(form.get("skipped", "")),
        total=_count(form.get("total")),
        after=after if is_local(after) else "/",
    )


def _until(form: MultiMapping[str]) -> MultiDict[str]:
    """The filters with times that stand: what came since the list was seen is not meant, and no hour moves on."""
    chosen = {name: value for name, value in stream.only_filters(form).items() if value and name != "since"}
    if since := form.get("since"):
        begins = datetime.now(UTC) - filters.SINCE.get(since, ("", timedelta(0)))[1]
        chosen["createdAfter"] = max(chosen.get("createdAfter", ""), iso(begins))
    if "createdBefore" not in chosen:
        chosen["createdBefore"] = iso(_moment(form.get("seen")) + timedelta(seconds=1))
    return MultiDict({**chosen, "all": "1"})


def _moment(text: str | None) -> datetime:
    now = datetime.now(UTC)
    try:
        seen = datetime.fromisoformat(text or "")
    except ValueError:
        return now
    return min(now, seen) if seen.tzinfo else now


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else 0  # noqa: PLR2004


def _skipped(text: str) -> Counter[str]:
    told = (part.partition(":") for part in text.split(",") if part)
    return Counter({code: _count(count) for code, _, count in told if code in _PASSED or code in CATALOGUE})


async def _question(visit: Visit, errand: Errand) -> Question:
    action, total = errand.meant.action, errand.total
    rows = await stream.rows_of(visit, errand.meant.ids) if errand.meant.ids and len(errand.meant.ids) == 1 else {}
    (row,) = rows.values() or (None,)
    what = f"job j{row.id}" if row else _jobs(total)
    about = f"{row.label}: {_again(row) if action == RETRY else _TEXTS[action]}" if row else _TEXTS[action]
    return Question(
        text=about,
        verb=f"{action.capitalize()} {what}",
        keep="Keep it" if total == 1 else "Keep them",
        typed=str(total) if action == DELETE and total > TYPED_FROM else None,
    )


def _again(row: JobRow) -> str:
    """What a retry of a job will run."""
    stands = [_name(row, at) for at, output in enumerate(row.outputs) if output.state is OutputState.UPLOADED]
    runs = [_name(row, at) for at, output in enumerate(row.outputs) if output.state is not OutputState.UPLOADED]
    told = f"runs again: {', '.join(runs)}" if runs else "has nothing to run again"
    return f"{told}; stays: {', '.join(stands)}." if stands else f"{told}."


def _name(row: JobRow, at: int) -> str:
    return row.outputs[at].spec.preset or row.outputs[at].spec.container or f"output {at}"


def _none(action: str) -> str:
    states = {CANCEL: "has not ended", RETRY: "failed or was cancelled", DELETE: "is there"}
    return f"None of these jobs {states[action]}: nothing to {action}."


def _jobs(count: int) -> str:
    more = "+" if count >= bulk.COUNTED else ""
    return "1 job" if count == 1 else f"{count:,}{more} jobs"


PAGES = (
    Page(method="GET", path=ADDRESS, handler=shown, scope=Scope.WRITE, query=None),
    Page(method="POST", path=ADDRESS, handler=act, scope=Scope.WRITE),
)
