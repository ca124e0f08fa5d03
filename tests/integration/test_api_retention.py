"""What callers and operators see of retention: nothing of a job whose time is over, and what sweeps did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder.model import evidence
from encoder.model.policy import Policy, Rule
from encoder.store.postgres import PostgresStore
from encoder.store.sweeps import SweepEnd
from tests.integration.test_dashboard_settings import see
from tests.lab import ended
from tests.lab.api import Api, running

THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    policy = Policy(hours=336, rules=(Rule(hours=0, tag="<retain>"), Rule(hours=2, tenant=99)))
    async with running(store, tmp_path, policy=policy) as up:
        yield up


async def status(api: Api, method: str, path: str) -> tuple[int, str]:
    async with api.ask(method, path) as response:
        told = await response.json() if "json" in response.headers["Content-Type"] else {}
        return response.status, str(told.get("code", ""))


async def test_nothing_of_a_job_whose_time_is_over_is_handed_out(
    api: Api, store: PostgresStore, dsn: str, tmp_path: Path
) -> None:
    (job,) = await ended.fill(dsn, 1, ended.into_folder(tmp_path / "storage"))
    (tmp_path / "storage" / f"{evidence.prefix(job.uuid, 0)}/{evidence.TOLD}").write_text('{"streams": []}')
    told = await api.get(f"/jobs/{job.id}")
    link = told["outputs"][0]["url"].removeprefix("http://lab")
    doors = [("GET", link), ("GET", f"/jobs/{job.id}/outputs/0/evidence"), ("GET", f"/ui/media/{job.id}/0/0.mp4")]
    for method, path in doors:
        assert (await status(api, method, path))[0] == 200, path
    assert await store.mark_jobs([job.id]) == [job.id]  # type: ignore[list-item]  # as the database has it
    for method, path in [*doors[:2], ("POST", f"/jobs/{job.id}/retry")]:
        assert await status(api, method, path) == (410, "job_expired"), path
    assert (await status(api, *doors[2]))[0] == 410
    again = await api.get(f"/jobs/{job.id}")
    assert again["status"] == "completed"
    assert again["outputs"][0].get("url") is None


async def test_the_page_tells_what_is_kept_and_what_sweeps_did(api: Api, store: PostgresStore) -> None:
    page = await see(api, "/ui/settings/retention")
    assert f"14{THIN}d after their end" in page
    assert "tagged &lt;retain&gt;" in page
    assert "until somebody deletes them" in page
    assert "None yet" in page
    sweep = await store.begin_sweep(host="node-1", version="1", policy=Policy())
    await store.note_sweep(sweep, {"jobs": 1234, "bytes": 5_000_000}, more={"jobs": 1234}, blocked=3)
    assert "under way" in await see(api, "/ui/settings/retention")
    await store.end_sweep(sweep, SweepEnd.MORE, overdue=7, problem="jobs/x stays: <AccessDenied>")
    page = await see(api, "/ui/settings/retention")
    for words in (
        "1,234 jobs",
        "time was up",
        "node-1",
        "jobs/x stays: &lt;AccessDenied&gt;",
        "5\N{NARROW NO-BREAK SPACE}MB",
    ):
        assert words in page, words
    assert "14\N{NARROW NO-BREAK SPACE}d after its end" in await see(api, "/ui/jobs/999", status=404)
