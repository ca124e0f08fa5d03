"""A task in this worker's hands, and the ways in which it may be taken out of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum
from math import inf
from types import TracebackType
from typing import Protocol, Self, TypeVar

from encoder.ffmpeg.leash import Leash
from encoder.model.ids import OutputId
from encoder.model.trail import LogTail, Step, Trail
from encoder.store.rows import Aside, Beat, Claim, Live, Settlement
from encoder.worker.account import Account

MOST_STEPS = 500
LOG_WANTED_S = 60.0  # for which a wish to read the log is believed
LOG_CHARS = 2048  # of its end

T = TypeVar("T")


class Ending(IntEnum):
    """Why work stops before its end; a later one outweighs an earlier one."""

    DRAIN = 1  # the worker stops: give the task back
    CANCEL = 2  # the caller wants no more
    SELF_STOP = 3  # no contact, and no standing still until there is: give back what is still ours
    LOST = 4  # it is somebody else's: write nothing


class CutOff(Exception):
    """The work was stopped before its end; `Held.ending` says why."""


class Said(Protocol):
    """What a run of ffmpeg says, as it grows."""

    def end(self, limit_chars: int) -> tuple[int, str]:
        """The last of it, and how many characters came before."""


class Held:
    """One claim, the work on it, and what it tells of itself. `sent_at`: when its last accepted beat was sent."""

    def __init__(self, claim: Claim, *, sent_at: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.claim = claim
        self.sent_at = sent_at
        self.leash = Leash()
        self.account = Account(self.leash, clock=clock)
        self.ending: Ending | None = None
        self.stage: str | None = None
        self.settling = False
        self.proposed: Settlement | None = None  # how it is to be closed if it is cut off from now on: it is done
        self.live: dict[OutputId, Live] = {}
        self.changed = False  # something new to tell since the last beat
        self._cut: Callable[[], object] = lambda: None  # ends the work, once there is some
        self._publishing = 0
        self._clock = clock
        self._begun = sent_at
        self._steps: list[Step] = []
        self._said: tuple[tuple[OutputId, ...], Said] | None = None
        self._log_wanted_until = -inf

    def beat(self) -> Beat:
        self.changed = False
        live = dict(self.live)
        aside = Aside(steps=tuple(self._steps), log=self._log())
        if live and aside != Aside():
            first = next(iter(live))
            live[first] = replace(live[first], aside=aside)
        return Beat(task_id=self.claim.task_id, epoch=self.claim.epoch, stage=self.stage, live=live)

    def step(self, stage: str, output: OutputId | None = None) -> None:
        """A stage begins: for the timeline."""
        if len(self._steps) < MOST_STEPS:
            self._steps.append(Step(stage=stage, at=round(max(0.0, self._clock() - self._begun), 3), output=output))

    def trail(self, worker: str) -> Trail:
        """What is to be known of this attempt at its end."""
        return Trail(worker=worker, steps=tuple(self._steps))

    def hear(self, outputs: tuple[OutputId, ...], said: Said) -> None:
        """What is said now is of these outputs."""
        self._said = outputs, said

    def want_log(self, *, always: bool = False) -> bool:
        """Somebody wants to read what is said; False: nothing is yet."""
        self._log_wanted_until = inf if always else max(self._log_wanted_until, self._clock() + LOG_WANTED_S)
        return self._said is not None

    def _log(self) -> LogTail | None:
        left_s = min(self._log_wanted_until - self._clock(), LOG_WANTED_S)
        if self._said is None or left_s <= 0:
            return None
        outputs, said = self._said
        at, text = said.end(LOG_CHARS)
        return LogTail(outputs=outputs, at=at, text=text, left_s=round(left_s, 1))

    @property
    def eta_s(self) -> float:
        """How long its stage lasts yet, by what is told of it; 0 where nothing is known, for ever where it waits."""
        return max((inf if live.lack else live.eta_seconds or 0.0 for live in self.live.values()), default=0.0)

    def tell(self, output: OutputId, live: Live | None) -> None:
        """Replace what is shown of one output while it is worked on; None: nothing any more."""
        if live is None:
            self.live.pop(output, None)
        else:
            self.live[output] = live
        self.changed = True

    def at(self, stage: str) -> None:
        """Name the stage that the task is in."""
        if stage != self.stage:
            self.step(stage)
        self.stage = stage
        self.changed = True

    async def lead(self, work: Coroutine[object, object, T]) -> T:
        """Run `work` to its end; what it returns or raises.

        Raises:
            CutOff: an `Ending` came first.
        """
        if self.ending is not None:
            work.close()
            raise CutOff
        with _Cuts() as cuts:
            self._cut = cuts.cut
            return await work

    def end(self, ending: Ending) -> None:
        """Stop the work. A drain waits for a publish in flight; the loss of the lease waits for nothing."""
        if self.ending is not None and self.ending >= ending:
            return
        self.ending = ending
        if ending in (Ending.SELF_STOP, Ending.LOST):
            self.leash.kill()
        if not (self.settling or (ending is Ending.DRAIN and self._publishing)):
            self._cut()

    def freeze(self) -> bool:
        """Let no process of the work run until `thaw`. False: it cannot wait, as it publishes or is being ended."""
        if self.ending is not None or self._publishing:
            return False
        self.leash.freeze()
        return True

    def thaw(self) -> None:
        """It is still ours: go on."""
        self.leash.thaw()

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Around the act that makes an object visible: a drain waits until it is over."""
        self._publishing += 1
        try:
            yield
        finally:
            self._publishing -= 1
            if self.ending is Ending.DRAIN and not self._publishing:
                self._cut()


class _Cuts:
    """Cancels the task that entered, as `asyncio.timeout` does. Work in a task of its own would start 50 µs later.

    Raises:
        CutOff: nobody else cancelled it.
    """

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be cut")
        self._task = task
        self._made = 0
        self._over = False

    def __enter__(self) -> Self:
        return self

    def cut(self) -> None:
        """Before the task's next step; not within one, for if that is its last, what follows would feel the cut."""
        if asyncio.current_task() is self._task:
            self._task.get_loop().call_soon(self._cancel)
        else:
            self._cancel()

    def _cancel(self) -> None:
        if not self._over:
            self._made += 1
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        for _ in range(self._made):
            self._task.uncancel()
        if kind is asyncio.CancelledError and self._made and not self._task.cancelling():
            raise CutOff from None
