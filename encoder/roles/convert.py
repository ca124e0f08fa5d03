"""One job in a process of its own, to its end: of a bucket, or of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from aiobotocore.session import AioSession

from encoder import errors, signals
from encoder.batch.conversion import Outcome
from encoder.batch.ending import Ending
from encoder.batch.order import Order, Table
from encoder.batch.status import StatusAway, StatusBusy, opened
from encoder.log import get_logger
from encoder.model.ids import TenantId
from encoder.model.state import JOB_ENDED
from encoder.roles import reach, start
from encoder.settings import Settings
from encoder.store.engines import open_store
from encoder.store.rows import JobRow
from encoder.wiring.batch import new_conversion
from encoder.wiring.machine import Machine
from encoder.wiring.worker import new_worker
from encoder.worker.claimer import OneJob
from encoder.worker.deaths import take_over
from encoder.worker.loop import Worker
from encoder.worker.together import together

log = get_logger(__name__)

STOP_WITHIN_S = 9.0  # of a signal, whatever else is to be said: whoever runs containers kills them soon after
TELL_WITHIN_S = 15.0


async def run_batch(settings: Settings, order: Order, *, bail: Callable[[], None]) -> Outcome:
    """One job by the environment of a batch, to its end or until a signal; no database of ours is asked.

    `bail` is called when that takes longer after a signal than there is time: it must end the process.

    Raises:
        errors.Unfit: the settings cannot work, or no client of DynamoDB can be made of the environment.
    """
    settings = settings.model_copy(update={"worker_slots": 1})
    start.begin(settings, role="convert")
    machine = Machine(settings)
    scratch = machine.scratch()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(start.traced(settings, role="convert"))
        session = machine.surroundings.s3.session
        status = await stack.enter_async_context(opened(session, order.table))
        await scratch.open()
        stack.push_async_callback(scratch.close)
        conversion = new_conversion(machine, order, status, scratch)

        def told(_number: int) -> None:
            conversion.stop()
            asyncio.get_running_loop().call_later(STOP_WITHIN_S, bail)

        signals.at(told, *signals.ENDING)
        return await conversion.run()


async def tell_unusable(table: Table, ending: Ending) -> None:
    """An order that cannot be carried out is told where its status is kept, if that can be reached."""
    try:
        async with asyncio.timeout(TELL_WITHIN_S), opened(AioSession(), table) as status:
            await status.fail(ending)
    except (StatusAway, StatusBusy, TimeoutError, errors.Unfit) as error:
        log.warning("status.not_told", reason=str(error) or "timeout")


async def run_job(settings: Settings, ref: str, tenant_id: TenantId) -> JobRow | None:
    """One job of the database, by a worker of its own that ends with it: what the job is then; None: there is none.

    Raises:
        errors.StoreUnavailable: the database is away; whoever started us does so again.
    """
    start.begin(settings, role="convert")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(start.traced(settings, role="convert"))
        listen = settings.listen_url.get_secret_value() if settings.listen_url else None
        store = await open_store(reach.address(settings), listen_dsn=listen, auto_migrate=settings.auto_migrate)
        stack.push_async_callback(store.close)
        job = await store.job(tenant_id, ref)
        if job is None or job.state in JOB_ENDED:
            return job
        queue = job.task_queue or job.spec.queue
        update = {"worker_slots": 1, "worker_queues": (queue,), "drain_seconds": 0.0}
        machine = Machine(settings.model_copy(update=update))
        machine.require(worker=True)
        scratch = machine.scratch()
        await scratch.open()
        stack.push_async_callback(scratch.close)
        await take_over(store, scratch)
        claimer = OneJob(store, job.id)
        worker = await new_worker(machine, store, scratch, machine.budget(scratch), claimer)
        signals.leaving([worker.stop])
        async with together() as group:
            watching = group.create_task(_watch(worker, claimer, job, patience_s=3 * settings.lease_seconds))
            await worker.run()
            watching.cancel()
        return await store.job(tenant_id, ref)


async def _watch(worker: Worker, claimer: OneJob, job: JobRow, *, patience_s: float) -> None:
    """End a worker that did its job, or waits in vain: others ended it, or hold it longer than a dead one's lease."""
    while worker.idle_s < patience_s:
        with suppress(TimeoutError):
            async with asyncio.timeout(reach.RECONNECT_S):
                await claimer.over.wait()
            break
        try:
            now = await claimer.store.job(job.tenant_id, str(job.id))
        except errors.StoreUnavailable:
            continue
        if now is None or now.state in JOB_ENDED:
            break
    worker.stop()
