"""Where a claim begins to look, and how far ahead of its claims a worker has tasks admitted."""

from __future__ import annotations

from encoder.queue.pace import MOST_AHEAD, Pace
from encoder.store.line import START, Floor, Front


def test_a_claim_looks_from_where_the_line_was_seen_a_second_ago() -> None:
    floor = Floor()
    assert floor.at(0.0) == START
    floor.saw(10)
    assert floor.at(0.5) == START
    assert floor.at(1.0) == START  # from the start, once a second
    floor.saw(20)
    assert floor.at(1.5) == START  # 10 was seen less than a second ago
    assert floor.at(2.0) == START
    assert floor.at(2.5) == 10
    floor.saw(30)
    assert floor.at(3.0) == START
    assert floor.at(3.9) == 20


def test_places_that_are_no_longer_seen_are_forgotten() -> None:
    """A place far ahead, left by an older release, would else hide all that comes."""
    floor = Floor()
    floor.at(0.0)
    floor.saw(1 << 50)
    for second in (1.0, 2.0):
        floor.at(second)
        floor.saw(5)
    assert floor.at(2.5) == 1 << 50
    floor.at(3.0)
    assert floor.at(3.5) == 5


def test_nothing_is_admitted_ahead_where_each_task_takes_longer_than_a_second() -> None:
    now = 0.0
    pace = Pace(clock=lambda: now)
    assert pace.ahead == 0
    pace.ended()
    assert pace.ahead == 1
    now = 1.1
    assert pace.ahead == 0


def test_what_is_admitted_ahead_has_an_end() -> None:
    pace = Pace(clock=lambda: 0.0)
    for _ in range(10 * MOST_AHEAD):
        pace.ended()
    assert pace.ahead == MOST_AHEAD


def test_an_enqueue_looks_from_the_first_place_that_stood_in_line_a_moment_ago() -> None:
    front = Front()
    assert front.at(0.0) == START
    front.saw(10)
    assert front.at(0.15) == START  # 10 was seen less than a moment ago
    front.saw(20)
    assert front.at(0.2) == START
    assert front.at(0.3) == 10
    front.saw(15)  # by one that began before
    assert front.at(0.4) == 20
    assert front.at(9.0) == 20  # nothing is ever put back before it
