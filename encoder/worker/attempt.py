"""An attempt at a task of a job: opened with the job's secrets and a folder, closed with what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from encoder import errors
from encoder.log import bind
from encoder.model.ids import OutputId
from encoder.model.secrets import reveal
from encoder.model.state import OUTPUT_ENDED
from encoder.queue import settle
from encoder.queue.backoff import Uniform
from encoder.store.protocol import Store
from encoder.store.rows import Claim, JobRow, Lack, Live, Settlement
from encoder.vault import Vault
from encoder.worker.budget import Budget, Share
from encoder.worker.context import Run
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.samples import sampled

Work = Callable[[Run, Ledger], Awaitable[Settlement]]


class Attempts:
    """Opens runs on this machine, for every kind of task that works on a job."""

    def __init__(self, store: Store, vault: Vault, budget: Budget, *, uniform: Uniform) -> None:
        self._store = store
        self._vault = vault
        self._budget = budget
        self._uniform = uniform

    async def at(self, held: Held, work: Work) -> Settlement:
        """Do the work of a task; how it is to be closed.

        Raises:
            errors.LeaseLost: somebody else has it now.
        """
        ledger = Ledger(self._store, held, uniform=self._uniform)
        encoded: list[OutputId] = []
        try:
            job = await ledger.load()
            bind(job_uuid=str(job.uuid), run=job.run)
            waits = partial(_waits, held)
            async with self._budget.share(token_of(held.claim), waits) as share, sampled(ledger):
                return await work(self._open(held, ledger, job, share, encoded), ledger)
        except errors.Failure as failure:
            return settle.after_failure(held.claim, failure, encoded=bool(encoded), uniform=self._uniform)

    def _open(self, held: Held, ledger: Ledger, job: JobRow, share: Share, encoded: list[OutputId]) -> Run:
        secrets = self._vault.open(job.sealed, tenant_id=job.tenant_id, job_uuid=job.uuid) if job.sealed else {}
        return Run(
            held=held,
            ledger=ledger,
            job=job,
            spec=reveal(job.spec, secrets),
            folder=share.folder,
            share=share,
            outputs=tuple(row for row in job.outputs if row.state not in OUTPUT_ENDED),
            token=token_of(held.claim),
            encoded=encoded,
        )


def _waits(held: Held, lack: Lack) -> None:
    """Show what a task waits for on its worker, at the outputs that it is about."""
    held.at("waiting")
    for output, live in list(held.live.items()):
        held.tell(output, Live(stage="waiting", progress=live.progress, lack=lack))


def token_of(claim: Claim) -> str:
    """The name of an attempt: of its folder, and of what it leaves half-written elsewhere."""
    return f"{claim.task_id}-{claim.epoch}"
