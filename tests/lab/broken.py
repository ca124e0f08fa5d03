"""Real results between encode and verify, so that a test can break one and see what the worker's own stage says."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import uniform
from typing import cast
from uuid import uuid4

from encoder import errors
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.plan import decide
from encoder.ffmpeg.probe import inspect
from encoder.model.ids import DEFAULT_TENANT, JobId, TaskId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.media import Media
from encoder.model.result import Problem
from encoder.model.state import JobState, OutputState
from encoder.store.protocol import Store
from encoder.store.rows import Claim, JobRow, OutputChange
from encoder.worker.captions import Captions
from encoder.worker.context import Fetched, Made, Proven, Run, write_off
from encoder.worker.encode import Encode
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.verify import Verify
from tests.lab import shares
from tests.lab.facts import ABLE
from tests.lab.media import ffmpeg_binary


class Notes(Ledger):
    """A ledger without a database: it keeps what is written."""

    def __init__(self, held: Held) -> None:
        super().__init__(cast("Store", None), held, uniform=uniform)
        self.changes: list[OutputChange] = []

    async def mark(self, *changes: OutputChange, media: Media | None = None) -> None:
        self.changes += changes


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of a result. `proven`: it would have been delivered; `failed`: what the job is told instead."""

    proven: Proven | None
    failed: OutputChange | None

    @property
    def problem(self) -> Problem:
        assert self.proven is None
        assert self.failed is not None
        assert self.failed.problem is not None
        return self.failed.problem

    @property
    def checks(self) -> set[str]:
        """The names of those that failed."""
        assert self.failed is not None
        return {check.name for check in self.failed.proof.failed} if self.failed.proof else set()


@dataclass(frozen=True, kw_only=True)
class Result:
    """An output that the worker's own encode made, not yet verified."""

    made: Made
    source: Path
    media: Media
    launcher: Launcher

    async def judged(
        self, folder: Path, damage: Callable[[Path], object] = lambda _path: None, *, log: str | None = None
    ) -> Judged:
        """What verify says of a copy that `damage` was done to. `log`: said to be that of the run."""
        path = folder / self.made.path.name
        subprocess.run(["cp", "-r", self.made.path, *self.made.path.parent.glob("captions-*"), folder], check=True)
        damage(path)
        shutil.copy(self.source, folder / "source")
        run = run_in(folder)
        verify = Verify(self.launcher, by_descriptor=True, clock=time.monotonic)
        proven = None
        try:
            proven = await verify(
                run, self.media, replace(self.made, path=path, log=self.made.log if log is None else log)
            )
        except errors.Failure as failure:  # as the pipeline does
            await write_off(run, self.made.output, failure)
        changes = cast("Notes", run.ledger).changes
        return Judged(proven=proven, failed=next((each for each in changes if each.state is OutputState.FAILED), None))


async def result(source: Path, folder: Path, output: OutputSpec) -> Result:
    """A good one, by the worker's encode."""
    launcher = Launcher(binary=Path(ffmpeg_binary()))
    run = run_in(folder)
    media = await inspect(launcher, source, folder=folder, leash=run.held.leash)
    plan = decide(media, {0: output}, ABLE)
    encode = Encode(launcher, by_descriptor=True, threads=2, clock=time.monotonic)
    fetched = Fetched(path=source, size_bytes=source.stat().st_size, seconds=0.0)
    plan = await Captions(launcher, by_descriptor=True)(run, fetched, plan)
    (made,) = await encode(run, fetched, plan, plan.passes[0])
    return Result(made=made, source=source, media=media, launcher=launcher)


async def encoded(source: Path, folder: Path, outputs: dict[int, OutputSpec], *, launcher: Launcher) -> list[Made]:
    """What the worker's encode makes of the first pass, with a `launcher` of its own."""
    run = run_in(folder)
    real = Launcher(binary=Path(ffmpeg_binary()))
    plan = decide(await inspect(real, source, folder=folder, leash=run.held.leash), outputs, ABLE)
    fetched = Fetched(path=source, size_bytes=source.stat().st_size, seconds=0.0)
    return await Encode(launcher, by_descriptor=True, threads=2, clock=time.monotonic)(
        run, fetched, plan, plan.passes[0]
    )


def run_in(folder: Path) -> Run:
    claim = Claim(
        task_id=TaskId(1), epoch=1, job_id=JobId(1), tenant_id=DEFAULT_TENANT, kind="transcode", queue="encode",
        name="transcode", attempt=1, lost=0, released=0, max_attempts=3, args={}, waited_seconds=0.0,
    )  # fmt: skip
    held = Held(claim, sent_at=0.0)
    spec = JobSpec(source={}, outputs=())
    now = datetime.now(UTC)
    job = JobRow(
        id=JobId(1), uuid=uuid4(), tenant_id=DEFAULT_TENANT, state=JobState.PROCESSING, run=1, spec=spec, label="",
        sealed=None, cancel_requested=False, media=None, problem=None, created_at=now, started_at=now, finished_at=None,
    )  # fmt: skip
    return Run(
        held=held,
        ledger=Notes(held),
        job=job,
        spec=spec,
        folder=folder,
        share=shares.ample(folder),
        outputs=(),
        token="1-1",
    )
