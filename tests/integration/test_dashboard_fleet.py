"""Fleet, queues, insights and the strip, as HTML without a script: they tell what the API tells, to whom it may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from encoder.api.auth import KeyGate
from encoder.model.base import Json
from encoder.model.ids import OutputId, TenantId, WorkerId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.model.state import TaskState
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Claim, Live
from tests.contracts.store_usage import delivered
from tests.integration.test_dashboard_jobs import OURS, fields_of, page, post, said
from tests.lab import work
from tests.lab.api import Api, running

OTHER = TenantId(2)
HOSTILE = '"><img src=x onerror=alert(1)>\u202e.mov'


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def busy(store: Store) -> tuple[Claim, Claim]:
    """A worker that runs a job of each of two tenants."""
    worker = work.new_worker("w3")
    sizes: dict[str, Json] = {
        "memoryBytes": 4000,
        "memoryUsedBytes": 1000,
        "scratchBytes": 1 << 40,
        "scratchUsedBytes": 1 << 39,
    }
    machine: dict[str, Json] = {"load": 3.1, "cores": 4, **sizes}
    await store.hello(worker)
    about: dict[str, Json] = {"ffmpeg": "8.1.2", "warnings": ["CVE-1 (HLS): only the box"], "machine": machine}
    await store.tell_about(worker.id, about)
    await work.enqueue(store, label=HOSTILE)
    await work.enqueue(store, tenant=OTHER, label="secret.mov")
    claims = await work.claim(store, worker=worker.id, limit=2)
    live = {OutputId(0): Live(stage="encoding", progress=0.41, fps=118.0, speed=3.9, eta_seconds=240.0)}
    heart = store.heart()
    beats = [Beat(task_id=each.task_id, epoch=each.epoch, stage="encoding", live=live) for each in claims]
    await heart.beat(worker.id, beats, lease=work.LEASE)
    await heart.close()
    first, second = sorted(claims, key=lambda claim: claim.job_id)
    return first, second


@pytest.mark.both_databases
async def test_the_fleet_tells_what_runs_where_and_whose_names_it_may(api: Api, store: Store) -> None:
    own, theirs = await busy(store)
    text = await page(api, "/ui/fleet")
    (worker,) = (await api.get("/workers"))["workers"]
    assert "<strong>1</strong> live" in text
    assert "<strong>2</strong> of <strong>2</strong> slots busy" in text
    assert f'href="/ui/jobs/{own.job_id}"' in text
    assert f'href="/ui/jobs/{theirs.job_id}"' not in text
    assert "secret" not in text
    assert f'j{theirs.job_id} <span class="muted">of tenant 2' in text
    assert "<img" not in text
    assert "\\u202e" in text
    for told in ("118", "3.9×", "~4", "3.1/4", "has known faults", "CVE-1"):
        assert told in text, told
    one = await page(api, f"/ui/fleet/{worker['id']}")
    assert "libx264" in one
    assert "secret" not in one
    part = await page(api, "/ui/parts/fleet")
    assert "<html" not in part
    assert f"t{own.task_id}" in part

    await store.note_lost(WorkerId(UUID(worker["id"])), own, TaskState.WAITING)
    await store.note_lost(WorkerId(UUID(worker["id"])), theirs, TaskState.FAILED)
    text = await page(api, "/ui/fleet")
    assert "1 lost" in text
    assert f"lost with j{own.job_id}, j{theirs.job_id} (failed); they were taken over" in text
    async with api.ask("GET", "/ui/fleet/nobody") as response:
        assert response.status == 404


@pytest.mark.both_databases
async def test_queues_are_held_with_a_reason_when_it_is_meant_and_let_go(api: Api, store: Store) -> None:
    await store.hello(work.new_worker(queues=("encode", "gpu")))
    for _ in range(3):
        await work.enqueue(store, queue="gpu")
    path = "/ui/queues/gpu/pause"
    asked = await post(api, path, ("because", "the driver"))
    assert asked.status == 200
    fields = fields_of(await asked.text())
    assert ("because", "the driver") in fields
    assert (await api.get("/queues"))["queues"][1]["pausedSince"] is None
    assert said(await post(api, path, *fields, ("confirm", "1"))) == "Queue gpu is paused."
    text = await page(api, "/ui/queues")
    assert "3 paused" in text
    assert "“the driver”" in text
    assert "<strong>3</strong> tasks wait" in text
    assert "Queue gpu is paused: the driver, 3 tasks wait since" in text
    assert said(await post(api, "/ui/queues/gpu/resume")) == "Queue gpu goes on."
    assert (await api.get("/queues"))["queues"][1]["pausedSince"] is None
    assert (await post(api, "/ui/queues/nobody/pause", ("confirm", "1"))).status == 404
    async with api.ask("POST", path, data={"confirm": "1"}, headers={"Sec-Fetch-Site": "cross-site"}) as response:
        assert response.status == 403


async def test_a_quota_is_kept_as_the_api_would(api: Api) -> None:
    fields = [("tenant", "7"), ("queue", "encode"), ("cap", "2"), ("share", "3")]
    assert said(await post(api, "/ui/queues/quotas", *fields)) == "Tenant 7 has a cap of 2 and a share of 3."
    assert (await api.get("/quotas"))["quotas"] == [{"tenant": 7, "queue": "encode", "cap": 2, "share": 3}]
    assert "<td>encode</td>" in await page(api, "/ui/queues")
    for wrong in (("tenant", "x"), ("tenant", "0"), ("cap", "-1"), ("share", "0"), ("queue", "nobody")):
        rest = [field for field in fields if field[0] != wrong[0]]
        assert (await post(api, "/ui/queues/quotas", *rest, wrong)).status in (400, 404, 422), wrong
    fields = [("tenant", "7"), ("queue", "encode"), ("cap", ""), ("share", "")]
    assert said(await post(api, "/ui/queues/quotas", *fields)) == "Tenant 7 has no cap and a share of 1."
    assert (await api.get("/quotas"))["quotas"] == []


@pytest.mark.both_databases
async def test_insights_show_the_numbers_of_the_api_and_give_them_as_csv(api: Api, store: Store) -> None:
    await delivered(store, seconds=90.0, cpu=120.0, size_bytes=10, presets=("web",))
    await delivered(store, seconds=60.0, cpu=1.0, tenant=OTHER, presets=("theirs",))
    told = await api.get("/insights/all?range=1h")
    text = await page(api, "/ui/insights?range=1h")
    assert f"<strong>{sum(told['jobs'].values())}</strong> jobs ended: 0 completed" in text
    assert "source_truncated" in text
    for each in told["usage"]:
        assert f"<td>{each['preset']}</td>" in text
    own = await page(api, "/ui/insights?range=1h&of=own")
    assert "theirs" not in own
    async with api.ask("GET", "/ui/insights?range=1h&of=own&csv=usage") as response:
        assert response.content_type == "text/csv"
        assert (await response.text()).splitlines()[1] == "1,web,1,1.5,120.0,10"
    for wanted in ("24h", "7d", "30d"):
        assert "<figure" in await page(api, f"/ui/insights?range={wanted}")
    async with api.ask("GET", "/ui/insights?range=1y") as response:
        assert response.status == 400


async def test_a_key_that_only_reads_sees_its_own_insights_and_no_fleet(store: Store, tmp_path: Path) -> None:
    text = new_key()
    scopes = frozenset({Scope.READ})
    await store.add_key(NewKey(tenant_id=OTHER, name="reader", prefix=shown(text), digest=digest(text), scopes=scopes))
    await delivered(store, seconds=60.0, cpu=1.0, presets=("of-one",))
    await store.pause("encode", "the rack")
    async with running(store, tmp_path, gate=KeyGate(store)) as api:
        entered = await post(api, "/ui/login", ("key", text))
        cookie = {"Cookie": f"__Host-encoder={entered.cookies['__Host-encoder'].value}"}
        for path in ("/ui/fleet", "/ui/parts/fleet", "/ui/queues", "/ui/parts/queues"):
            async with api.ask("GET", path, headers=cookie) as response:
                assert response.status == 403, path
                assert "admin" in await response.text()
        async with api.ask("GET", "/ui/insights?of=all", headers=cookie) as response:
            told = await response.text()
            assert response.status == 200
        assert "No job ended" in told
        assert "of-one" not in told
        assert "the rack" not in told
        async with api.ask("POST", "/ui/queues/encode/resume", headers=cookie | OURS) as response:
            assert response.status == 403
