"""Whose task is next: max-min fairness by what each tenant has now. Without counters: nothing leaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from encoder.model.ids import TaskId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One that waits in a queue. `used`: weights in line and running; `cap`: the most of them, None without limit."""

    id: TenantId
    used: int
    cap: int | None
    share: int

    def with_one_more(self, used: int, weight: int) -> int | None:
        """What it has then; None beyond its cap. A task heavier than the cap counts as the cap: so it runs alone."""
        if self.cap is None:
            return used + weight
        after = used + min(weight, self.cap)
        return after if used < after <= self.cap else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A task that waits."""

    id: TaskId
    weight: int


def hopeful(tenants: Sequence[Tenant], room: int) -> Sequence[Tenant]:
    """The tenants among whom `room` tasks are to be found: those that have least for their share, with one more."""
    below = [tenant for tenant in tenants if tenant.with_one_more(tenant.used, 1) is not None]
    return sorted(below, key=lambda tenant: (Fraction(tenant.used + 1, tenant.share), tenant.id))[:room]


def fair_order(tenants: Sequence[Tenant], heads: Mapping[TenantId, Sequence[Head]], room: int) -> Sequence[TaskId]:
    """Up to `room` tasks, in the order in which they are to stand in line. `heads`: of each tenant, in its order.

    Again and again the next task of the tenant that has least for its share once it has it; of two, the older task.
    A tenant whose next task does not fit below its cap is passed over: its tasks do not overtake each other.
    """
    used = {tenant.id: tenant.used for tenant in tenants}
    waiting = {tenant.id: list(reversed(heads.get(tenant.id, ()))) for tenant in tenants}
    chosen: list[TaskId] = []
    while len(chosen) < room:
        turns = [
            (Fraction(after, tenant.share), waiting[tenant.id][-1].id, tenant.id, after)
            for tenant in tenants
            if waiting[tenant.id]
            and (after := tenant.with_one_more(used[tenant.id], waiting[tenant.id][-1].weight)) is not None
        ]
        if not turns:
            break
        _, task, tenant_id, after = min(turns)
        chosen.append(task)
        used[tenant_id] = after
        waiting[tenant_id].pop()
    return chosen
