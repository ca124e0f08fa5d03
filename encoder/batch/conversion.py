"""One job, from its first status to its last, by the stages of a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from encoder import errors, tracing
from encoder.batch.ending import DEFECT, INTERRUPTED, OVERTAKEN, Ending, Exit, of_failure, of_problem, unusable
from encoder.batch.notebook import Notebook
from encoder.batch.order import Order
from encoder.batch.shelf import Shelf
from encoder.batch.status import Result, Status, StatusAway, StatusBusy
from encoder.ffmpeg.presets import BUILT_IN, merge
from encoder.log import bound, get_logger
from encoder.model.ids import DEFAULT_TENANT, JobId, OutputId, TaskId
from encoder.model.job import JobSpec, Place
from encoder.model.queue import ENCODE
from encoder.model.state import JobState, OutputState
from encoder.store.rows import Claim, JobRow, Lack, OutputRow
from encoder.worker.budget import Budget
from encoder.worker.context import Run
from encoder.worker.held import CutOff, Held
from encoder.worker.held import Ending as Cut
from encoder.worker.pipeline import Pipeline

log = get_logger(__name__)

PUBLISH_S = 4.0  # what a publish in flight gets to end, once we are told to stop
TELL_S = 2.0  # and then the status


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended. `result`: what stands, where something does; `ending` None: all is well."""

    ending: Ending | None = None
    result: Result | None = None

    @property
    def exit(self) -> Exit:
        return Exit.DONE if self.ending is None else self.ending.exit


@dataclass(kw_only=True)
class Conversion:
    """`pipeline`: made when it is needed. `budget`: on a scratch folder that is open."""

    order: Order
    shelf: Shelf
    status: Status
    budget: Budget
    pipeline: Callable[[], Awaitable[Pipeline]]
    host: str
    clock: Callable[[], float]
    _held: Held = field(init=False)
    _book: Notebook = field(init=False)
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()
        self._held = Held(_claim(self.order), sent_at=self._begun, clock=self.clock)
        self._book = Notebook(self._fence)

    def stop(self) -> None:
        """End soon: what is being published may end, all else stops at once."""
        log.warning("convert.stopping", stage=self._held.stage)
        self._held.end(Cut.DRAIN)
        asyncio.get_running_loop().call_later(PUBLISH_S, self._held.end, Cut.SELF_STOP)

    async def run(self) -> Outcome:
        """Do the job, and tell its status; never raises what went wrong with it."""
        with bound(job=self.order.job_id), tracing.span("convert", facts={"encoder.job": self.order.job_id}):
            outcome = await self._ended()
            if outcome.ending is not None:
                tracing.failed(outcome.ending.code)
            return outcome

    async def _ended(self) -> Outcome:
        try:
            return await self._told()
        except StatusBusy as error:
            return _untold(Exit.GIVEN_BACK, error, self._result())
        except StatusAway as error:
            return _untold(Exit.STATUS_AWAY, error, self._result())
        finally:
            self._held.leash.kill()

    async def _told(self) -> Outcome:
        try:
            return await self._held.lead(self._work())
        except CutOff:
            return await self._cut_off()
        except errors.LeaseLost:
            return await self._overtaken()
        except errors.Failure as failure:
            return await self._failed(of_failure(failure, uploading=self._book.uploading))
        except errors.Unfit as error:
            return await self._failed(unusable(str(error)))
        except (StatusAway, StatusBusy):
            raise
        except Exception:  # whatever it is: the status must not stay PROCESSING
            log.exception("convert.defect")
            return await self._failed(DEFECT)

    async def _work(self) -> Outcome:
        told = await self.status.begin(codec=self.order.codec, host=self.host)
        if told is not None and await self._stands(told):
            log.info("convert.done_before", sha256=told.sha256)
            return Outcome(result=told)
        await self.shelf.find_source()
        made = await self.shelf.made_before()
        if made is None:
            failed = await self._encode()
            if failed is not None:
                return await self._failed(failed)
            made = self._result()
            if made is None:
                raise errors.Defect("a run came to its end and delivered nothing")
        else:
            log.info("convert.found_published", sha256=made.sha256)
        return await self._completed(made)

    async def _encode(self) -> Ending | None:
        """The stages of a worker; how they failed, if they did."""
        pipeline = await self.pipeline()
        token = _token(self.order)
        async with self.budget.share(token, self._waits) as share:
            spec = merge(BUILT_IN[self.order.codec].members, {})
            job = _job(self.order, spec=JobSpec(source=_source(self.order), outputs=(spec,)))
            run = Run(
                held=self._held,
                ledger=self._book,
                job=job,
                spec=job.spec,
                folder=share.folder,
                share=share,
                outputs=job.outputs,
                token=token,
            )
            await pipeline(run)
        problem = self._book.problem
        return None if problem is None else of_problem(problem, uploading=self._book.uploading)

    async def _completed(self, result: Result) -> Outcome:
        """Tell it. Where a copy of us told another result first, what is told becomes what stands."""
        with suppress(errors.Failure):  # the operator's lifecycle rules remove them too
            await self.shelf.clear_up(_token(self.order))
        told = await self.status.complete(result, codec=self.order.codec)
        if told is not None and told.sha256 != result.sha256:
            standing = await self.shelf.standing()
            if standing is not None and standing.sha256 == result.sha256:
                await self.status.replace(told, result, codec=self.order.codec)
            else:
                result = told
        return Outcome(result=result)

    async def _failed(self, ending: Ending) -> Outcome:
        if ending.exit is Exit.GIVEN_BACK:
            await self.status.interrupt()
        else:
            await self.status.fail(ending)
        return Outcome(ending=ending)

    async def _cut_off(self) -> Outcome:
        made = self._result()
        try:
            async with asyncio.timeout(TELL_S):
                if made is not None:  # it was published in the time that we had
                    return await self._completed(made)
                await self.status.interrupt()
        except (StatusAway, StatusBusy, TimeoutError, errors.Failure) as error:
            log.warning("status.not_told", reason=str(error) or "timeout")
        return Outcome(ending=INTERRUPTED, result=made)

    async def _overtaken(self) -> Outcome:
        """A copy of us was faster. What it made counts, if it stands."""
        told = await self.status.completed_by_another()
        if told is not None and await self._stands(told):
            log.info("convert.done_by_another", sha256=told.sha256)
            return Outcome(result=told)
        return Outcome(ending=OVERTAKEN)

    async def _stands(self, told: Result) -> bool:
        """Whether what was told is what stands, whole, and what is asked for."""
        if told.key != self.order.output_key:
            return False
        try:
            standing = await self.shelf.standing()
        except errors.Failure as failure:
            log.warning("output.not_found", code=failure.code)
            return False
        return standing is not None and (standing.sha256, standing.size_bytes) == (told.sha256, told.size_bytes)

    async def _fence(self) -> None:
        """Publish nothing where a copy of us has. Who cannot be asked does not keep a proven result from its place."""
        try:
            told = await self.status.completed_by_another()
        except (StatusAway, StatusBusy) as error:
            log.warning("status.not_asked", reason=str(error))
            return
        if told is not None and await self._stands(told):
            raise errors.LeaseLost(f"job {self.order.job_id} is done")

    def _result(self) -> Result | None:
        made = self._book.delivered
        if made is None:
            return None
        return Result(
            key=self.order.output_key,
            size_bytes=made.size_bytes,
            sha256=made.sha256,
            seconds=round(self.clock() - self._begun, 3),
        )

    def _waits(self, lack: Lack) -> None:
        log.warning("convert.waits", what=lack.what, needed_bytes=lack.needed_bytes, free_bytes=lack.free_bytes)


def _untold(found: Exit, error: errors.EncoderError, result: Result | None) -> Outcome:
    return Outcome(ending=Ending(exit=found, code="status_unavailable", message=str(error)), result=result)


def _token(order: Order) -> str:
    return f"batch-{order.job_id}"


def _source(order: Order) -> Place:
    """The bucket stands in for the platform's storage, whose files go by ids."""
    return {"kind": "upload", "fileId": str(uuid5(NAMESPACE_URL, order.source_key))}


def _job(order: Order, *, spec: JobSpec) -> JobRow:
    return JobRow(
        id=JobId(0),
        uuid=uuid5(NAMESPACE_URL, order.job_id),
        tenant_id=DEFAULT_TENANT,
        state=JobState.PROCESSING,
        run=1,
        spec=spec,
        label="input.mp4",
        sealed=None,
        cancel_requested=False,
        media=None,
        problem=None,
        created_at=datetime.now(UTC),
        started_at=None,
        finished_at=None,
        outputs=(OutputRow(id=OutputId(0), spec=spec.outputs[0], state=OutputState.QUEUED),),
    )


def _claim(order: Order) -> Claim:
    return Claim(
        task_id=TaskId(0),
        epoch=1,
        job_id=JobId(0),
        tenant_id=DEFAULT_TENANT,
        kind="transcode",
        queue=ENCODE,
        name=order.job_id,
        attempt=1,
        lost=0,
        released=0,
        max_attempts=1,
        args={},
        waited_seconds=0.0,
    )
