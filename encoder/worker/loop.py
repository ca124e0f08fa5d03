"""The worker: as many tasks as there are slots, claimed when there is a free one, each led to its settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from encoder import errors, tracing
from encoder.log import bound, get_logger
from encoder.metrics.queue import lease, verb, waited
from encoder.metrics.worker import busy
from encoder.model.chunk_work import CHUNK
from encoder.model.queue import IO
from encoder.model.state import TASK_ENDED
from encoder.queue import settle, tally
from encoder.queue.backoff import Uniform
from encoder.queue.due import DueSweep
from encoder.queue.erase import ObjectSweep, SecretSweep
from encoder.queue.lease import Contact, LeaseTimes
from encoder.queue.pace import Pace
from encoder.queue.rescue import Rescuer
from encoder.queue.wake import COOLDOWN_S, Wake
from encoder.store.fleet import WorkerInfo
from encoder.store.protocol import Store
from encoder.store.rows import Claim, Outcome, Settled, Settlement
from encoder.worker import crew, zeros
from encoder.worker.budget import Budget
from encoder.worker.claimer import Claimer
from encoder.worker.gauge import Gauge
from encoder.worker.heart import Heart
from encoder.worker.held import CutOff, Ending, Held
from encoder.worker.ledger import Ledger
from encoder.worker.together import together

log = get_logger(__name__)

SICK_S = 30.0  # how long a worker that lacks something claims nothing
JUDGE_S = 1.0  # between two looks at what will end within the grace, and what will not
DOUBT = 2.0  # an encode that has just begun seems longer than it is
PUBLISH_S = 5.0  # how long a publish in flight may hold up a drain
RETURN_S = 5.0  # how long giving back may take


class Handler(Protocol):
    """One kind of task."""

    async def work(self, held: Held) -> Settlement | None:
        """Do the task; how to close the claim, None if that is done. Raises `errors.LeaseLost`, nothing foreign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """The times of a worker, in seconds."""

    times: LeaseTimes
    poll_s: float
    progress_s: float
    drain_s: float


class Worker:
    """Claims, holds, settles. `run` ends after `stop`; with everything finished or given back."""

    def __init__(  # noqa: PLR0913  # each is another one in a test
        self,
        store: Store,
        info: WorkerInfo,
        handlers: Mapping[str, Handler],
        rhythm: Rhythm,
        budget: Budget,
        claimer: Claimer,
        *,
        clock: Callable[[], float],
        uniform: Uniform,
    ) -> None:
        self._store = store
        self._claimer = claimer
        self._info = info
        self._handlers = handlers
        self._rhythm = rhythm
        self._budget = budget
        self._clock = clock
        self._uniform = uniform
        self._held: dict[tuple[int, int], Held] = {}
        self._pace = {queue: Pace(clock=clock) for queue in info.slots}
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._keepers: set[asyncio.Task[None]] = set()
        self._sick_until = clock()
        self._retired = False
        self._unanswered = False  # the last claim
        self._idle_since = clock()
        self._logs_wanted = False  # of all jobs, always
        self._ear = store.ear()
        self._contact = Contact(now=clock(), longest_gap_s=rhythm.times.lease_s / 2)
        self.wake = Wake(
            info.slots,
            poll_s=rhythm.poll_s,
            healthy=lambda: self._ear.healthy,
            uniform=uniform,
            idle_poll_s=self._ear.idle_poll_s,
        )
        self._heart = Heart(
            store.heart(),
            info.id,
            rhythm.times,
            self._contact,
            held=self._held.values,
            clock=clock,
            progress_s=rhythm.progress_s,
        )
        self.wake.on_cancel(self._cancel_hinted)
        self.wake.on_log(self._log_hinted)
        budget.on_ease(self.wake.poke)

    @property
    def beats(self) -> bool:
        """Whether its heart goes on."""
        return self._heart.turns

    def stop(self) -> None:
        """Drain: claim nothing more, let work end for the grace time, give the rest back. Again: at once."""
        if self._stop.is_set():
            self._force.set()
        self._stop.set()
        self.wake.poke()

    @property
    def idle_s(self) -> float:
        """For how long it has held nothing."""
        return 0.0 if self._held else self._clock() - self._idle_since

    def retire(self) -> None:
        """Claim nothing more, and work on."""
        self._retired = True

    async def run(self) -> None:
        """Work until stopped."""
        await self._introduce()
        lease.of().set(self._rhythm.times.lease_s)
        zeros.tell(self._info.slots, self._handlers)
        with crew.told(self._numbers()):
            await self._work_until_stopped()
        await self._say_bye()

    async def _work_until_stopped(self) -> None:
        log.info("worker.started", worker=str(self._info.id), slots=self._info.slots)
        async with together() as group:
            services = [
                group.create_task(self._heart.run(), name="heart"),
                group.create_task(self._ear.listen(self.wake.heard), name="ear"),
                group.create_task(self._rescuer().run(), name="rescue"),
                group.create_task(self._gauge().run(), name="gauge"),
                group.create_task(DueSweep(self._store).run(), name="due"),
                group.create_task(SecretSweep(self._store, uniform=self._uniform).run(), name="secrets"),
                group.create_task(ObjectSweep(self._store, uniform=self._uniform).run(), name="objects"),
            ]
            claimers = [
                group.create_task(self._claim_for_ever(queue, slots, group), name=f"claim {queue}")
                for queue, slots in self._info.slots.items()
            ]
            await self._stop.wait()
            await self._drain(claimers)
            for service in services:
                service.cancel()

    def _numbers(self) -> crew.Numbers:
        return crew.Numbers(
            slots=self._info.slots,
            pauses={
                "drain": self._stop.is_set,
                "sick": lambda: self._clock() < self._sick_until,
                "age": lambda: self._retired,
                "disk": partial(self._budget.lacks, "scratch"),
                "memory": partial(self._budget.lacks, "memory"),
                "database": lambda: self._unanswered,
            },
            hears=lambda: self._ear.healthy,
        )

    async def _introduce(self) -> None:
        """Say hello, however long the database is away: beats only say that we are still there."""
        while not self._stop.is_set():
            try:
                await self._store.hello(self._info)
            except errors.StoreUnavailable as error:
                log.warning("worker.unheard", reason=str(error))
                await asyncio.sleep(self._rhythm.poll_s)
            else:
                return

    def _rescuer(self) -> Rescuer:
        return Rescuer(self._store, self._rhythm.times, self._contact, clock=self._clock, uniform=self._uniform)

    def _gauge(self) -> Gauge:
        return Gauge(self._store, self._info, self._budget, uniform=self._uniform)

    # claiming

    async def _claim_for_ever(self, queue: str, slots: int, group: asyncio.TaskGroup) -> None:
        while not self._stop.is_set():
            free = self._free(queue, slots)
            claims = await self._claim(queue, free) if free > 0 and self._may_claim else []
            for held in claims:
                self._held[held.claim.task_id, held.claim.epoch] = held
                keeper = group.create_task(self._keep(held), name=f"task {held.claim.task_id}")
                self._keepers.add(keeper)
                keeper.add_done_callback(self._keepers.discard)
            if self._stop.is_set():
                return
            if free <= 0 or len(claims) < free:
                await asyncio.sleep(COOLDOWN_S if claims else 0)
                await self.wake.look(queue, idle=not self._held)

    def _free(self, queue: str, slots: int) -> int:
        """The slots for more work. Where some waits for room on this machine, more would too; messages need none."""
        if queue != IO and self._budget.is_crowded:
            return 0
        return slots - sum(held.claim.queue == queue for held in self._held.values())

    async def _claim(self, queue: str, free: int) -> list[Held]:
        sent_at = self._clock()
        try:
            with verb("claim") as asked:
                claims = await self._claimer.claim(
                    queue, self._info.id, free=free, ahead=self._pace[queue].ahead, lease=self._rhythm.times.lease
                )
                asked.result = "ok" if claims else "empty"
        except errors.StoreUnavailable as error:
            self._contact.broken(self._clock())
            self._unanswered = True
            log.warning("claim.unavailable", queue=queue, reason=str(error))
            return []
        self._contact.kept(self._clock())
        self._unanswered = False
        for claim in claims:
            waited.of(claim.queue, claim.kind).observe(max(0.0, claim.waited_seconds))
        return [self._taken(claim, sent_at) for claim in claims]

    def _taken(self, claim: Claim, sent_at: float) -> Held:
        held = Held(claim, sent_at=sent_at, clock=self._clock)
        if self._logs_wanted:
            held.want_log(always=True)
        return held

    @property
    def _may_claim(self) -> bool:
        return not self._retired and self._clock() >= self._sick_until

    def _cancel_hinted(self, job_id: int) -> None:
        if any(held.claim.job_id == job_id for held in self._held.values()):
            self._heart.nudge()

    def _log_hinted(self, job_id: int | None) -> None:
        """Somebody reads the log of a job; None: whoever does so could not tell of which."""
        self._logs_wanted = self._logs_wanted or job_id is None
        asked = [held for held in self._held.values() if job_id in (None, held.claim.job_id)]
        say_something = [held.want_log(always=job_id is None) for held in asked]
        if any(say_something):
            self._heart.nudge()

    # one task

    async def _keep(self, held: Held) -> None:
        claim = held.claim
        ids = {"job": claim.job_id, "task": claim.task_id, "epoch": claim.epoch, "attempt": claim.attempt}
        with bound(tenant=claim.tenant_id, **ids), self._traced(held), busy.of(claim.queue).track_inprogress():
            goes_on = False
            try:
                goes_on = await self._lead(held)
            except errors.LeaseLost:
                log.warning("task.lost")
            except Exception:  # its lease will run out; a defect in one task must not end the others
                log.exception("task.unsettled")
            finally:
                held.leash.kill()
                del self._held[claim.task_id, claim.epoch]
                self._idle_since = self._clock()
                self._pace[claim.queue].ended()
                self._claimer.ended(goes_on=goes_on)
                self.wake.poke(claim.queue)

    def _traced(self, held: Held) -> AbstractContextManager[None]:
        """A trace of its own, which names the one of the call that made the job."""
        claim = held.claim
        if claim.queue == IO:  # what is told has a trace that the telling begins
            return nullcontext()
        return tracing.attempt(
            f"task {claim.kind}",
            tracing.Kind.CONSUMER,
            {
                "messaging.system": "encoder",
                "messaging.operation.type": "process",
                "messaging.destination.name": claim.queue,
                "encoder.job": claim.job_id,
                "encoder.tenant": claim.tenant_id,
                "encoder.task": claim.task_id,
                "encoder.epoch": claim.epoch,
                "encoder.attempt": claim.attempt,
            },
            after=claim.args.get("traceparent"),
        )

    async def _lead(self, held: Held) -> bool:
        """Do the work, then close the claim with what came of it; whether other tasks of the job follow on it."""
        try:
            settlement = await self._work(held)
        except CutOff:
            settlement = self._closing(held)
        except errors.LeaseLost:
            if held.ending is not Ending.SELF_STOP:  # we cut our own leash; the lease may still be there
                raise
            settlement = self._closing(held)
        if settlement is None or held.ending is Ending.LOST:
            return False
        settled = await self._settle(held, settlement)
        return settled.task_state in TASK_ENDED and settled.job_state is None

    async def _work(self, held: Held) -> Settlement | None:
        handler = self._handlers.get(held.claim.kind)
        if handler is None:  # a newer release's work: leave it to newer workers
            log.error("task.kind_unknown", kind=held.claim.kind)
            return settle.left_to_others(after_s=SICK_S)
        try:
            return await held.lead(handler.work(held))
        except (CutOff, errors.LeaseLost):
            raise
        except Exception:  # a defect in one task must not end the others
            log.exception("task.defect")
            defect = errors.Crash("internal_error", "Something went wrong inside the platform.")
            return settle.after_failure(held.claim, defect, encoded=True, uniform=self._uniform)

    def _closing(self, held: Held) -> Settlement | None:
        """How a claim whose work was cut off is closed; None when it is somebody else's."""
        match held.ending:
            case Ending.CANCEL:
                return settle.cancelled()
            case Ending.DRAIN | Ending.SELF_STOP:
                return held.proposed or settle.released(held.claim, uniform=self._uniform)
            case _:
                return None

    async def _settle(self, held: Held, settlement: Settlement) -> Settled:
        if settlement.outcome is Outcome.RELEASED and settlement.problem is not None:  # this machine lacks something
            self._sick_until = self._clock() + SICK_S
        settlement = replace(settlement, trail=held.trail(self._info.host))
        with held.account.stage("settle"):
            settled = await Ledger(self._store, held, uniform=self._uniform).settle(settlement)
        tally.count(held.claim, settlement, settled)
        problem = settlement.problem
        if problem is not None:
            tracing.failed(problem.code)
        log.info(
            "task.settled",
            kind=held.claim.kind,
            outcome=settlement.outcome,
            state=settled.task_state,
            job_state=settled.job_state,
            **({"code": problem.code, "class": problem.kind} if problem else {}),
            waited_ms=round(held.claim.waited_seconds * 1000),
            **held.account.told(),
        )
        return settled

    # stopping

    async def _drain(self, claimers: Sequence[asyncio.Task[None]]) -> None:
        """Let end what ends within the grace; the rest is given back, and at once what is sure not to end by then."""
        telling = asyncio.create_task(self._quietly(self._store.draining(self._info.id)), name="draining")
        grace_s = self._rhythm.drain_s
        log.info("worker.draining", tasks=len(self._held), grace_s=grace_s, sooner="another signal ends them at once")
        await self._let_end(self._clock() + grace_s)
        await asyncio.wait(claimers)  # what they were given meanwhile goes back, too
        for ending, wait_s in ((Ending.DRAIN, 0 if self._force.is_set() else PUBLISH_S), (Ending.SELF_STOP, RETURN_S)):
            for held in list(self._held.values()):
                held.end(ending)
            if self._keepers:
                await asyncio.wait(self._keepers, timeout=wait_s)
        for keeper in self._keepers:  # the database does not take it back: the leases will run out
            keeper.cancel()
        telling.cancel()

    async def _let_end(self, until: float) -> None:
        """Wait for all work to end, but not for what outlasts the grace by far; a second `stop` ends the wait.

        Nor for chunks: another worker has made one anew before a grace is over, and the rest of its job waits for it.
        """
        while self._keepers and not self._force.is_set() and (left_s := until - self._clock()) > 0:
            for held in list(self._held.values()):
                if held.claim.kind == CHUNK or held.eta_s > DOUBT * left_s:
                    held.end(Ending.DRAIN)
            forced = asyncio.ensure_future(self._force.wait())
            ended = asyncio.ensure_future(asyncio.wait(set(self._keepers)))
            await asyncio.wait({forced, ended}, timeout=min(left_s, JUDGE_S), return_when=asyncio.FIRST_COMPLETED)
            forced.cancel()
            ended.cancel()

    async def _say_bye(self) -> None:
        await self._quietly(self._store.bye(self._info.id))
        log.info("worker.stopped", worker=str(self._info.id))

    async def _quietly(self, word: Awaitable[None]) -> None:
        """What is said for people only must not hold up the end."""
        try:
            await word
        except errors.StoreUnavailable as error:
            log.warning("worker.unheard", reason=str(error))
