"""Stage 6: the proven output to its final name: intent first, then the bytes, then written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from encoder import errors
from encoder.destinations.protocol import Destination
from encoder.ffmpeg.proof import warnings
from encoder.log import get_logger
from encoder.metrics.transfer import Transfers
from encoder.model.result import Delivered, Intent, Timings
from encoder.model.state import OutputState
from encoder.queue.backoff import Uniform
from encoder.store.rows import OutputChange, OutputRow
from encoder.worker.context import Proven, Run
from encoder.worker.progress import Meter
from encoder.worker.publish import Shipment, all_stand, discard

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the stages before cost, for the output's timings."""

    queued: float
    fetch: float
    first_byte_at: float | None = None


async def find_published(run: Run, row: OutputRow, destination: Destination) -> bool:
    """Whether an earlier attempt had published the very object that it intended; then it is only written down."""
    if row.intent is None or not row.intent.pieces:
        return False
    if not await all_stand(row.intent.pieces, destination):
        return False
    log.info("output.found_published", job=run.job.id, output=row.id)
    await run.ledger.mark(OutputChange(id=row.id, state=OutputState.UPLOADED, delivered=row.intent.promised))
    return True


class Deliver:
    """Publishes proven outputs."""

    def __init__(self, transfers: Transfers, *, clock: Callable[[], float], uniform: Uniform) -> None:
        self._transfers = transfers
        self._clock = clock
        self._uniform = uniform

    async def __call__(
        self, run: Run, proven: Proven, destination: Destination, account: Account, *, kind: str
    ) -> None:
        """Deliver one output, and write down that it stands. `kind`: of the destination, as metrics call it.

        Raises:
            errors.Failure: what the destination says, after five tries of a file where trying again may help.
        """
        begun = self._clock()
        output = proven.made.output
        before = next(row.intent for row in run.outputs if row.id == output)
        await _clear_up(run, before, destination)
        promised = delivered(proven, uri=destination.uri)
        await run.ledger.mark(
            OutputChange(
                id=output,
                state=OutputState.UPLOADING,
                proof=proven.proof,
                intent=Intent(token=run.token, promised=promised, pieces=proven.package.pieces),
                warnings=proven.made.plan.warnings + proven.made.notes + warnings(proven.proof),
            )
        )
        with run.held.publishing():
            await self._send(run, proven, destination, before=before, kind=kind)
            timings = Timings(
                queued=account.queued,
                fetch=account.fetch,
                encode=proven.made.seconds,
                verify=proven.seconds,
                upload=self._clock() - begun,
                encode_cpu=proven.made.cpu_seconds,
                first_frame=_between(account.first_byte_at, proven.made.first_frame_at),
            )
            await run.ledger.mark(
                OutputChange(id=output, state=OutputState.UPLOADED, delivered=promised, timings=timings)
            )
        run.held.tell(output, None)

    async def _send(
        self, run: Run, proven: Proven, destination: Destination, *, before: Intent | None, kind: str
    ) -> None:
        package = proven.package
        meter = Meter("uploading", clock=self._clock)
        with self._transfers.transfer("out", kind) as tally:
            shipment = Shipment(
                package=package,
                destination=destination,
                token=run.token,
                promised=frozenset(before.pieces if before else ()),
                fence=run.ledger.fence,
                told=lambda done: run.held.tell(proven.made.output, meter.live(done, package.size_bytes)),
                stopping=lambda: run.held.ending is not None,  # a drain waits for what is in flight, not for more
                tally=tally,
                uniform=self._uniform,
            )
            await shipment.send()


def _between(first: float | None, then: float | None) -> float | None:
    return None if first is None or then is None else max(0.0, then - first)


async def _clear_up(run: Run, before: Intent | None, destination: Destination) -> None:
    """Remove what an attempt that was killed left half-written; our own attempts clear up after themselves."""
    if before is None or before.token == run.token:
        return
    try:
        await discard(before.pieces, destination, before.token)
    except errors.Failure as failure:
        log.warning("output.not_cleared", job=run.job.id, code=failure.code)


def delivered(proven: Proven, *, uri: str) -> Delivered:
    """The facts of a result, read from the files themselves."""
    media = proven.opened.media
    video = media.video[0] if media.video else None
    audio = media.audio[0] if media.audio else None
    shown = {count.index: count.shown for count in proven.opened.counts}
    package = proven.package
    return Delivered(
        uri=uri,
        size_bytes=package.size_bytes,
        sha256=package.sha256,
        files=tuple(piece.name or uri.rsplit("/", 1)[-1] for piece in package.pieces),
        duration_seconds=media.duration_seconds,
        width=video.display_width_px if video else None,
        height=video.display_height_px if video else None,
        video_codec=video.codec if video else None,
        audio_codec=audio.codec if audio else None,
        bitrate=media.bitrate_bps,
        frames=shown.get(video.index) if video else None,
    )
