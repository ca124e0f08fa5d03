"""Who has to go when memory ends: the largest, one at a time, and nobody before."""

from __future__ import annotations

import pytest

from encoder.ffmpeg import vitals
from encoder.ffmpeg.watchdog import Watchdog

LIMIT = 1000


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """What each process holds."""
    sizes: dict[int, int] = {}
    monkeypatch.setattr(vitals, "held_bytes", lambda pid: sizes.get(pid, 50))  # ourselves: 50
    return sizes


def test_nobody_goes_while_there_is_room(held: dict[int, int]) -> None:
    dog = Watchdog(LIMIT)
    with dog.over(1), dog.over(2):
        held |= {1: 500, 2: 349}
        assert not dog.dooms(1)
        held[2] = 350
        assert dog.dooms(1)


def test_the_largest_goes_alone_and_its_end_is_waited_for(held: dict[int, int]) -> None:
    dog = Watchdog(LIMIT)
    with dog.over(1), dog.over(3):
        with dog.over(2):
            held |= {1: 300, 2: 400, 3: 350}
            assert not dog.dooms(1)
            assert dog.dooms(2)
            held[1] = 9000
            assert not dog.dooms(1)  # the other is still there: what it gives back is not known yet
        assert dog.dooms(1)


def test_what_a_cgroup_counts_is_more_than_ours(held: dict[int, int]) -> None:
    used = [899]
    dog = Watchdog(LIMIT, lambda: used[0])
    with dog.over(1):
        held[1] = 10
        assert not dog.dooms(1)
        used[0] = 900
        assert dog.dooms(1)
