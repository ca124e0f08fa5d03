"""A tenant that has as many jobs as it may have, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from encoder.api.auth import KeyGate
from encoder.model.key import Scope
from encoder.queue.ceiling import COUNT_AGAIN_S, Ceiling
from encoder.queue.enqueue import Enqueue
from encoder.store.protocol import Store
from encoder.vault import Vault, new_key
from tests.integration.test_api_keys import JOB, Door
from tests.lab.api import running

pytestmark = pytest.mark.both_databases


@pytest.fixture
async def door(store: Store, tmp_path: Path) -> AsyncIterator[Door]:
    """Three jobs a tenant."""
    made: Door
    ceiling = Ceiling(store, most=3, clock=lambda: made.now)
    submit = Enqueue(store, Vault([new_key()]), max_attempts=3, new_uuid=uuid4, ceiling=ceiling)
    async with running(store, tmp_path, gate=KeyGate(store), submit=submit, loopback_only=False) as api:
        made = Door(api=api, store=store)
        yield made


async def test_a_tenant_that_has_all_it_may_have_is_told_to_come_again(door: Door) -> None:
    """N4: seen to fail where nobody counts, and where all tenants are counted together."""
    (ours, _), (theirs, _) = await door.key(*Scope, tenant=1), await door.key(*Scope, tenant=2)
    told = await asyncio.gather(*(door.ask(ours, "POST", "/jobs", json=JOB) for _ in range(20)))
    assert sorted(status for status, _, _ in told) == [202] * 3 + [429] * 17
    headers, problem = next((headers, problem) for status, headers, problem in told if status == 429)
    assert (problem["code"], headers["Retry-After"]) == ("queue_full", "30")
    assert problem["detail"] == "3 of your jobs have not ended yet, and more are not taken."
    jobs = (await door.ask(ours, "GET", "/jobs"))[2]["jobs"]
    assert len(jobs) == 3
    assert (await door.ask(theirs, "POST", "/jobs", json=JOB))[0] == 202
    await door.ask(ours, "POST", f"/jobs/{jobs[0]['id']}/cancel")
    door.now += COUNT_AGAIN_S
    assert [(await door.ask(ours, "POST", "/jobs", json=JOB))[0] for _ in range(2)] == [202, 429]


async def test_where_there_is_no_room_a_known_key_still_gets_its_first_answer(door: Door) -> None:
    """N4, A18: whoever lost the answer would else take the job for refused, and send it to somebody else."""
    key, _ = await door.key(*Scope)

    async def posted(name: str, body: object = JOB) -> tuple[int, int | str]:
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
        async with door.api.ask("POST", "/jobs", json=body, headers=headers) as response:
            answer = await response.json()
            return response.status, answer.get("id") or answer["code"]

    first = [await posted(f"{number}") for number in range(3)]
    assert [await posted(f"{number}") for number in range(3)] == first
    assert await posted("3") == (429, "queue_full")
    assert await posted("0", {**JOB, "priority": 1}) == (422, "idempotency_mismatch")
