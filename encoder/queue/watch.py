"""Watches jobs for all who look at them in this process: one look at the database for all, while anybody looks.

On PostgreSQL a hint tells at once which job has changed; the looks in between bring progress, and what no hint told.
Elsewhere, and while hints do not come through, the looks come more often. What is new is read for all jobs together.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import islice
from math import inf
from typing import Protocol, TypeVar

from encoder import errors
from encoder.log import get_logger
from encoder.model.ids import JobId, TenantId
from encoder.model.state import TaskState
from encoder.queue.seats import JobSeat, Seat, TenantSeat, View
from encoder.store.news import WATCHED
from encoder.store.protocol import Ear, Watching
from encoder.store.rows import Moment, Sight

T = TypeVar("T")

log = get_logger(__name__)

COOLDOWN_S = 0.02  # after a look: a burst of hints costs one more look, not one each
SAY_EVERY_S = 20.0  # that somebody watches
LINGER_S = 30.0  # after the last one has left: whoever reloads a page comes back
REFRESH_S = 5.0  # what holds a waiting job up changes without the job
AT_A_GLANCE = 2_000  # jobs
BATCH = 100  # jobs in one reading, so that nothing else waits long
MOST_KNOWN = 10_000  # jobs of which it is remembered how they stood
MOST_STIRRED = 5_000  # of a tenant between two looks; where there are more, all is to be read anew
OVERLAP = timedelta(seconds=3)  # between looks at tenants: for what was committed out of its order

_NOT_BEGUN = (TaskState.WAITING, TaskState.READY)
_NO_EVENTS = (1 << 31) - 1
_GONE = "gone"


class Watched(Watching, Protocol):
    """What of a store is needed."""

    async def hint(self, *payloads: str) -> None: ...

    def news_ear(self) -> Ear: ...


class Watcher:
    """One per process. `look_s`: between two looks while hints come through; `poll_s`: while they do not."""

    def __init__(
        self, store: Watched, *, look_s: float = 1.0, poll_s: float = 0.5, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._look_s = look_s
        self._poll_s = poll_s
        self._clock = clock
        self._views: dict[JobId, View] = {}
        self._tenants: defaultdict[TenantId, set[TenantSeat]] = defaultdict(set)
        self._news: dict[JobId, TenantId | None] = {}  # jobs of which something is new, or may be
        self._known: OrderedDict[JobId, Hashable] = OrderedDict()  # how they stood when they were shown
        self._moments: deque[Moment] = deque()  # of the last looks at tenants
        self._before: Mapping[JobId, TenantId] = {}  # what the last of them found
        self._rung = asyncio.Event()
        self._wanted = asyncio.Event()
        self._ear: Ear | None = None
        self._due = self._refresh_due = -inf
        self._blind = False
        self._closed = False

    @property
    def hears(self) -> bool:
        """Whether hints come through; where nobody watches, none are waited for."""
        return self._ear is not None and self._ear.healthy

    @property
    def job_seats(self) -> int:
        return sum(len(view.seats) for view in self._views.values())

    @property
    def tenant_seats(self) -> int:
        return sum(len(seats) for seats in self._tenants.values())

    @contextmanager
    def job(self, job_id: JobId, *, seq: int) -> Iterator[JobSeat]:
        """Watch a job; what was committed before may be read by whoever has a seat. `seq`: of its last event known."""
        view = self._views.setdefault(job_id, View(seq))
        seat = JobSeat(view)
        view.seats.add(seat)
        self._news.setdefault(job_id, None)
        self._come(seat)
        try:
            yield seat
        finally:
            view.seats.discard(seat)
            if not view.seats and self._views.get(job_id) is view:
                del self._views[job_id]

    @contextmanager
    def tenant(self, tenant_id: TenantId) -> Iterator[TenantSeat]:
        """Watch all jobs of a tenant, from when the seat is `open`."""
        seat, seats = TenantSeat(), self._tenants[tenant_id]
        seats.add(seat)
        self._due = -inf
        self._come(seat)
        try:
            yield seat
        finally:
            seats.discard(seat)
            if not seats and self._tenants.get(tenant_id) is seats:
                del self._tenants[tenant_id]

    def close(self) -> None:
        """The server stops: all are to go."""
        self._closed = True
        for seat in (*self._job_seats(), *self._tenant_seats()):
            seat.close()

    async def run(self) -> None:
        """Look while anybody watches; for ever."""
        while True:
            await self._wanted.wait()
            async with self._listening():
                await self._look_while_wanted()

    # who watches

    def _come(self, seat: Seat) -> None:
        self._wanted.set()
        self._rung.set()
        if self._closed:
            seat.close()

    def _job_seats(self) -> Iterator[Seat]:
        return (seat for view in self._views.values() for seat in view.seats)

    def _tenant_seats(self) -> Iterator[TenantSeat]:
        return (seat for seats in self._tenants.values() for seat in seats)

    # when to look

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        self._ear = self._store.news_ear()
        listener = asyncio.create_task(self._ear.listen(self._heard), name="news ear")
        try:
            yield
        finally:
            self._ear = None
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    def _heard(self, hint: str) -> None:
        verb, _, what = hint.partition(":")
        tenant, _, job = what.partition(":")
        if verb != "job":
            return
        job_id, tenant_id = JobId(int(job)), TenantId(int(tenant))
        if job_id in self._views or tenant_id in self._tenants:
            self._news[job_id] = tenant_id
            self._rung.set()

    async def _look_while_wanted(self) -> None:
        left_at, said_at = self._clock(), -inf
        while True:
            now = self._clock()
            if self._views or self._tenants:
                left_at = now
            elif now >= left_at + LINGER_S:
                self._known.clear()
                self._wanted.clear()
                return
            if now >= said_at + SAY_EVERY_S:
                await self._store.hint(WATCHED)
                said_at = now
            await self._look()
            await asyncio.sleep(COOLDOWN_S)
            await self._rest()

    async def _rest(self) -> None:
        """Until a hint comes, somebody sits down, or the next look is due."""
        due = asyncio.get_running_loop().call_later(max(0.0, self._due - self._clock()), self._rung.set)
        try:
            await self._rung.wait()
        finally:
            due.cancel()
        self._rung.clear()

    # looking

    async def _look(self) -> None:
        now, news, self._news = self._clock(), self._news, {}
        whole, refresh = now >= self._due, now >= self._refresh_due
        try:
            if whole:
                news = {**dict.fromkeys(self._views), **news, **await self._stirred()}
            for some in _parts(news, AT_A_GLANCE):
                await self._read(some, refresh=whole and refresh)
        except errors.StoreUnavailable as error:
            self._news = {**news, **self._news}
            self._went_blind(str(error))
        except Exception:
            log.exception("watch.failed")  # whatever it is, it must not end all streams
        else:
            self._blind = False
        if whole:
            self._due = self._clock() + (self._look_s if self.hears else self._poll_s)
            self._refresh_due = now + REFRESH_S if refresh else self._refresh_due

    def _went_blind(self, reason: str) -> None:
        if not self._blind:
            log.warning("watch.blind", reason=reason, note="streams go on where they were once the database is back")
        self._blind = True

    async def _stirred(self) -> Mapping[JobId, TenantId]:
        """What may have changed of the tenants that are watched; what ran at the last look may run no more."""
        if not self._tenants:
            self._moments.clear()
            self._before = {}
            return {}
        sitting = list(self._tenant_seats())
        self._moments.append(now := await self._store.moment())
        while len(self._moments) > 1 and self._moments[1].at <= now.at - OVERLAP:
            self._moments.popleft()
        found = await self._store.stirred(tuple(self._tenants), self._moments[0], limit=MOST_STIRRED)
        for seat in sitting:
            seat.begin(lost=len(found) >= MOST_STIRRED)
        before, self._before = self._before, found
        return {**before, **found}

    async def _read(self, jobs: Mapping[JobId, TenantId | None], *, refresh: bool) -> None:
        glances = await self._store.glances(list(jobs))
        for job_id in jobs.keys() - glances.keys():
            self._gone(job_id, jobs[job_id])
        changed = {job_id for job_id, glance in glances.items() if glance != self._known.get(job_id)}
        seen = {job_id: _NO_EVENTS for job_id in changed if self._matters(jobs[job_id])}
        for job_id in glances:
            view = self._views.get(job_id)
            if view and (job_id in changed or view.job is None or (refresh and view.job.task_state in _NOT_BEGUN)):
                seen[job_id] = view.seq
        for some in _parts(seen, BATCH):
            for sight in await self._sights(some):
                self._show(sight, changed=sight.job.id in changed)
        for job_id in changed:
            self._know(job_id, glances[job_id])

    async def _sights(self, seen: Mapping[JobId, int]) -> Sequence[Sight]:
        """What is to be seen of them; one that cannot be read keeps none of the others from whoever watches."""
        try:
            return await self._store.sights(seen)
        except errors.StoreUnavailable:
            raise
        except Exception:
            if len(seen) == 1:
                log.exception("watch.unreadable", job=next(iter(seen)))
                return ()
        return [sight for one in _parts(seen, 1) for sight in await self._sights(one)]

    def _matters(self, tenant_id: TenantId | None) -> bool:
        """Whether anybody who watches that tenant is still told of single jobs."""
        return any(not seat.lost for seat in self._tenants.get(tenant_id, ())) if tenant_id is not None else False

    def _show(self, sight: Sight, *, changed: bool) -> None:
        if view := self._views.get(sight.job.id):
            view.show(sight)
        for seat in self._tenants.get(sight.job.tenant_id, ()) if changed else ():
            seat.show(sight.job.id, sight.job)

    def _gone(self, job_id: JobId, tenant_id: TenantId | None) -> None:
        if view := self._views.get(job_id):
            view.end()
        if tenant_id is not None and self._known.get(job_id) != _GONE:
            for seat in self._tenants.get(tenant_id, ()):
                seat.show(job_id, None)
            self._know(job_id, _GONE)

    def _know(self, job_id: JobId, glance: Hashable) -> None:
        self._known[job_id] = glance
        self._known.move_to_end(job_id)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _parts(jobs: Mapping[JobId, T], most: int) -> Iterator[dict[JobId, T]]:
    left = iter(jobs.items())
    while part := dict(islice(left, most)):
        yield part
