"""Dead letters: what failed alike, what to do about it, and then to run it again together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict

from encoder.api import dead, query
from encoder.dashboard import filters
from encoder.dashboard.look import iso
from encoder.dashboard.page import Page, Question, Visit
from encoder.errors import CATALOGUE, FailureClass
from encoder.model.key import Scope
from encoder.store.dead import COUNTED, DeadFilter

MOST = 1_000  # of one redrive
_MEANT = (
    query.text("code", "", required=True),
    replace(query.choice("class", "", FailureClass), required=True),
    query.moment("seen", ""),
    query.moment("failedAfter", ""),
    query.whole("jobs", "", low=0, high=COUNTED),
)
_CLASSES = (
    (FailureClass.PERMANENT, "permanent: trying again does not help until its cause is mended"),
    (FailureClass.TRANSIENT, "transient: passes by itself, but took too long"),
    (FailureClass.RESOURCE, "resource: a machine lacked something"),
    (FailureClass.CRASH, "crash: ffmpeg or a worker died"),
)


async def listed(visit: Visit) -> web.Response:
    """GET /ui/dead."""
    kind, since = visit.call.query.get("class", str), visit.call.query.get("since", str)
    after = datetime.now(UTC) - filters.SINCE[since][1] if since else None
    groups = await dead.groups(visit.call, kind=FailureClass(kind) if kind else None, failed_after=after)
    return visit.show(
        "dead.html",
        groups=groups,
        jobs=sum(group.jobs for group in groups),
        counted=COUNTED,
        kind=kind or "",
        since=since or "",
        times=filters.SINCE,
        classes=_CLASSES,
        entries=CATALOGUE,
        link=_link,
        failed_after=iso(after) if after else "",
    )


async def redrive(visit: Visit) -> web.Response:
    """POST /ui/dead/redrive: those of a code that had failed when the page was seen."""
    form = await visit.form()
    asked = query.read(
        MultiDict({each.name: form.get(each.name, "") for each in _MEANT if form.get(each.name)}), _MEANT
    )
    wanted = DeadFilter(
        tenant_id=visit.call.tenant_id,
        code=asked.get("code", str),
        kind=FailureClass(asked.get("class", str) or ""),
        failed_after=asked.get("failedAfter", datetime),
        failed_before=(asked.get("seen", datetime) or datetime.now(UTC)) + timedelta(seconds=1),
    )
    jobs, entry = asked.get("jobs", int), CATALOGUE.get(wanted.code or "")
    shown = "" if jobs is None else f"{jobs:,} "
    question = Question(
        text=(f"First: {entry.to_do} " if entry else "") + "Then what failed runs again; outputs that stand are kept.",
        verb=f"Redrive {shown}jobs",
        keep="Not yet",
    )
    page = await visit.confirmed(question)
    if page is not None:
        return page
    done = await dead.run_again(visit.call, wanted, limit=MOST)
    passed = (
        f"; {done.skipped:,} passed over, for their credentials are erased or they run already" if done.skipped else ""
    )
    left = f"; {done.left:,} left: redrive once more" if done.left else ""
    return await visit.back(f"{done.redriven:,} queued again{passed}{left}.", to=await visit.after("/ui/dead"))


def _link(code: str) -> str:
    return "/?" + urlencode({"status": "failed", "code": code})


PAGES = (
    Page(
        method="GET",
        path="/ui/dead",
        handler=listed,
        query=(query.choice("class", "", ("", *FailureClass)), query.choice("since", "", ("", *filters.SINCE))),
    ),
    Page(method="POST", path="/ui/dead/redrive", handler=redrive, scope=Scope.WRITE),
)
