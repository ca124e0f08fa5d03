"""Quotas: how much of a queue a tenant may have, said on the database itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from encoder.cli import exits
from encoder.cli.members import members
from encoder.cli.serve import at_home, serve
from encoder.cli.text import clean
from encoder.model.ids import TenantId
from encoder.model.queue import named

if TYPE_CHECKING:
    from encoder.store.fleet import Quota
    from encoder.store.protocol import Store


@click.command()
@click.argument("tenant", type=click.IntRange(min=1), required=False)
@click.argument("queue", required=False)
@click.option("--cap", type=click.IntRange(min=0), help="At most so many run at a time.")
@click.option("--no-cap", is_flag=True, help="There is no limit, as before the first --cap.")
@click.option("--share", type=click.IntRange(1, 1000), help="Beside those of the others; 1 until one is said.")
@at_home
@click.option("--json", "as_json", is_flag=True, help="One JSON object per quota.")
def quota(
    tenant: int | None,
    queue: str | None,
    *,
    cap: int | None,
    no_cap: bool,
    share: int | None,
    data: Path,
    as_json: bool,
) -> int:
    """Say how much of a QUEUE a TENANT may have, in the database itself. What no option names stays as it is.

    Without options, show what was said: of all, of one TENANT, or of its share in one QUEUE.
    """
    from encoder.roles import operate  # noqa: PLC0415  # the whole platform hangs on it

    changes = no_cap or cap is not None or share is not None
    if no_cap and cap is not None:
        raise click.UsageError("say either --cap or --no-cap.")
    if changes and queue is None:
        raise click.UsageError("name the tenant and the queue: encode, io, or one of yours.")

    def changed(before: Quota) -> Quota:
        limit = before.cap if cap is None else cap
        return replace(before, cap=None if no_cap else limit, share=before.share if share is None else share)

    async def said(store: Store) -> Sequence[Quota]:
        if tenant is None or queue is None:
            return [each for each in await store.quotas() if tenant in (None, each.tenant_id)]
        found = await _found(store, TenantId(tenant), queue)
        if changes:
            found = changed(found)
            await store.set_quota(found)
        return [found]

    for each in serve(lambda settings: operate.on_store(settings, said, data=data)):
        click.echo(json.dumps(members(each)) if as_json else clean(_line(each)))
    return exits.DONE


async def _found(store: Store, tenant_id: TenantId, queue: str) -> Quota:
    """A tenant's quota of a queue: what was said, or what holds where nothing was."""
    from encoder.store.fleet import Quota  # noqa: PLC0415  # as in quota

    known = await store.known_queues()
    if queue not in known:
        raise exits.Wrong(f"there is no queue {clean(queue)!r}; known are {named(known)}.")
    said = (each for each in await store.quotas() if (each.tenant_id, each.queue) == (tenant_id, queue))
    return next(said, Quota(tenant_id=tenant_id, queue=queue, cap=None))


def _line(quota: Quota) -> str:
    cap = "none" if quota.cap is None else quota.cap
    return f"tenant {quota.tenant_id}  {quota.queue}  cap {cap}  share {quota.share}"
