"""The queue as a state machine: two workers, two tasks with one successor, and all that may happen to them.

Every interleaving is tried. A step is what the database does at once; what happens between two statements of one verb
is a state of its own. Time is not counted: a lease may run out whenever its owner had no chance to beat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MOST_LOST = (2, 1)  # of each task, where the queue has three: more adds states, but no new kind of them
ENDED = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What makes the queue safe; each can be left out, and then must be missed."""

    fence_by_epoch: bool = True  # beat and settle match (task, epoch), not the task alone
    guarded_rescue: bool = True  # a rescue looks again whether the lease has run out, as it takes it
    outage_guard: bool = True  # nobody rescues before one lease of unbroken contact
    count_under_lock: bool = True  # predecessors are counted in a statement after the one that takes the lock


class Violation(Exception):
    """Something happened that must not."""


class Lease(NamedTuple):
    epoch: int
    owner: int
    expired: bool = False
    innocent: bool = False  # it ran out while nobody could beat


class Task(NamedTuple):
    state: str = "ready"
    epoch: int = 0
    lost: int = 0
    lease: Lease | None = None


class Settling(NamedTuple):
    """A settle that was sent and is not yet carried out. `pending`: as it was then, if somebody asked."""

    task: int
    epoch: int
    pending: int


class Worker(NamedTuple):
    """`claims`: what it believes to hold. Frozen it does nothing, but what it had sent arrives."""

    frozen: bool = False
    claims: frozenset[tuple[int, int]] = frozenset()
    settling: Settling | None = None


class World(NamedTuple):
    """`pending`, `opened`: of the successor. `suspect`: the lease that some rescuer saw run out.

    `trusted`: a lease of contact has passed since the last outage.
    """

    tasks: tuple[Task, ...] = (Task(), Task())
    workers: tuple[Worker, ...] = (Worker(), Worker())
    pending: int = 2
    opened: int = 0
    cancelled: bool = False
    up: bool = True
    trusted: bool = True
    suspect: tuple[int, int] | None = None

    def task(self, number: int, **changes: object) -> World:
        old = self.tasks[number]
        new = old._replace(**changes)  # type: ignore[arg-type]  # its own fields
        if old.state in ENDED and new != old:
            raise Violation("G3: a task that had ended changed")
        return self._replace(tasks=(*self.tasks[:number], new, *self.tasks[number + 1 :]))

    def worker(self, number: int, **changes: object) -> World:
        new = self.workers[number]._replace(**changes)  # type: ignore[arg-type]  # its own fields
        return self._replace(workers=(*self.workers[:number], new, *self.workers[number + 1 :]))

    @property
    def over(self) -> bool:
        return all(task.state in ENDED for task in self.tasks)


Step = tuple[str, World]


def steps(world: World, rules: Rules) -> Iterator[Step]:
    """All that may happen next."""
    yield from _surroundings(world)
    if not world.up:
        return
    for number, worker in enumerate(world.workers):
        if worker.settling is not None:
            yield f"settle of {number} arrives", _settle(world, number, worker.settling, rules)
        if not worker.frozen:
            yield from _deeds(world, number, worker, rules)
    yield from _rescues(world, rules)
    if not world.cancelled:
        yield "cancel", _cancel(world)


def _surroundings(world: World) -> Iterator[Step]:
    """Workers freeze and thaw, the database goes and comes, time passes."""
    for number, worker in enumerate(world.workers):
        if worker.frozen:
            yield f"{number} thaws", world.worker(number, frozen=False)
        elif worker.claims:  # one that holds nothing is as good as none
            yield f"{number} freezes", world.worker(number, frozen=True)
    # a sweep that meets an outage ends: what it had seen is seen again, behind the guard
    outage, back = world._replace(up=False, suspect=None), world._replace(up=True, trusted=False)
    yield ("outage", outage) if world.up else ("return", back)
    for number, task in enumerate(world.tasks):
        if task.lease is None or task.lease.expired:
            continue
        silent = _is_silent(world, number, task.lease)
        if silent or not world.up:
            lease = task.lease._replace(expired=True, innocent=not silent)
            yield f"lease of {number} runs out", world.task(number, lease=lease)
    if world.up and not world.trusted:
        yield "a lease of contact passes", _contact(world)


def _is_silent(world: World, number: int, lease: Lease) -> bool:
    """Whether its owner would not beat though it could."""
    owner = world.workers[lease.owner]
    return owner.frozen or (number, lease.epoch) not in owner.claims


def _contact(world: World) -> World:
    """In a whole lease with the database everybody who lives has beaten."""
    for number, task in enumerate(world.tasks):
        if task.lease is not None:
            silent = _is_silent(world, number, task.lease)
            world = world.task(number, lease=task.lease._replace(expired=silent, innocent=False))
    return world._replace(trusted=True)


def _deeds(world: World, number: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    for at, task in enumerate(world.tasks):
        if task.state == "ready":
            epoch = task.epoch + 1
            claimed = world.task(at, state="running", epoch=epoch, lease=Lease(epoch=epoch, owner=number))
            yield f"{number} claims {at}", claimed.worker(number, claims=worker.claims | {(at, epoch)})
    if worker.claims:
        yield f"{number} beats", _beat(world, number, worker, rules)
    if worker.settling is None:
        for at, epoch in worker.claims:
            sent = Settling(task=at, epoch=epoch, pending=0 if rules.count_under_lock else world.pending)
            yield f"{number} settles {at}", world.worker(number, settling=sent)


def _holds(task: Task, epoch: int, rules: Rules) -> bool:
    """Whether the database takes the word of who claims to hold the task."""
    return task.lease is not None and (task.lease.epoch == epoch or not rules.fence_by_epoch)


def _beat(world: World, number: int, worker: Worker, rules: Rules) -> World:
    settling = worker.settling and (worker.settling.task, worker.settling.epoch)
    for at, epoch in worker.claims:
        task = world.tasks[at]
        if task.lease is not None and _holds(task, epoch, rules):
            if task.lease.epoch != epoch:
                raise Violation("G4: a zombie renewed the lease of another epoch")
            world = world.task(at, lease=task.lease._replace(expired=False, innocent=False))
        elif (at, epoch) != settling:
            world = world.worker(number, claims=world.workers[number].claims - {(at, epoch)})
    return world


def _settle(world: World, number: int, sent: Settling, rules: Rules) -> World:
    worker, task = world.workers[number], world.tasks[sent.task]
    world = world.worker(number, settling=None, claims=worker.claims - {(sent.task, sent.epoch)})
    if not _holds(task, sent.epoch, rules):
        return world
    if task.epoch != sent.epoch:
        raise Violation("G3: a result of an older epoch was accepted")
    world = world.task(sent.task, state="done", lease=None)
    pending = (world.pending if rules.count_under_lock else sent.pending) - 1
    return world._replace(pending=pending, opened=world.opened + (pending == 0))


def _rescues(world: World, rules: Rules) -> Iterator[Step]:
    if world.trusted or not rules.outage_guard:
        for at, task in enumerate(world.tasks):
            if task.lease is not None and task.lease.expired:
                yield f"{at} is seen run out", world._replace(suspect=(at, task.lease.epoch))
    if world.suspect is not None:
        yield "rescue", _rescue(world._replace(suspect=None), *world.suspect, rules)


def _rescue(world: World, at: int, epoch: int, rules: Rules) -> World:
    task = world.tasks[at]
    if task.lease is None or task.lease.epoch != epoch or (rules.guarded_rescue and not task.lease.expired):
        return world
    if not task.lease.expired:
        raise Violation("G6: the lease of a worker that beats was taken")
    if task.lease.innocent:
        raise Violation("G8: an outage freed a lease")
    lost = task.lost + 1
    again = "cancelled" if world.cancelled else "ready"
    return world.task(at, state="failed" if lost >= MOST_LOST[at] else again, lost=lost, lease=None)


def _cancel(world: World) -> World:
    for at, task in enumerate(world.tasks):
        if task.state == "ready":
            world = world.task(at, state="cancelled")
    return world._replace(cancelled=True)


def check(world: World) -> None:
    """Raise `Violation` for a state that must not be."""
    for task in world.tasks:
        if (task.state == "running") != (task.lease is not None):
            raise Violation("V12: leases and running tasks do not agree")
        if task.lease is not None and task.lease.epoch != task.epoch:
            raise Violation("V12: a lease of another epoch")
    done = sum(task.state == "done" for task in world.tasks)
    if world.opened != (done == len(world.tasks)):
        raise Violation("G15: the successor is not opened once, by the last of its predecessors")


def explore(rules: Rules) -> dict[World, set[World]]:
    """All states that can be reached, each with those that may follow.

    Raises:
        Violation: with the shortest way that leads there.
    """
    start = World()
    came: dict[World, Step | None] = {start: None}
    after: dict[World, set[World]] = {}
    waiting = deque([start])
    while waiting:
        world = waiting.popleft()
        following: set[World] = set()
        try:
            for what, reached in steps(world, rules):
                following.add(reached)
                if reached not in came:
                    came[reached] = (what, world)
                    check(reached)
                    waiting.append(reached)
        except Violation as violation:
            raise Violation(f"{violation}, after: {', '.join(_way(came, world))}") from violation
        after[world] = following
    return after


def _way(came: dict[World, Step | None], world: World) -> list[str]:
    way = []
    while (step := came[world]) is not None:
        what, world = step
        way.append(what)
    return way[::-1]


def stranded(after: dict[World, set[World]]) -> set[World]:
    """The states from which no way leads to the end of all tasks."""
    before: dict[World, list[World]] = {}
    for world, following in after.items():
        for reached in following:
            before.setdefault(reached, []).append(world)
    safe = {world for world in after if world.over}
    waiting = deque(safe)
    while waiting:
        for world in before.get(waiting.popleft(), []):
            if world not in safe:
                safe.add(world)
                waiting.append(world)
    return after.keys() - safe
