"""Many jobs that are watched together: which they are, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime
from typing import Protocol

from encoder.cli import rows
from encoder.cli.board import Board
from encoder.cli.client import Client
from encoder.cli.follow import PATIENCE_S, Look, boards
from encoder.cli.refused import Object, Refused
from encoder.cli.session import Out
from encoder.cli.text import clean
from encoder.cli.views import ENDED, Job

MOST = 200  # of each state, where nobody said how many
KEPT = 50  # of those that ended meanwhile
_GONE = 404


def listed(client: Client, limit: int, filters: Mapping[str, str]) -> Look:
    """The newest that pass the filters."""

    async def look(_: Board) -> list[Object]:
        return [answer async for answer in client.jobs(limit=limit, **filters)]

    return look


def unfinished(client: Client) -> Look:
    """What runs, what waits behind it, and below what has ended since one looks."""

    async def look(board: Board) -> list[Object]:
        running = [answer async for answer in client.jobs(limit=MOST, status="processing")]
        waiting = [answer async for answer in client.jobs(limit=MOST, status="queued")]
        found = {answer["id"]: answer for answer in (*running, *reversed(waiting))}
        left = [answer for number, answer in board.answers.items() if number not in found]
        ended = [now for answer in left if (now := await _now(client, answer)) is not None]
        return [*found.values(), *sorted(ended, key=_number, reverse=True)[:KEPT]]

    return look


def named(client: Client, jobs: Sequence[str]) -> Look:
    """Those of these ids. One that is not there is refused at the first look, and left out at a later one."""
    known: dict[str, Object] = {}

    async def look(_: Board) -> list[Object]:
        if not known:
            known.update([(job, await client.job(job)) for job in jobs])
        else:
            again = [(job, await _now(client, answer)) for job, answer in known.items()]
            known.clear()
            known.update((job, answer) for job, answer in again if answer is not None)
        return list({_number(answer): answer for answer in known.values()}.values())

    return look


async def _now(client: Client, answer: Object) -> Object | None:
    """The job as it is now; None if it is gone."""
    if answer["status"] in ENDED:
        return answer
    try:
        return await client.job(str(answer["id"]))
    except Refused as refused:
        if refused.status == _GONE:
            return None
        raise


def _number(answer: Object) -> int:
    return int(str(answer["id"]))


async def crowd(
    client: Client, out: Out, look: Look, *, until_ended: bool, patience_s: float = PATIENCE_S, title: str = ""
) -> Sequence[Job]:
    """Shows jobs as they change, without an end or until all have ended; those that were there at the end."""
    with _shown(out, title or out.url) as shown:
        async with aclosing(boards(client, look, shown.trouble, patience_s=patience_s)) as states:
            async for board in states:
                jobs = tuple(board)
                shown.show(jobs, board.answers)
                # what the stream says of an end may be ahead of what was read of it
                if until_ended and all(answer["status"] in ENDED for answer in board.answers.values()):
                    return jobs
    return ()


class _Shown(Protocol):
    def show(self, jobs: Sequence[Job], answers: Mapping[int, Object]) -> None: ...

    def trouble(self, error: Exception | None) -> None: ...


class _Changes:
    """A line for each change of a job's state, on standard output; with --json the job itself."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._told: dict[int, tuple[str, int]] = {}

    def show(self, jobs: Sequence[Job], answers: Mapping[int, Object]) -> None:
        for job in jobs:
            answer = answers[job.id]
            stands = str(answer["status"]), job.run
            if self._told.get(job.id) == stands or stands[0] != job.status:
                continue
            self._told[job.id] = stands
            if self._out.as_json:
                self._out.data(answer)
            else:
                at = datetime.now(UTC)
                why = rows.now(job)
                self._out.line(f"{at:%H:%M:%S}  job {job.id}  {clean(job.status)}  {clean(job.name)}  {why}".rstrip())

    def trouble(self, error: Exception | None) -> None:
        self._out.note(f"{clean(error)}; trying again …" if error else "The server answers again.")


@contextmanager
def _shown(out: Out, title: str) -> Iterator[_Shown]:
    if out.tables and not out.as_json:
        from encoder.cli.table import LiveTable  # noqa: PLC0415  # rich is slow to load, and most commands need none

        with LiveTable(title) as table:
            yield table
    else:
        yield _Changes(out)
