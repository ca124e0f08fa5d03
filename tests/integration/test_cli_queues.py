"""What operators say of queues on the command line: pauses by the API, quotas by the database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder.store.postgres import PostgresStore
from tests.lab.api import Api, running
from tests.lab.command import encoder


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def test_a_queue_is_paused_shown_and_resumed(api: Api) -> None:
    assert (await encoder("pause", "encode", "--because", "the driver", url=api.url)).code == 0
    shown = await encoder("stats", url=api.url)
    assert "queue encode 0 waiting, 0 ready, 0 running, 0 scheduled  paused since" in shown.out
    assert shown.out.count("the driver") == 1
    resumed = await encoder("resume", "encode", "--json", url=api.url)
    assert json.loads(resumed.out)["pausedSince"] is None
    assert (await encoder("resume", "nobody", url=api.url)).code == 2


async def test_a_quota_is_set_replaced_and_listed(dsn: str) -> None:
    for cap in ("4", "3"):
        assert (await encoder("quota", "7", "encode", "--cap", cap, ENCODER_DATABASE_URL=dsn)).code == 0
    listed = await encoder("quota", "--json", ENCODER_DATABASE_URL=dsn)
    assert json.loads(listed.out) == {"tenant_id": 7, "queue": "encode", "cap": 3, "share": 1}
    assert (await encoder("quota", "7", ENCODER_DATABASE_URL=dsn)).code == 2
