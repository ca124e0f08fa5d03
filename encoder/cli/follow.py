"""Following jobs: by the API's live streams, and by asking again where none comes through."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from encoder.cli import sse, views
from encoder.cli.board import Board
from encoder.cli.client import Client
from encoder.cli.refused import BUSY, Foreign, Object, Refused, Unreachable
from encoder.model.base import from_json

AGAIN_S = 0.5
PATIENCE_S = 60.0  # a server is restarted in less
POLL_S = 2.0  # where no stream comes through
LOOK_S = 30.0  # where one does: what it might have missed
GAP_S = 1.0  # between two looks, however much is told
_RETRY_STREAM_S = 5.0
_LOST = sse.Message(event="lost")

Away = Callable[[Exception | None], None]
Look = Callable[[Board], Awaitable[Iterable[Object]]]


async def patiently(
    client: Client, job_id: str, away: Callable[[Exception], None], *, patience_s: float
) -> AsyncGenerator[Object, None]:
    """The same as `follow`, also past a server that is away for so long; `away` is told each time that it goes."""
    gone_at: float | None = None
    while True:
        try:
            async with aclosing(follow(client, job_id)) as answers:
                async for answer in answers:
                    gone_at = None
                    yield answer
        except (Unreachable, Refused) as error:
            if not _passes(error):
                raise
            if gone_at is None:
                gone_at = time.monotonic()
                away(error)
            if time.monotonic() - gone_at >= patience_s:
                raise
        else:
            return
        await asyncio.sleep(AGAIN_S)


async def follow(client: Client, job_id: str) -> AsyncGenerator[Object, None]:
    """The job as it is, then again each time that something has happened to it, until it has ended."""
    while True:
        answer = await client.job(job_id)
        yield answer
        if from_json(views.Job, answer).ended:
            return
        async with aclosing(client.events(job_id)) as events:
            async for _ in events:
                yield await client.job(job_id)
        await asyncio.sleep(AGAIN_S)  # the server ended the stream although the job goes on: it is being restarted


def _passes(error: Exception) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, Refused) and error.status in BUSY)


@dataclass(slots=True)
class _Ear:
    """What the stream of all jobs has told: `live` while it comes through."""

    heard: asyncio.Queue[sse.Message]
    live: bool = False

    async def listen(self, client: Client) -> None:
        while True:
            try:
                async with aclosing(client.news()) as news:
                    async for message in news:
                        self.live = True
                        self.heard.put_nowait(message)
            except (Unreachable, Refused, Foreign):
                if self.live:
                    self.live = False
                    self.heard.put_nowait(_LOST)
            await asyncio.sleep(_RETRY_STREAM_S)


async def boards(
    client: Client, look: Look, away: Away, *, patience_s: float = PATIENCE_S
) -> AsyncGenerator[Board, None]:
    """Jobs as they stand, each time that one of them has changed. `look` reads them: at first, and when it must.

    `away`: is told of a server that answers no more, for so long at most, and None when it does again.
    """
    board, ear = Board(), _Ear(asyncio.Queue())
    listening = asyncio.create_task(ear.listen(client))
    try:
        stale, looked = True, -GAP_S
        while True:
            since_s = time.monotonic() - looked
            if (stale and since_s >= GAP_S) or since_s >= (LOOK_S if ear.live else POLL_S):
                answers = await (_seen(look, board, away, patience_s) if looked > 0 else look(board))
                board.fill(answers)
                stale, looked = False, time.monotonic()
            yield board
            since_s = time.monotonic() - looked
            limit_s = (GAP_S if stale else LOOK_S if ear.live else POLL_S) - since_s
            stale |= await _told(ear, board, max(0.0, limit_s))
    finally:
        listening.cancel()


async def _told(ear: _Ear, board: Board, limit_s: float) -> bool:
    """Wait for news, and put them on the board; whether it must be read anew."""
    try:
        async with asyncio.timeout(limit_s):  # before Python 3.12 `wait_for` lost a Ctrl-C that came with a message
            messages = [await ear.heard.get()]
    except TimeoutError:
        return False
    while not ear.heard.empty():
        messages.append(ear.heard.get_nowait())
    stale = [_stale(board, message) for message in messages]  # all of them go on the board
    return any(stale)


def _stale(board: Board, message: sse.Message) -> bool:
    if message.event == "job":
        return not board.change(from_json(views.Change, json.loads(message.data)))
    if message.event == "deleted":
        board.drop(int(json.loads(message.data)["id"]))
        return False
    return True  # what came before it, or was passed over


async def _seen(look: Look, board: Board, away: Away, patience_s: float) -> Iterable[Object]:
    gone_at: float | None = None
    while True:
        try:
            answers = await look(board)
        except (Unreachable, Refused) as error:
            if not _passes(error):
                raise
            gone_at = gone_at or time.monotonic()
            if time.monotonic() - gone_at >= patience_s:
                raise
            away(error)
        else:
            if gone_at is not None:
                away(None)
            return answers
        await asyncio.sleep(AGAIN_S)
