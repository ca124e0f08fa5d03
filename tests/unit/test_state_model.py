"""Every interleaving of claim, beat, settle, rescue, cancel and split: what holds, and what each rule is there for."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from tests.lab import model
from tests.lab.model import Rules, Violation, World

PAGE = Path(__file__).parents[2] / "docs" / "why" / "reliability.md"

# the rule that is left out, and what is then broken
BROKEN = {
    "fence_by_epoch": "G[34]: a (zombie|result)",
    "guarded_rescue": "G6: the lease of a worker that beats was taken",
    "outage_guard": "G8: an outage freed a lease",
    "count_under_lock": "G15: the successor is not opened once",
}


@functools.cache
def worlds() -> dict[World, set[World]]:
    return model.explore(Rules())


def test_no_interleaving_breaks_a_guarantee() -> None:
    """G3, G4, G6, G8, G15, V12; and the model is no empty one"""
    assert f"{len(worlds()):,} states" in PAGE.read_text()


def test_from_every_state_all_tasks_can_still_end() -> None:
    """G2"""
    assert model.stranded(worlds()) == set()


@pytest.mark.parametrize("rule", BROKEN)
def test_without_any_one_of_its_rules_the_queue_is_broken(rule: str) -> None:
    with pytest.raises(Violation, match=BROKEN[rule]):
        model.explore(Rules(**{rule: False}))


def test_every_rule_is_left_out_once() -> None:
    assert BROKEN.keys() == set(Rules.__dataclass_fields__)
