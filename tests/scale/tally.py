"""What a simulated fleet did: work done once and twice, bytes moved, statements asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.scale.film import Job, Task
from tests.scale.fleet import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A machine that was taken away under a task, which had so much done."""

    at_s: float
    kind: str
    cpu_s: float
    moved_bytes: float
    noticed: bool


@dataclass(kw_only=True)
class Tally:
    """Times are the simulation's, in seconds. `asked`: how often each verb, `asked_in` the same by second."""

    jobs: list[Job] = field(default_factory=list)
    ended: int = 0
    failed: int = 0
    lives: int = 0
    ended_at_s: float = 0.0
    workers: int = 0
    held_s: float = 0.0
    useful_cpu_s: float = 0.0
    wasted_cpu_s: float = 0.0
    kills: list[Kill] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    tasks: Counter[int] = field(default_factory=Counter)
    asked_of: Counter[str] = field(default_factory=Counter)
    asked_in: Counter[tuple[int, str]] = field(default_factory=Counter)
    moved_bytes: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    wasted_bytes: float = 0.0
    most_busy: int = 0
    _busy: int = 0

    def asked(self, now_s: float, verb: str, times: int = 1) -> None:
        if times:
            self.asked_of[verb] += times
            self.asked_in[int(now_s), verb] += times

    def began(self, now_s: float, task: Task) -> None:
        self.claims[task.kind] += 1
        self._busy += 1
        self.most_busy = max(self.most_busy, self._busy)
        self.asked(now_s, f"begin {task.kind}")

    def done(self, now_s: float, task: Task, cpu_s: float) -> None:
        self.tasks[task.number] += 1
        self.useful_cpu_s += cpu_s
        self.asked(now_s, f"end {task.kind}")

    def lost(self, now_s: float, task: Task, *, cpu_s: float, moved_bytes: float, noticed: bool) -> None:
        self.kills.append(Kill(at_s=now_s, kind=task.kind, cpu_s=cpu_s, moved_bytes=moved_bytes, noticed=noticed))
        self.wasted_cpu_s += cpu_s
        self.wasted_bytes += moved_bytes
        self.asked(now_s, "release" if noticed else "rescue")

    def moved(self, what: str, size_bytes: float) -> None:
        self.moved_bytes[what] += size_bytes

    def held(self, since_s: float, now_s: float) -> None:
        self.held_s += now_s - since_s
        self._busy -= 1

    def job_ended(self, now_s: float, job: Job) -> None:
        job.ended_at_s = now_s
        self.ended += 1
        self.failed += job.failed

    def end(self, now_s: float, fleet: Fleet) -> None:
        self.ended_at_s = now_s
        self.workers = fleet.workers

    @property
    def chunked(self) -> bool:
        """Whether its films were made in chunks, as all or none are."""
        return any(job.film.chunk_s is not None for job in self.jobs)

    @property
    def rework(self) -> float:
        """Share of all that was computed."""
        return self.wasted_cpu_s / max(1e-9, self.useful_cpu_s + self.wasted_cpu_s)

    @property
    def busy(self) -> float:
        """Share of the slots' time in which they held a task."""
        return self.held_s / max(1e-9, self.workers * self.ended_at_s)
