"""Stage 6: the proven file to its final name: intent first, fence last, receipt compared, then written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from encoder import errors
from encoder.destinations.protocol import Destination, Parcel, Receipt
from encoder.ffmpeg.proof import warnings
from encoder.log import get_logger
from encoder.model.ids import OutputId
from encoder.model.result import Delivered, Intent, Timings
from encoder.model.state import OutputState
from encoder.queue.backoff import Uniform, stage_delay_s
from encoder.store.rows import OutputChange, OutputRow
from encoder.worker import progress
from encoder.worker.context import Proven, Run

log = get_logger(__name__)

TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What the stages before cost, for the output's timings."""

    queued: float
    fetch: float


async def find_published(run: Run, row: OutputRow, destination: Destination) -> bool:
    """Whether an earlier attempt had published the very object that it intended; then it is only written down.

    An answer that does not tell the checksum proves nothing: the output is made again.
    """
    if row.intent is None:
        return False
    promised = row.intent.promised
    stands = await destination.look()
    if stands is None or (stands.size_bytes, stands.sha256) != (promised.size_bytes, promised.sha256):
        return False
    log.info("output.found_published", job=run.job.id, output=row.id)
    await run.ledger.mark(OutputChange(id=row.id, state=OutputState.UPLOADED, delivered=promised))
    return True


class Deliver:
    """Publishes proven outputs."""

    def __init__(self, *, clock: Callable[[], float], uniform: Uniform) -> None:
        self._clock = clock
        self._uniform = uniform

    async def __call__(self, run: Run, proven: Proven, destination: Destination, account: Account) -> None:
        """Deliver one output, and write down that it stands.

        Raises:
            errors.Failure: what the destination says, after five tries where trying again may help.
        """
        begun = self._clock()
        output = proven.made.output
        await _clear_up(run, output, destination)
        promised = delivered(proven, uri=destination.uri)
        await run.ledger.mark(
            OutputChange(
                id=output,
                state=OutputState.UPLOADING,
                proof=proven.proof,
                intent=Intent(token=run.token, promised=promised),
                warnings=proven.made.plan.warnings + proven.made.notes + warnings(proven.proof),
            )
        )
        with run.held.publishing():
            receipt = await self._published(run, proven, destination)
            timings = Timings(
                queued=account.queued,
                fetch=account.fetch,
                encode=proven.made.seconds,
                verify=proven.seconds,
                upload=self._clock() - begun,
            )
            uploaded = delivered(proven, uri=receipt.uri)
            await run.ledger.mark(
                OutputChange(id=output, state=OutputState.UPLOADED, delivered=uploaded, timings=timings)
            )
        run.held.tell(output, None)

    async def _published(self, run: Run, proven: Proven, destination: Destination) -> Receipt:
        parcel = Parcel(
            path=proven.made.path,
            size_bytes=proven.size_bytes,
            sha256=proven.sha256,
            content_type=proven.made.plan.content_type,
            token=run.token,
        )
        for trial in range(1, TRIES + 1):
            try:
                receipt = await self._once(run, proven, parcel, destination)
                _compare(parcel, receipt)
            except errors.Transient as failure:
                if trial == TRIES or run.held.ending is not None:  # a drain waits for what is in flight, not for more
                    raise
                await asyncio.sleep(stage_delay_s(trial, retry_after_s=failure.retry_after_s, uniform=self._uniform))
            else:
                return receipt
        raise errors.Defect("unreachable: the last try returns or raises")

    async def _once(self, run: Run, proven: Proven, parcel: Parcel, destination: Destination) -> Receipt:
        begun, sent = self._clock(), 0

        def told(count: int) -> None:
            nonlocal sent
            sent += count
            live = progress.transfer("uploading", sent, parcel.size_bytes, self._clock() - begun)
            run.held.tell(proven.made.output, live)

        return await destination.publish(parcel, sent=told, fence=run.ledger.fence)


async def _clear_up(run: Run, output: OutputId, destination: Destination) -> None:
    """Remove what an attempt that was killed left half-written; our own attempts clear up after themselves."""
    intent = next(row.intent for row in run.outputs if row.id == output)
    if intent is None or intent.token == run.token:
        return
    try:
        await destination.discard(intent.token)
    except errors.Failure as failure:
        log.warning("output.not_cleared", output=output, code=failure.code)


def delivered(proven: Proven, *, uri: str) -> Delivered:
    """The facts of a result, read from the file itself."""
    media = proven.opened.media
    video = media.video[0] if media.video else None
    audio = media.audio[0] if media.audio else None
    shown = {count.index: count.shown for count in proven.opened.counts}
    return Delivered(
        uri=uri,
        size_bytes=proven.size_bytes,
        sha256=proven.sha256,
        files=(uri.rsplit("/", 1)[-1],),
        duration_seconds=media.duration_seconds,
        width=video.display_width_px if video else None,
        height=video.display_height_px if video else None,
        video_codec=video.codec if video else None,
        audio_codec=audio.codec if audio else None,
        bitrate=media.bitrate_bps,
        frames=shown.get(video.index) if video else None,
    )


def _compare(parcel: Parcel, receipt: Receipt) -> None:
    told = receipt.sha256 or parcel.sha256
    if (receipt.size_bytes, told) != (parcel.size_bytes, parcel.sha256):
        raise errors.Transient("integrity_error", "What stands at the destination is not what was sent.")
