"""A fleet that works on jobs, event by event: nothing happens between two events, and chance has a seed.

The rules are the platform's: who has a free slot takes the task that stands first; the root of a chunked job ends by
making its chunks and the task behind them, which opens when the last chunk is done; what a machine did on a task that
it had not ended when it was taken away is done again by somebody else; a task that was lost three times ends its job.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from math import inf

from encoder.queue.settle import most_lost
from tests.scale import film as films
from tests.scale.film import Film, Job, Task
from tests.scale.fleet import Fleet
from tests.scale.pipe import Flow, Pipe
from tests.scale.tally import Tally

HINTS_S = 0.05  # between two hints of one process (`encoder/store/hints.py`)


@dataclass(eq=False, slots=True)
class Worker:
    """A slot. `life`: of the machine that it is on just now; what belongs to an earlier one is void."""

    life: int = 0
    alive: bool = True
    run: Run | None = None


@dataclass(eq=False, slots=True)
class Run:
    """A task on a worker, at one of its steps."""

    task: Task
    worker: Worker
    step: int = -1
    step_at_s: float = 0.0
    began_at_s: float = 0.0
    flow: Flow | None = None
    cpu_s: float = 0.0
    moved_bytes: float = 0.0


@dataclass(kw_only=True)
class Simulation:
    """`run` it once."""

    fleet: Fleet
    seed: int = 0
    now_s: float = 0.0
    tally: Tally = field(default_factory=Tally)
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _ready: list[tuple[int, int, Task]] = field(default_factory=list)
    _idle: list[Worker] = field(default_factory=list)
    _flows: dict[Flow, Run] = field(default_factory=dict)
    _look: int = 0
    _hinted_at_s: float = -inf

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)  # noqa: S311  # the same each time
        self._pipe = Pipe(each_bps=self.fleet.each_bps, all_bps=self.fleet.all_bps)

    def run(self, jobs: Iterable[tuple[float, Film]], *, until_s: float = inf) -> Tally:
        """Work on films that come at their times, until all have ended or so many seconds are over."""
        for worker in [Worker() for _ in range(self.fleet.workers)]:
            self._begin_life(worker)
        left = 0
        for at_s, film in jobs:
            self._at(at_s, partial(self._submit, Job(film=film, at_s=at_s, number=left)))
            left += 1
        while self._events and self.tally.ended < left:
            at_s, _, happens = heapq.heappop(self._events)
            if at_s > until_s:
                self.now_s = until_s
                break
            self.now_s = at_s
            happens()
        self.tally.end(self.now_s, self.fleet)
        return self.tally

    def _at(self, at_s: float, happens: Callable[[], None]) -> None:
        if at_s < inf:
            heapq.heappush(self._events, (at_s, next(self._numbers), happens))

    # tasks

    def _submit(self, job: Job) -> None:
        self.tally.jobs.append(job)
        self.tally.asked(self.now_s, "enqueue")
        self._hint()
        self._wait_in_line(films.root(job, self._chance))

    def _wait_in_line(self, task: Task) -> None:
        if task.number == 0:
            task.number = next(self._numbers) + 1
        heapq.heappush(self._ready, (task.nice, task.number, task))
        self._hand_out()

    def _hint(self) -> None:
        """All who have nothing to do look, and only the first find something. A burst of hints is one."""
        if self.now_s >= self._hinted_at_s + HINTS_S:
            self._hinted_at_s = self.now_s
            self.tally.asked(self.now_s, "claim in vain", len(self._idle))

    def _hand_out(self) -> None:
        while self._ready and self._idle:
            task = heapq.heappop(self._ready)[2]
            if task.job.failed:
                continue
            run = Run(task, self._idle.pop(), began_at_s=self.now_s)
            run.worker.run = run
            self.tally.began(self.now_s, task)
            self._next_step(run)

    def _next_step(self, run: Run) -> None:
        run.step += 1
        run.step_at_s = self.now_s
        if run.step == len(run.task.steps):
            self._settle(run)
            return
        step = run.task.steps[run.step]
        if step.is_transfer:
            run.flow = self._pipe.begin(self.now_s, step.size_bytes)
            self._flows[run.flow] = run
            self._watch_pipe()
        else:
            ends_s = self.now_s + step.cpu_s / step.cores
            self._at(ends_s, partial(self._computed, run, run.worker.life))

    def _computed(self, run: Run, life: int) -> None:
        if run.worker.run is run and run.worker.life == life:
            run.cpu_s += run.task.steps[run.step].cpu_s
            self._next_step(run)

    def _watch_pipe(self) -> None:
        self._look += 1
        following = self._pipe.next_end_s(self.now_s)
        if following is not None:
            self._at(following[0], partial(self._moved, self._look, following[1]))

    def _moved(self, look: int, flow: Flow) -> None:
        if look != self._look:
            return
        self._pipe.end(self.now_s, flow)
        run = self._flows.pop(flow)
        step = run.task.steps[run.step]
        run.flow = None
        run.moved_bytes += step.size_bytes
        self.tally.moved(step.what, step.size_bytes)
        self._watch_pipe()
        self._next_step(run)

    def _settle(self, run: Run) -> None:
        task, job = run.task, run.task.job
        self._let_go(run)
        self.tally.done(self.now_s, task, run.cpu_s)
        if task.kind == "chunk":
            job.parts_left -= 1
            if job.parts_left == 0:
                job.joined_at_s = self.now_s
                self._hint()
                self._wait_in_line(films.assembly(job))
        elif task.kind == "transcode" and job.film.chunk_s is not None:
            job.split_at_s = self.now_s
            job.chunks = list(films.parts(job, self._chance))
            job.parts_left = len(job.chunks)
            self.tally.asked(self.now_s, "part", len(job.chunks))
            self._hint()
            for chunk in job.chunks:
                self._wait_in_line(chunk)
        else:
            self.tally.job_ended(self.now_s, job)
        self._hand_out()

    def _let_go(self, run: Run) -> None:
        self.tally.held(run.began_at_s, self.now_s)
        run.worker.run = None
        self._idle.append(run.worker)

    # machines

    def _begin_life(self, worker: Worker) -> None:
        worker.life += 1
        worker.alive = True
        self._idle.append(worker)
        self.tally.lives += 1
        self._at(self.now_s + self.fleet.life_s(self._chance), partial(self._die, worker))
        self._hand_out()

    def _die(self, worker: Worker) -> None:
        noticed = self._chance.random() < self.fleet.noticed
        if worker.run is not None:
            self._lose(worker.run, noticed=noticed)
        self._idle.remove(worker)
        worker.alive = False
        self._at(self.now_s + self.fleet.replaced_s, partial(self._begin_life, worker))

    def _lose(self, run: Run, *, noticed: bool) -> None:
        self._stop(run)
        task = run.task
        self._let_go(run)
        task.losses += 0 if noticed else 1
        self.tally.lost(self.now_s, task, cpu_s=run.cpu_s, moved_bytes=run.moved_bytes, noticed=noticed)
        if task.losses >= most_lost(task.kind):
            task.job.failed = True
            self.tally.job_ended(self.now_s, task.job)
        else:
            again_s = 0.0 if noticed else self.fleet.found_out_s(self._chance)
            self._at(self.now_s + again_s, partial(self._wait_in_line, task))

    def _stop(self, run: Run) -> None:
        """What it had done of its step by now."""
        step = run.task.steps[run.step]
        if run.flow is not None:
            moved = self._pipe.end(self.now_s, run.flow)
            del self._flows[run.flow]
            run.moved_bytes += moved
            self.tally.moved(step.what, moved)
            self._watch_pipe()
        else:
            run.cpu_s += (self.now_s - run.step_at_s) * step.cores
