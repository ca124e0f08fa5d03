"""Where a run reads from and writes to."""

from __future__ import annotations

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

    def destination(self, run: Run, plan: OutputPlan) -> Destination:
        """The final name of one output: the same on every attempt, as far as its plan is.

        Raises:
            errors.Permanent: the place is not, or no longer, in order.
        """
        spec = run.spec.outputs[plan.output]
        key = f"jobs/{run.job.uuid}/{plan.output}.{plan.extension}"
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
