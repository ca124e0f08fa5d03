"""Whose task is next: caps are kept, no slot is left empty, and nobody is ahead by more than a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from encoder.model.ids import TaskId, TenantId
from encoder.store.fair import Head, Tenant, fair_order, hopeful

ONE, TWO, THREE = TenantId(1), TenantId(2), TenantId(3)


def tenant(number: TenantId, *, used: int = 0, cap: int | None = None, share: int = 1) -> Tenant:
    return Tenant(id=number, used=used, cap=cap, share=share)


def heads(**tasks: Sequence[int]) -> Mapping[TenantId, Sequence[Head]]:
    """Tasks of weight 1, by the number of their tenant."""
    return {
        TenantId(int(name[1:])): [Head(id=TaskId(task), weight=1) for task in waiting]
        for name, waiting in tasks.items()
    }


def test_tenants_take_turns_and_the_older_task_begins() -> None:
    waiting = heads(t1=[5, 6, 7], t2=[1, 2])
    assert fair_order([tenant(ONE), tenant(TWO)], waiting, 4) == [1, 5, 2, 6]


def test_who_has_less_comes_first_until_it_has_as_much() -> None:
    assert fair_order([tenant(ONE, used=3), tenant(TWO)], heads(t1=[1, 2], t2=[5, 6, 7, 8]), 5) == [5, 6, 7, 1, 8]


def test_a_share_of_three_gets_three_of_four() -> None:
    order = fair_order([tenant(ONE, share=3), tenant(TWO)], heads(t1=range(1, 50), t2=range(50, 99)), 40)
    assert Counter("big" if task < 50 else "small" for task in order) == {"big": 30, "small": 10}


def test_a_tenant_at_its_cap_is_passed_over() -> None:
    assert fair_order([tenant(ONE, used=2, cap=2), tenant(TWO, used=9)], heads(t1=[1], t2=[2]), 2) == [2]


def test_a_task_heavier_than_the_cap_runs_alone() -> None:
    heavy = {ONE: [Head(id=TaskId(1), weight=9), Head(id=TaskId(2), weight=1)]}
    assert fair_order([tenant(ONE, cap=4)], heavy, 5) == [1]
    assert fair_order([tenant(ONE, used=1, cap=4)], heavy, 5) == []  # and what is behind it does not overtake it


def test_a_cap_of_nothing_lets_nothing_run() -> None:
    assert fair_order([tenant(ONE, cap=0)], heads(t1=[1]), 5) == []
    assert hopeful([tenant(ONE, cap=0), tenant(TWO)], 5) == [tenant(TWO)]


def test_of_many_tenants_only_as_many_are_looked_at_as_there_is_room() -> None:
    crowd = [tenant(ONE, used=2), tenant(TWO, used=1, share=4), tenant(THREE, used=1, cap=1)]
    assert [each.id for each in hopeful(crowd, 1)] == [TWO]
    assert [each.id for each in hopeful(crowd, 9)] == [TWO, ONE]


TENANTS = st.lists(
    st.builds(
        Tenant,
        id=st.integers(1, 8).map(TenantId),
        used=st.integers(0, 6),
        cap=st.none() | st.integers(0, 8),
        share=st.integers(1, 4),
    ),
    unique_by=lambda each: each.id,
    max_size=6,
)
WEIGHTS = st.lists(st.lists(st.integers(1, 3), max_size=6), min_size=6, max_size=6)


def _waiting(tenants: Sequence[Tenant], weights: Sequence[Sequence[int]]) -> dict[TenantId, list[Head]]:
    tasks = iter(range(1, 100))
    return {
        each.id: [Head(id=TaskId(next(tasks)), weight=weight) for weight in own]
        for each, own in zip(tenants, weights, strict=False)
    }


def _after(
    tenants: Sequence[Tenant], waiting: dict[TenantId, list[Head]], order: Sequence[TaskId]
) -> dict[TenantId, int]:
    """What each tenant has, once these tasks have their places."""
    used = {each.id: each.used for each in tenants}
    for each in tenants:
        for head in waiting[each.id]:
            if head.id in order:
                used[each.id] += head.weight if each.cap is None else min(head.weight, each.cap)
    return used


@given(TENANTS, WEIGHTS, st.integers(0, 20))
def test_no_cap_is_passed_and_no_room_is_left_that_somebody_could_have(
    tenants: list[Tenant], weights: list[list[int]], room: int
) -> None:
    waiting = _waiting(tenants, weights)
    order = fair_order(tenants, waiting, room)
    used = _after(tenants, waiting, order)
    assert len(set(order)) == len(order) <= room
    for each in tenants:
        mine = [head.id for head in waiting[each.id] if head.id in order]
        assert mine == [head.id for head in waiting[each.id]][: len(mine)]  # in their order
        if mine:
            assert each.cap is None or used[each.id] <= each.cap
        if len(order) < room and len(mine) < len(waiting[each.id]):
            left = waiting[each.id][len(mine)].weight
            assert each.cap is not None
            assert each.cap == 0 or used[each.id] + min(left, each.cap) > each.cap


@given(st.lists(st.integers(0, 6), min_size=2, max_size=5), st.integers(1, 30))
def test_no_tenant_is_ahead_of_another_that_still_waits_by_more_than_a_task(used: list[int], room: int) -> None:
    tenants = [tenant(TenantId(number), used=have) for number, have in enumerate(used, 1)]
    waiting = _waiting(tenants, [[1] * 6] * len(tenants))
    order = fair_order(tenants, waiting, room)
    have = _after(tenants, waiting, order)
    for each in tenants:
        still_waits = any(head.id not in order for head in waiting[each.id])
        others = [have[other.id] for other in tenants if any(head.id in order for head in waiting[other.id])]
        assert not still_waits or all(most <= have[each.id] + 1 for most in others)


@given(TENANTS, WEIGHTS, st.integers(1, 20))
def test_who_is_left_out_beforehand_would_have_got_nothing(
    tenants: list[Tenant], weights: list[list[int]], room: int
) -> None:
    """With tasks of equal weight, which all of ours have."""
    waiting = {
        tenant: own or [Head(id=TaskId(900 + tenant), weight=1)] for tenant, own in _waiting(tenants, weights).items()
    }
    equal = {each: [Head(id=head.id, weight=1) for head in own] for each, own in waiting.items()}
    few = fair_order(hopeful(tenants, room), equal, room)
    assert len(few) == len(fair_order(tenants, equal, room))
