"""Quotas over HTTP: said, shown, taken back; and what they do to who is next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from encoder.model.ids import WorkerId
from encoder.store.protocol import Store
from tests.lab.api import Api, running

JOB = {"source": {"url": "https://media.example.com/a.mov"}, "outputs": [{"preset": "h264"}]}


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


@pytest.mark.both_databases
async def test_a_cap_holds_what_waits_until_it_is_taken_back(api: Api, store: Store) -> None:
    async def claimed() -> int:
        lease, deadline = timedelta(minutes=1), timedelta(hours=1)
        return len(await store.claim("encode", WorkerId(uuid4()), limit=5, lease=lease, deadline=deadline))

    path = "/tenants/1/quotas/encode"
    said = {"tenant": 1, "queue": "encode", "cap": 1, "share": 1}
    assert await api.told("PUT", path, {"cap": 1}) == (200, said)
    jobs = [await api.submit(JOB) for _ in range(3)]
    assert await claimed() == 1
    assert await claimed() == 0
    assert (await api.get(f"/jobs/{jobs[2]['id']}"))["waitingFor"]["reason"] == "cap"
    assert (await api.get("/quotas"))["quotas"] == [said]
    assert await api.told("DELETE", path) == (204, None)
    assert (await api.get("/quotas"))["quotas"] == []
    assert await claimed() == 2


async def test_what_is_left_out_is_as_for_everybody(api: Api) -> None:
    path = "/tenants/7/quotas/io"
    for body, cap, share in (({"cap": 0, "share": 3}, 0, 3), ({"share": 2}, None, 2), ({"cap": 4}, 4, 1)):
        assert (await api.told("PUT", path, body))[1] == {"tenant": 7, "queue": "io", "cap": cap, "share": share}
    assert (await api.told("PUT", path, {}))[1]["cap"] is None
    assert (await api.get("/quotas"))["quotas"] == []


async def test_what_is_no_quota_changes_nothing(api: Api) -> None:
    for tenant in ("0", "-1", "a", "9" * 19, "1%00"):
        assert (await api.told("PUT", f"/tenants/{tenant}/quotas/encode", {"cap": 1}))[0] == 404, tenant
        assert (await api.told("DELETE", f"/tenants/{tenant}/quotas/encode"))[0] == 404, tenant
    for queue in ("gpu", "a%20b", "%00"):
        status, problem = await api.told("PUT", f"/tenants/1/quotas/{queue}", {"cap": 1})
        assert (status, problem["detail"]) == (404, "There is no such queue; known are encode, io.")
    wrong = {"cap": -1, "share": 0, "limit": 1}
    status, problem = await api.told("PUT", "/tenants/1/quotas/encode", wrong)
    assert (status, {fault["path"] for fault in problem["errors"]}) == (422, {"/cap", "/share", "/limit"})
    assert (await api.told("PUT", "/tenants/1/quotas/encode", {"cap": None}))[0] == 422
    assert (await api.get("/quotas"))["quotas"] == []
