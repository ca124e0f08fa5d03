"""Work of kind `transcode`: opens a run of the job and leads it through the pipeline, or hands it out in chunks."""

from __future__ import annotations

from functools import partial

from encoder.queue import settle
from encoder.store.rows import Settlement
from encoder.worker.attempt import Attempts
from encoder.worker.context import Run
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.pipeline import Pipeline
from encoder.worker.splitting import Splitting


class Transcode:
    """The handler of `transcode` tasks."""

    def __init__(self, attempts: Attempts, pipeline: Pipeline, splitting: Splitting) -> None:
        self._attempts = attempts
        self._pipeline = pipeline
        self._splitting = splitting

    async def work(self, held: Held) -> Settlement:
        """Do the task; how it is to be closed. Raises `errors.LeaseLost`."""
        return await self._attempts.at(held, self._transcode)

    async def _transcode(self, run: Run, ledger: Ledger) -> Settlement:
        await ledger.mark()
        prepared = await self._pipeline.prepare(run, partial(self._splitting.hands_out, run, ledger))
        if prepared is None:
            return settle.done()
        prepared, in_parts = await self._splitting(run, ledger, prepared)
        if in_parts is not None:
            return in_parts
        await self._pipeline.make(run, prepared)
        return settle.done()
