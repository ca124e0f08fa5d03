"""`GET /ui/stream`: what changes of the jobs on a page, live. Exactly one stream per page.

Asked for as `?jobs=812,815,…` (at most 200 that stand on the page), with `new=815` (the newest job there, or 0) and the
list's filters where later ones are to be counted; or as `?job=811`, with `log=2` to read along what ffmpeg says for
output 2. Server-sent events, each of JSON:

    facts    {"812": {"pct": 41.2, "now": "118 fps · 3.9x · ~4 min"}}   pct: null where nobody knows; of `job`, also
             {"stage": "encoding", "fps": 118, "speed": 3.9, "eta": 240, "sign": 3} and the same for each output,
             "outputs": {"0": {"state", "pct", "stage", …}}; sign: seconds since the last beat
    shapes   {"812": "1f3a09c2"}   first of all: what a row looks like (`facts.shape`, its `data-shape`). One that
             differs, or is missing because the job is gone, is stale.
    stale    {"jobs": ["811"], "counts": true}   fetch these again as fragments; both members may be missing
    new      {"n": 3}   jobs that came since `new`, and that the filters find
    log      {"out": 2, "at": 10240, "text": "…", "live": true}   `at`: so many characters came before `text`
    version  {"static": "b41c…"}   first of all: of our files; another one than the page's own asks for a reload
    health   {"text": "…", "link": "…"}, or {} when all is well   the strip of the page, where it changes

Facts are last values, not history: after a (re)connect there are all `shapes` and `facts` first, so that nobody stays
wrong and nothing need be resumed (the log by `at`). Of each job only the last values wait for a reader; they are sent
once a second, of `job` twice. Who does not take them for 30 s is let go (`api.live`). The stream ends with the login or
the key, and answers 403 to pages of others (H6).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec
from aiohttp import web
from multidict import MultiDict, MultiMapping

from encoder import errors
from encoder.api import jobs, live, query, timeline
from encoder.api.cors import foreign, is_ours
from encoder.api.live import Message
from encoder.dashboard import filters
from encoder.dashboard.facts import facts, shape
from encoder.dashboard.health import health
from encoder.dashboard.page import Page, Visit
from encoder.errors import Rejected
from encoder.model.ids import JobId, OutputId
from encoder.model.state import JobState
from encoder.queue.seats import TenantSeat
from encoder.store.rows import JobFilter, JobRow

MOST = 200  # jobs of one page
FLUSH_S = 1.0  # of a list; a job's page is told twice as often
COUNTS_S = 5.0  # between two words about counts
_NO_EVENTS = (1 << 31) - 1
_MOST_KNOWN = 10_000
_IDS = query.text("jobs", "")


async def stream(visit: Visit) -> web.StreamResponse:
    """GET /ui/stream."""
    if is_ours(visit.request, public_host=visit.call.parts.public_host) is False:
        raise foreign()
    asked = visit.request.query
    if "job" in asked:
        row = await jobs.find_job(visit.call, asked["job"])
        return await live.stream(visit.call, _of_job(visit, row, _output(asked.get("log"), row)))
    ids = ids_of(asked.get("jobs", ""))
    newest = asked.get("new", "")
    wanted = filters.read(only_filters(asked), visit.call.tenant_id).wanted if newest.isdecimal() else None
    return await live.stream(visit.call, _of_list(visit, ids, wanted, JobId(int(newest)) if wanted else None))


def ids_of(text: str, *, most: int = MOST) -> list[JobId]:
    """Numbers of jobs, separated by commas.

    Raises:
        errors.Rejected: `invalid_query`.
    """
    parts = [part for part in text.split(",") if part]
    if len(parts) > most or not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):  # noqa: PLR2004
        raise Rejected.because("invalid_query", f"`jobs` must be at most {most} numbers of jobs, separated by commas.")
    return [JobId(int(part)) for part in parts]


async def rows_of(visit: Visit, ids: Iterable[JobId]) -> dict[JobId, JobRow]:
    """Those jobs that there are, and are the visitor's."""
    seen = dict.fromkeys(ids, _NO_EVENTS)
    sights = await visit.call.parts.store.sights(seen) if seen else ()
    return {sight.job.id: sight.job for sight in sights if sight.job.tenant_id == visit.call.tenant_id}


async def _of_list(
    visit: Visit, ids: Sequence[JobId], wanted: JobFilter | None, newest: JobId | None
) -> AsyncGenerator[Message]:
    call = visit.call
    with call.parts.watcher.tenant(call.tenant_id) as seat:
        while not seat.open:
            if not await live.pause(call, seat):
                return
        yield _message("version", {"static": visit.desk.look.static}, first=True)
        rows = await rows_of(visit, ids)
        yield _message("shapes", {str(job_id): shape(row) for job_id, row in rows.items()})
        board = _Board(ids, rows, wanted, newest)
        yield _message("facts", {str(job_id): facts(row) for job_id, row in rows.items() if row.state in _RUNS})
        strip = _Strip(visit)
        while True:
            for message in (*board.told(seat), *await strip.told()):
                yield message
            await asyncio.sleep(FLUSH_S)
            if not await live.pause(call, seat):
                return


_RUNS = (JobState.QUEUED, JobState.PROCESSING)


class _Board:
    """What one page shows, and what was told of it."""

    def __init__(
        self, ids: Sequence[JobId], rows: Mapping[JobId, JobRow], wanted: JobFilter | None, newest: JobId | None
    ) -> None:
        self._shapes: dict[JobId, str | None] = dict.fromkeys(ids)
        self._shapes |= {job_id: shape(row) for job_id, row in rows.items()}
        self._facts = {job_id: facts(row) for job_id, row in rows.items()}
        self._states: dict[JobId, JobState | None] = {job_id: row.state for job_id, row in rows.items()}
        self._wanted, self._newest = wanted, newest
        self._new: set[JobId] = set()
        self._counts_at = 0.0
        self._counts_stale = False

    def told(self, seat: TenantSeat) -> Iterable[Message]:
        changed = seat.take()
        if changed is None:  # more than can be told one by one
            self._counts_stale = True
            yield _message("stale", {"jobs": [str(job_id) for job_id in self._shapes], "counts": True})
            return
        now, stale, new = {}, [], len(self._new)
        for job_id, row in changed.items():
            self._count(job_id, row)
            if job_id not in self._shapes:
                self._see(job_id, row)
                continue
            looks = shape(row) if row else None
            if looks != self._shapes[job_id]:
                self._shapes[job_id] = looks
                stale.append(str(job_id))
            if row and (told := facts(row)) != self._facts.get(job_id):
                now[str(job_id)] = self._facts[job_id] = told
        if now:
            yield _message("facts", now)
        counts = self._counts_due()
        if stale or counts:
            yield _message("stale", {**({"jobs": stale} if stale else {}), **({"counts": True} if counts else {})})
        if len(self._new) != new:
            yield _message("new", {"n": len(self._new)})

    def _count(self, job_id: JobId, row: JobRow | None) -> None:
        state = row.state if row else None
        if self._states.get(job_id, "unknown") != state:
            self._counts_stale = True
            self._states[job_id] = state
        if len(self._states) > _MOST_KNOWN:
            self._states = {job_id: state}

    def _counts_due(self) -> bool:
        now = asyncio.get_running_loop().time()
        if not self._counts_stale or now < self._counts_at:
            return False
        self._counts_stale, self._counts_at = False, now + COUNTS_S
        return True

    def _see(self, job_id: JobId, row: JobRow | None) -> None:
        if row is None:
            self._new.discard(job_id)
        elif self._wanted and self._newest is not None and job_id > self._newest and filters.finds(self._wanted, row):
            self._new.add(job_id)


class _Strip:
    """What is wrong now, told where it is another than before."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._said: Mapping[str, str] | None = None

    async def told(self) -> Sequence[Message]:
        now = await health(self._visit.call)
        if now == self._said:
            return ()
        self._said = now
        return (_message("health", now),)


async def _of_job(visit: Visit, row: JobRow, output: OutputId | None) -> AsyncGenerator[Message]:
    call, key = visit.call, str(row.id)
    with call.parts.watcher.job(row.id, seq=row.seq) as seat:
        yield _message("version", {"static": visit.desk.look.static}, first=True)
        looks, told = shape(row), facts(row, by_output=True)
        yield _message("shapes", {key: looks})
        yield _message("facts", {key: told})
        said: tuple[int, str] | None = None
        strip = _Strip(visit)
        while True:
            for message in await strip.told():
                yield message
            if output is not None:
                said, tail = await _log(visit, row, output, said)
                if tail:
                    yield tail
            await asyncio.sleep(FLUSH_S / 2)
            if not await live.pause(call, seat, _READ_S if output is not None else None):
                return
            row, seen = seat.view.job or row, (looks, told)
            looks, told = ("" if seat.view.gone else shape(row)), facts(row, by_output=True)
            if told != seen[1]:
                yield _message("facts", {key: told})
            if looks != seen[0]:
                yield _message("stale", {"jobs": [key]})


_READ_S = 1.0  # between two looks at a log that somebody reads


async def _log(
    visit: Visit, row: JobRow, output: OutputId, said: tuple[int, str] | None
) -> tuple[tuple[int, str] | None, Message | None]:
    """What was said since; and the words about it, where there is anything."""
    with suppress(errors.StoreUnavailable):
        await timeline.want_log(visit.call, row)
        shown = row.outputs[output]
        told = timeline.live_tail(row, shown)
        if told is None and (said is None or said[1] != "stored"):
            told = await timeline.stored_tail(visit.call, row, shown)
        if told is not None:
            end = told.at + len(told.text)
            begun = said[0] if said and told.at <= said[0] <= end else told.at
            text = told.text[begun - told.at :]
            after = (end, "live" if told.live else "stored")
            if text or after != said:
                fact = {"out": output, "at": begun, "text": text, "live": told.live}
                return after, _message("log", fact)
    return said, None


def _output(text: str | None, row: JobRow) -> OutputId | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 3 and int(text) < len(row.outputs)):  # noqa: PLR2004
        raise Rejected.because("invalid_query", "`log` must be the number of an output of the job.")
    return OutputId(int(text))


def only_filters(asked: MultiMapping[str]) -> MultiMapping[str]:
    """Those parameters of an address that choose jobs."""
    return MultiDict((name, value) for name, value in asked.items() if name in filters.NAMES)


def _message(event: str, data: object, *, first: bool = False) -> Message:
    return Message(event, msgspec.json.encode(data).decode(), first=first)


PAGES = (Page(method="GET", path="/ui/stream", handler=stream, query=None, fragment=True),)
