"""A day of a fleet that follows the number of slots wanted, as Kubernetes' autoscaler does it: a model, not a cluster.

The rules are those of k8s/: up by 100 % or 10 pods a minute, down after 15 minutes by 10 % in 5, each victim by chance.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field

import pytest

STEP_S = 15
DAY_S = 24 * 3600
START_S = 90  # until a new pod works
DRAIN_S = 90  # in which what is running may end, before it is given back
WINDOW_S = 900
LEAST = 1


@dataclass(eq=False)
class Pod:
    """One slot. `task`: what it works on, as seconds left of so many."""

    ready_at: int
    left_s: int = 0
    task_s: int = 0

    @property
    def busy(self) -> bool:
        return self.left_s > 0


@dataclass
class Fleet:
    chance: random.Random
    pods: list[Pod] = field(default_factory=lambda: [Pod(ready_at=0)])
    waiting: deque[tuple[int, int]] = field(default_factory=deque)  # since when, and how long each takes
    asked: deque[int] = field(default_factory=lambda: deque(maxlen=WINDOW_S // STEP_S))
    done_s: int = 0
    wasted_s: int = 0
    idle_s: int = 0
    longest_wait_s: int = 0

    @property
    def busy(self) -> int:
        return sum(pod.busy for pod in self.pods)

    def wanted(self, now: int) -> int:
        """As `wanted_slots.sql` has it, of one queue without caps."""
        age_s = now - self.waiting[0][0] if self.waiting else 0
        return self.busy + math.ceil(len(self.waiting) * min(1, max(0.5, age_s / 120)))

    def work(self, now: int) -> None:
        for pod in self.pods:
            if pod.left_s == STEP_S:
                self.done_s += pod.task_s
            pod.left_s = max(0, pod.left_s - STEP_S)
            if not pod.busy and pod.ready_at <= now and self.waiting:
                since, pod.task_s = self.waiting.popleft()
                pod.left_s = pod.task_s
                self.longest_wait_s = max(self.longest_wait_s, now - since)
            self.idle_s += 0 if pod.busy else STEP_S

    def scale(self, now: int) -> None:
        here = len(self.pods)
        wanted = max(LEAST, self.wanted(now))
        self.asked.append(wanted)
        if wanted > here and now % 60 == 0:
            more = min(wanted - here, max(here, 10))
            self.pods += [Pod(ready_at=now + START_S) for _ in range(more)]
        elif (most := max(self.asked)) < here and now % 300 == 0:
            for victim in self.victims(now, min(here - most, max(1, here // 10))):
                self.pods.remove(victim)
                if victim.left_s > DRAIN_S:  # given back: what was done of it is done again
                    self.wasted_s += victim.task_s - victim.left_s
                    self.waiting.appendleft((now, victim.task_s))
                elif victim.busy:
                    self.done_s += victim.task_s

    def victims(self, now: int, count: int) -> list[Pod]:
        """As a ReplicaSet chooses them: who does not work yet goes first, else it is by chance."""
        return sorted(self.pods, key=lambda pod: (pod.ready_at <= now, self.chance.random()))[:count]


def arrivals(now: int, chance: random.Random, burst: int) -> int:
    """Day-shaped: a tenth of the peak at night; and, twice a day, so many at once."""
    shape = 0.55 - 0.45 * math.cos(2 * math.pi * now / DAY_S)
    at_once = burst if now % (DAY_S // 2) == DAY_S // 12 else 0
    return at_once + sum(chance.random() < 0.06 * shape for _ in range(STEP_S))


def a_day(seed: int, burst: int) -> Fleet:
    chance = random.Random(seed)  # noqa: S311  # the same day each time
    fleet = Fleet(chance=chance)
    for now in range(0, DAY_S, STEP_S):
        fleet.waiting += [(now, 15 * chance.randint(8, 80)) for _ in range(arrivals(now, chance, burst))]
        fleet.work(now)
        assert fleet.wanted(now) >= fleet.busy, "it asks for fewer slots than are busy"
        fleet.scale(now)
    return fleet


@pytest.mark.parametrize(("burst", "share"), [(0, 0.02), (30, 0.03)])
def test_over_a_day_it_wastes_little_and_nothing_waits_for_long(burst: int, share: float) -> None:
    """Bursts are dear: their machines are busy with what came after them when they go."""
    days = [a_day(seed, burst) for seed in range(2)]
    done_s = sum(day.done_s for day in days)
    assert done_s > 2 * 500 * 3600  # or the day was too quiet to tell
    assert sum(day.wasted_s for day in days) < share * done_s
    assert max(day.longest_wait_s for day in days) < 5 * 60
    assert all(len(day.pods) < 20 for day in days)  # it came down again at night
