"""Sent again under its key, a request makes nothing a second time, wherever the first answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from encoder.store.engines import open_store
from tests.lab import databases
from tests.lab.api import Api, running
from tests.lab.gate import Gate

JOB: dict[str, Any] = {"source": {"url": "https://media.example.com/in.mov"}, "outputs": [{"preset": "h264"}]}
KEY = {"Idempotency-Key": "order-42"}

pytestmark = pytest.mark.both_databases


@dataclass(kw_only=True)
class Far:
    """An API whose database lies behind a gate, and that database as it is."""

    api: Api
    gate: Gate
    dsn: str

    async def post(self, **more: Any) -> tuple[int, Any, bool]:  # noqa: ANN401  # JSON
        """Status, body, and whether it was told again."""
        async with self.api.ask("POST", "/jobs", headers=KEY, **{"json": JOB, **more}) as response:
            return response.status, await response.json(), "Idempotency-Replayed" in response.headers

    async def jobs(self) -> list[int]:
        return [int(number) for (number,) in await databases.ask(self.dsn, "SELECT id FROM jobs ORDER BY id")]


@pytest.fixture
async def far(dsn: str, tmp_path: Path) -> AsyncIterator[Far]:
    async with Gate(target=dsn) as gate:
        store = await open_store(gate.dsn)
        try:
            async with running(store, tmp_path) as api:
                assert (await api.get("/jobs"))["jobs"] == []  # a connection is there
                yield Far(api=api, gate=gate, dsn=dsn)
        finally:
            gate.before_answer = at_once
            gate.admit()
            await store.close()


async def at_once() -> None:
    """Nothing is waited for."""


async def test_a_commit_whose_answer_was_cut_off_is_found_again_by_its_key(far: Far) -> None:
    """K2"""

    async def cut_once_stored() -> None:
        if await far.jobs():
            far.gate.cut()

    far.gate.before_answer = cut_once_stored
    status, told, _ = await far.post()
    assert (status, told["code"]) == (503, "database_unavailable")
    far.gate.before_answer = at_once
    status, told, replayed = await far.post()
    assert (status, replayed) == (202, True)
    assert await far.jobs() == [told["id"]]


async def test_a_client_that_went_while_its_job_was_stored_finds_it_again(far: Far) -> None:
    """A18: it resets after the commit and before the answer."""
    stored, gone = asyncio.Event(), asyncio.Event()

    async def hold_once_stored() -> None:
        if await far.jobs():
            stored.set()
            await gone.wait()

    far.gate.before_answer = hold_once_stored
    posted = asyncio.create_task(far.post())
    await asyncio.wait_for(stored.wait(), 10)
    posted.cancel()
    await asyncio.gather(posted, return_exceptions=True)
    gone.set()
    status, told, replayed = await far.post()
    assert (status, replayed) == (202, True)
    assert await far.jobs() == [told["id"]]


async def test_a_database_that_is_down_refuses_with_the_time_to_come_back(far: Far) -> None:
    """K1: nothing was stored, and the key is good for the next try."""
    far.gate.refuse()
    async with far.api.ask("POST", "/jobs", json=JOB, headers=KEY) as response:
        assert (response.status, (await response.json())["code"]) == (503, "database_unavailable")
        assert 0 < int(response.headers["Retry-After"]) <= 6
    for path, status in (("/livez", 200), ("/readyz", 503)):
        async with far.api.ask("GET", path) as response:
            assert response.status == status
    far.gate.admit()
    status, told, replayed = await far.post()
    assert (status, replayed) == (202, False)
    assert await far.jobs() == [told["id"]]


async def test_only_what_was_accepted_keeps_the_key(far: Far) -> None:
    """A17: not a refused body, nor a dry run, well as it may end."""
    refused: list[dict[str, Any]] = [
        {"json": {}},
        {"json": JOB | {"queue": "nobody-takes-from-it"}},
        {"json": JOB, "params": {"dryRun": "true"}},
    ]
    for request in refused:
        assert (await far.post(**request))[0] >= 400
    status, told, replayed = await far.post(json=JOB | {"priority": 7})
    assert (status, replayed) == (202, False)
    assert (await far.post(json=JOB))[1]["code"] == "idempotency_mismatch"
    assert await far.jobs() == [told["id"]]


@pytest.mark.impossible_rows
async def test_a_key_is_free_after_a_day(far: Far) -> None:
    first = (await far.post())[1]["id"]
    a_day = "INTERVAL 1441 MINUTE" if databases.is_mysql(far.dsn) else "interval '1441 minutes'"
    await databases.run(far.dsn, f"UPDATE jobs SET created_at = created_at - {a_day}")  # noqa: S608  # ours
    status, told, replayed = await far.post(json=JOB | {"priority": 7})
    assert (status, replayed) == (202, False)
    assert await far.jobs() == [first, told["id"]]
