"""Stage 5: the proof. A new process re-opens what lies on disk; what fails a check is not delivered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from encoder.ffmpeg import command, proof
from encoder.ffmpeg.formats import input_options
from encoder.ffmpeg.launcher import Exit, Launcher, Limits
from encoder.ffmpeg.probe import reopen
from encoder.model.media import Media
from encoder.model.state import OutputState
from encoder.store.rows import Live, OutputChange
from encoder.worker import progress
from encoder.worker.context import Made, Proven, Run, write_off
from encoder.worker.package import Package
from encoder.worker.together import together

DECODE_LIMITS = Limits(wall_seconds=6 * 3600.0, cpu_seconds=None, file_bytes=1024)


class Verify:
    """Checks results against their plan. `by_descriptor`: this ffmpeg has the `fd` protocol."""

    def __init__(self, ffmpeg: Launcher, *, by_descriptor: bool, clock: Callable[[], float]) -> None:
        self._ffmpeg = ffmpeg
        self._by_descriptor = by_descriptor
        self._clock = clock

    async def __call__(self, run: Run, media: Media, made: Made) -> Proven | None:
        """The proven output; None when it failed its proof, which is then written down with the failure."""
        begun = self._clock()
        await run.ledger.mark(OutputChange(id=made.output, state=OutputState.VERIFYING, log=made.log))
        run.held.tell(made.output, Live(stage="verifying", progress=progress.overall("verifying", 0.0)))
        async with together() as group:
            reopening = group.create_task(
                reopen(self._ffmpeg, made.path, muxer=made.plan.muxer, folder=run.folder, leash=run.held.leash)
            )
            decoding = group.create_task(self._decoded(run, made))
            digesting = group.create_task(asyncio.to_thread(digest, made.path))  # it has a descriptor of its own
        opened = reopening.result()
        report = proof.judge(
            made.plan, media=media, path=made.path, log=made.log, opened=opened, decoded=decoding.result()
        )
        failure = proof.verdict(report)
        if failure is not None:
            await write_off(run, made.output, failure, proof=report)
            return None
        return Proven(
            made=made,
            proof=report,
            package=Package.of_file(
                made.path,
                size_bytes=opened.media.size_bytes,
                sha256=digesting.result(),
                content_type=made.plan.content_type,
            ),
            seconds=self._clock() - begun,
            opened=opened,
        )

    async def _decoded(self, run: Run, made: Made) -> Exit:
        args = command.decode_check(source_args=input_options(None if self._by_descriptor else made.path))
        return await self._ffmpeg.run(
            args, folder=run.folder, leash=run.held.leash, limits=DECODE_LIMITS, source=made.path
        )


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
