"""What a run without a database writes down: kept in memory, and a line of the log each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from encoder.log import get_logger
from encoder.model.media import Media
from encoder.model.result import Delivered, Problem
from encoder.model.state import OutputState
from encoder.store.rows import OutputChange

log = get_logger(__name__)


class Notebook:
    """Of a run with one output. `fence`: asks whether to publish it."""

    def __init__(self, fence: Callable[[], Awaitable[None]]) -> None:
        self._fence = fence
        self.delivered: Delivered | None = None  # once it stands
        self.problem: Problem | None = None
        self.uploading = False

    async def mark(self, *changes: OutputChange, media: Media | None = None) -> None:
        if media is not None:
            log.info("source.probed", format=media.format, duration_seconds=media.duration_seconds)
        for change in changes:
            self._take(change)

    async def fence(self) -> None:
        await self._fence()

    def _take(self, change: OutputChange) -> None:
        if change.state is not None:
            log.info("output.state", state=change.state, command=change.command, warnings=change.warnings)
            if change.state is not OutputState.FAILED:  # which leaves standing where it failed
                self.uploading = change.state is OutputState.UPLOADING
        if change.state is OutputState.FAILED and change.problem is not None:
            self.problem = change.problem
        if change.state is OutputState.UPLOADED:
            self.delivered = change.delivered
        if change.log is not None:
            log.debug("ffmpeg.log", text=change.log)
