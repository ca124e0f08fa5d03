"""Hints to other processes: never too often, and after the commit, or, once a pause is over, with it (ADR 0010)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from encoder import errors
from encoder.log import get_logger

log = get_logger(__name__)

PAUSE_S = 0.05  # between two sendings: a NOTIFY takes a lock of the whole database


class Hints:
    """Sends at once, then gathers for 50 ms what comes meanwhile; each payload stands once in a sending.

    `deliver`: sends them, as the database can; it may raise `errors.StoreUnavailable`.
    """

    def __init__(self, deliver: Callable[[Sequence[str]], Awaitable[None]]) -> None:
        self._deliver = deliver
        self._waiting: dict[str, None] = {}
        self._sender: asyncio.Task[None] | None = None
        self._closed = False

    def send(self, *payloads: str) -> None:
        """Never waits, never raises: a hint that is lost costs one poll."""
        if self._closed:
            return
        self._waiting.update(dict.fromkeys(payloads))
        if self._waiting and not self._pausing:
            self._sender = asyncio.create_task(self._run(), name="hints")

    def rides(self) -> bool:
        """Whether one hint may travel inside the statement that makes it true; the pause begins with it."""
        if self._closed or self._pausing:
            return False
        self._sender = asyncio.create_task(self._pause(), name="hints")
        return True

    @property
    def _pausing(self) -> bool:
        return self._sender is not None and not self._sender.done()

    async def _pause(self) -> None:
        await asyncio.sleep(PAUSE_S)
        await self._run()

    async def close(self) -> None:
        """Send what waits, and nothing more."""
        self._closed = True
        if self._sender is not None:
            await asyncio.gather(self._sender, return_exceptions=True)

    async def _run(self) -> None:
        while self._waiting:
            payloads, self._waiting = list(self._waiting), {}
            try:
                await self._deliver(payloads)
            except errors.StoreUnavailable as error:
                log.warning("hints.lost", payloads=payloads, reason=str(error))
            await asyncio.sleep(PAUSE_S)
