"""Where a run reads from and writes to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from encoder.destinations.protocol import Destination
from encoder.destinations.registry import Destinations
from encoder.destinations.template import Values, expand
from encoder.model.plan import OutputPlan
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.worker.context import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Finds the plug-ins of a job's places."""

    sources: Sources
    destinations: Destinations

    def source(self, run: Run) -> Source:
        """The source of the job.

        Raises:
            errors.Permanent: the place is not, or no longer, in order.
        """
        return self.sources.make(run.spec.source)

    @asynccontextmanager
    async def destination(self, run: Run, plan: OutputPlan) -> AsyncIterator[Destination]:
        """The final name of one output: the same on every attempt, as far as its plan is. Closed with the block.

        Raises:
            errors.Permanent: the place is not, or no longer, in order.
        """
        destination = self._destination(run, plan)
        try:
            yield destination
        finally:
            await destination.close()

    def source_label(self, run: Run) -> str:
        """The kind of the source, for metrics."""
        return self.sources.label(run.spec.source)

    def destination_label(self, run: Run, plan: OutputPlan) -> str:
        """The kind of the destination, for metrics."""
        place = run.spec.outputs[plan.output].destination
        return "storage" if place is None else self.destinations.label(place)

    def _destination(self, run: Run, plan: OutputPlan) -> Destination:
        spec = run.spec.outputs[plan.output]
        key = f"jobs/{run.job.uuid}/{plan.output}" + ("/" if plan.is_folder else f".{plan.extension}")
        if spec.destination is None:
            return self.destinations.make(None, key)
        values = Values(
            job_id=run.job.id,
            uuid=str(run.job.uuid),
            source_name=run.job.label,
            width=plan.video.width_px if plan.video else None,
            height=plan.video.height_px if plan.video else None,
            preset=spec.preset,
        )
        return self.destinations.make(expand(spec.destination, values), key)
