"""The workers of one process, told as one: their slots add up, and what holds up one of them is told of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from encoder.metrics.queue import listener_up
from encoder.metrics.worker import busy, draining, paused, slots


@dataclass(eq=False, slots=True, kw_only=True)
class Numbers:
    """How one worker is whenever somebody asks. `pauses`: whether it claims nothing, by reason, `drain` among them."""

    slots: Mapping[str, int]
    pauses: Mapping[str, Callable[[], bool]]
    hears: Callable[[], bool]
    over: bool = False


_crew: list[Numbers] = []


@contextmanager
def told(numbers: Numbers) -> Iterator[None]:
    """Tell them. One that has ended is told until all have, and others come."""
    if all(each.over for each in _crew):
        _crew.clear()
    _crew.append(numbers)
    for queue in numbers.slots:
        slots.of(queue).set_function(partial(_slots, queue))
        busy.of(queue)
    for reason in numbers.pauses:
        paused.of(reason).set_function(partial(_pauses, reason))
    draining.of().set_function(partial(_pauses, "drain"))
    listener_up.of().set_function(lambda: all(each.hears() for each in _crew))
    try:
        yield
    finally:
        numbers.over = True


def _slots(queue: str) -> int:
    return sum(each.slots.get(queue, 0) for each in _crew)


def _pauses(reason: str) -> bool:
    return any(each.pauses[reason]() for each in _crew if reason in each.pauses)
