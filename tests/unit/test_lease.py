"""Lease arithmetic and the outage guard's memory."""

from __future__ import annotations

import pytest

from encoder.queue.lease import Contact, LeaseTimes
from encoder.store.line import SEEN


@pytest.mark.parametrize("lease_s", [2.0, 60.0, 200.0, 3600.0])
def test_four_beats_fit_before_the_self_stop_and_the_self_stop_before_the_end(lease_s: float) -> None:
    times = LeaseTimes(lease_s)
    assert 4 * times.beat_s <= times.self_stop_s < lease_s


@pytest.mark.parametrize("lease_s", [60.0, 3600.0])
def test_a_worker_that_misses_a_beat_is_still_seen_however_long_its_lease(lease_s: float) -> None:
    assert 2 * LeaseTimes(lease_s).beat_s < SEEN.total_seconds()


def test_contact_grows_with_answers() -> None:
    contact = Contact(now=100.0, longest_gap_s=30.0)
    contact.kept(110.0)
    contact.kept(125.0)
    assert contact.unbroken_s(126.0) == 25.0


def test_a_missing_answer_starts_contact_anew() -> None:
    contact = Contact(now=0.0, longest_gap_s=30.0)
    contact.kept(20.0)
    contact.broken(21.0)
    contact.kept(25.0)
    assert contact.unbroken_s(25.0) == 4.0


def test_a_process_that_slept_has_lost_contact() -> None:
    contact = Contact(now=0.0, longest_gap_s=30.0)
    contact.kept(20.0)
    assert contact.unbroken_s(90.0) == 0.0
    contact.kept(90.0)
    assert contact.unbroken_s(90.0) == 0.0
    contact.kept(100.0)
    assert contact.unbroken_s(100.0) == 10.0
