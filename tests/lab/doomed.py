"""A role that is struck at a named point of its work: `LAB_POINT=L3 python -m tests.lab.doomed ROLE…`.

The points are those of the fault matrix (docs/why/reliability.md). The product has no code for them: each is where one
of its own functions begins, has ended, or tells how far it is. A point that moved away is not found: its test fails.
`LAB_SIGNAL`: by which signal the process strikes itself, once; SIGKILL if none is named.
"""

from __future__ import annotations

import asyncio
import functools
import os
import runpy
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from encoder import errors
from encoder.ffmpeg.launcher import Launcher
from encoder.ffmpeg.progress import Progress
from encoder.model.event import EventType
from encoder.model.plan import OutputPlan
from encoder.model.state import OutputState
from encoder.store.changes import Changed
from encoder.store.rows import Claim, OutputChange
from encoder.store.verbs import tasks
from encoder.store.verbs.jobs import Jobs
from encoder.store.verbs.tasks import Tasks
from encoder.webhooks.send import Sender
from encoder.worker import pipeline, progress
from encoder.worker.assemble import Assemble
from encoder.worker.chunk import MakeChunk
from encoder.worker.chunk_store import ChunkStore
from encoder.worker.deliver import Deliver
from encoder.worker.encode import Encode
from encoder.worker.encode_chunk import EncodeChunk
from encoder.worker.fetch import Fetch
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.loop import Worker
from encoder.worker.publish import Shipment
from encoder.worker.transcode import Transcode
from encoder.worker.verify import Verify

Work = Callable[..., Awaitable[Any]]  # a function of the product, whatever it takes
When = Callable[..., bool]

_struck = False


def strike() -> None:
    global _struck  # noqa: PLW0603  # a process is struck once, whoever asks
    if not _struck:
        _struck = True
        os.kill(os.getpid(), signal.Signals[os.environ.get("LAB_SIGNAL", "SIGKILL")])


def _always(*_: object, **__: object) -> bool:
    return True


def _before(when: When = _always) -> Callable[[Work], Work]:
    def wrap(work: Work) -> Work:
        async def struck(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # what it is given it passes on
            if when(*args, **kwargs):
                strike()
            return await work(*args, **kwargs)

        return struck

    return wrap


def _after(when: When = _always) -> Callable[[Work], Work]:
    def wrap(work: Work) -> Work:
        async def struck(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as above
            result = await work(*args, **kwargs)
            if when(*args, **kwargs):
                strike()
            return result

        return struck

    return wrap


def _half_fetched(fetch: Work) -> Work:
    async def struck(*args: Any, told: Callable[[int, int | None], None], **kwargs: Any) -> Any:  # noqa: ANN401  # as above
        def tell(have: int, size: int | None) -> None:
            told(have, size)
            if size is not None and 2 * have >= size:
                strike()

        return await fetch(*args, told=tell, **kwargs)

    return struck


def _half_encoded(watch: Work) -> Work:
    async def struck(*args: Any) -> Any:  # noqa: ANN401  # as above
        *others, plans, argv, told = args

        def tell(now: Progress) -> None:
            told(now)
            if 2 * (now.out_time_seconds or 0) >= plans[0].duration_seconds:
                strike()

        return await watch(*others, plans, argv, tell)

    return struck


def _while_probing(probe: Work) -> Work:
    """Once the prober lives: the launcher takes it on its leash, and from then on watches it."""

    async def struck(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as above
        _wrap(Launcher, "_watched", _before())
        return await probe(*args, **kwargs)

    return struck


def _some_sent(gone: Callable[[Shipment, int], None]) -> Callable[[Shipment, int], None]:
    def struck(self: Shipment, number: int) -> None:
        gone(self, number)
        strike()

    return struck


def _only_first(deliver: Work) -> Work:
    """Outputs are delivered at the same time: the others wait before they begin."""

    async def held_up(self: Deliver, run: Any, proven: Any, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as above
        if proven.made.output != 0:
            await asyncio.Event().wait()
        await deliver(self, run, proven, *args, **kwargs)

    return held_up


def _says_uploaded(_ledger: Ledger, *changes: OutputChange, **_: object) -> bool:
    return any(change.state is OutputState.UPLOADED for change in changes)


def _ends_a_task(_connection: object, changed: Changed, *_: object, **__: object) -> bool:
    return any(each.type is EventType.TASK_SETTLED for each in changed.happenings)


def _ends_a(kind: str) -> When:
    def ends(_connection: object, changed: Changed, *_: object, **__: object) -> bool:
        return any(each.claim is not None and each.claim.kind == kind for each in changed.happenings)

    return ends


def _half_of_a_chunk(tells: Callable[..., Any]) -> Callable[..., Any]:
    def struck(plan: OutputPlan, now: Progress, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as above
        frames = plan.video.frames if plan.video is not None else None
        if frames is not None and 2 * (now.frame or 0) >= frames:
            strike()
        return tells(plan, now, *args, **kwargs)

    return struck


def _of_a_job(_store: object, claim: Claim, _settlement: object) -> bool:
    return claim.kind == "transcode"


def _held_for_a_job(_worker: Worker, held: Held, _settlement: object) -> bool:
    return held.claim.kind == "transcode"


def _tells_the_end(_sender: Sender, *, body: str, **_: object) -> bool:
    return '"type":"job.completed"' in body


def _answer_lost(settle: Work) -> Work:
    """Not a death: the first answer to the end of a task does not arrive."""
    answers = 0

    async def unheard(self: Tasks, claim: Claim, *args: Any) -> Any:  # noqa: ANN401  # as above
        nonlocal answers
        answer = await settle(self, claim, *args)
        if claim.kind == "transcode" and (answers := answers + 1) == 1:
            raise errors.StoreUnavailable("the lab has cut the line")
        return answer

    return unheard


# where: whose function, its name, what is wrapped around it
POINTS: dict[str, list[tuple[Any, str, Callable[[Any], Any]]]] = {
    "L1": [(Jobs, "enqueue", _before())],
    "L2": [(Jobs, "enqueue", _after())],
    "L3": [(Transcode, "work", _before())],
    "L4": [(Fetch, "__call__", _half_fetched)],
    "L5": [(pipeline, "survey", _before())],
    "L6": [(Launcher, "probe", _while_probing)],
    "L7": [(Encode, "_watched", _half_encoded)],
    "L8": [(Verify, "__call__", _before())],
    "L9": [(Shipment, "_gone", _some_sent)],
    "L10": [(Ledger, "fence", _before())],
    "L11": [(Shipment, "send", _after())],
    "L12": [(Deliver, "__call__", _only_first), (Ledger, "mark", _after(_says_uploaded))],
    "L13": [(tasks, "record", _after(_ends_a_task))],
    "L13b": [(Tasks, "settle", _after(_of_a_job))],
    "L13b unheard": [(Tasks, "settle", _answer_lost)],
    "C3": [(MakeChunk, "work", _before())],
    "C5": [(MakeChunk, "_fetched", _after())],
    "C7": [(progress, "chunk", _half_of_a_chunk)],
    "C8": [(EncodeChunk, "_reopened", _before())],
    "C10": [(Ledger, "fence", _before())],
    "C11": [(Shipment, "send", _after())],
    "C13": [(tasks, "record", _after(_ends_a("chunk")))],
    "A3": [(Assemble, "work", _before())],
    "A5": [(ChunkStore, "take", _after())],
    "A8": [(Verify, "__call__", _before())],
    "A11": [(Deliver, "_send", _after())],
    "A13": [(tasks, "record", _after(_ends_a("assemble")))],
    "A14": [(ChunkStore, "clear", _before())],
    "L14": [(Sender, "send", _before(_tells_the_end))],
    "L14b": [(Sender, "send", _after(_tells_the_end))],
    "L14c": [(Worker, "_settle", _after(_held_for_a_job))],
}


def arm(point: str) -> None:
    for place in POINTS[point]:
        _wrap(*place)


def _wrap(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:  # noqa: ANN401  # a class or a module
    original = getattr(owner, name)
    setattr(owner, name, functools.wraps(original)(wrap(original)))


if __name__ == "__main__":
    arm(os.environ["LAB_POINT"])
    runpy.run_module("encoder", run_name="__main__", alter_sys=True)
