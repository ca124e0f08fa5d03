"""The fleet, its queues, what was done over time and what is wrong, over HTTP: what each key sees of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from encoder.api.auth import KeyGate
from encoder.model.ids import DEFAULT_TENANT, OutputId, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.queue import settle
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from encoder.store.rows import Beat, Lack, Live
from tests.contracts.store_usage import delivered
from tests.lab import work
from tests.lab.api import Api, running

OTHER = TenantId(2)


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


@pytest.mark.both_databases
async def test_a_worker_tells_what_it_runs_and_when_it_is_lost_with_what(api: Api, store: Store) -> None:
    worker = work.new_worker()
    await store.hello(worker)
    machine = dict.fromkeys(("memoryBytes", "memoryUsedBytes", "scratchBytes", "scratchUsedBytes"), 5)
    await store.tell_about(worker.id, worker.about | {"machine": {"load": 3.1, "cores": 4, **machine}})
    own = await work.enqueue(store, label="mine.mov")
    theirs = await work.enqueue(store, tenant=OTHER, label="secret.mov")
    claims = await work.claim(store, worker=worker.id, limit=2, lease=work.PAST)
    expired = await store.expired()
    heart = store.heart()
    live = {
        OutputId(0): Live(stage="encoding", progress=0.4, fps=118.0, speed=3.9, eta_seconds=240.0),
        OutputId(1): Live(stage="waiting", progress=0.2, lack=Lack(what="scratch", needed_bytes=2, free_bytes=1)),
    }
    beats = [Beat(task_id=each.task_id, epoch=each.epoch, stage="encoding", live=live) for each in claims]
    await heart.beat(worker.id, beats, lease=work.LEASE)
    await heart.close()

    (told,) = (await api.get("/workers"))["workers"]
    assert (told["status"], told["pid"], told["machine"]["load"], told["about"]) == ("live", 7, 3.1, worker.about)
    by_job = {task["jobId"]: task for task in told["running"]}
    assert {job: (task["name"], task["tenant"]) for job, task in by_job.items()} == {
        own.id: ("mine.mov", DEFAULT_TENANT),
        theirs.id: (None, OTHER),
    }
    assert "secret" not in str(told)
    assert by_job[own.id]["progress"] == pytest.approx(0.3)
    first, second = by_job[own.id]["outputs"]
    assert (first["fps"], first["speed"], first["etaSeconds"], second["waitsFor"]) == (118.0, 3.9, 240.0, "scratch")

    for each in expired:
        await store.note_lost(each.worker_id, each.claim, settle.lost(each.claim).state)
    assert (await api.get("/workers"))["workers"] == []
    (told,) = (await api.get("/workers?lost=true"))["workers"]
    assert told["status"] == "lost"
    assert {(taken["jobId"], taken["status"]) for taken in told["taken"]} == {
        (own.id, "waiting"),
        (theirs.id, "waiting"),
    }
    (trouble,) = (await api.get("/troubles/all"))["troubles"]
    assert (trouble["code"], trouble["count"], trouble["page"]) == ("workers_lost", 1, "/ui/fleet")
    assert trouble["since"] == told["seenAt"]
    assert (await api.get("/troubles"))["troubles"] == []


@pytest.mark.both_databases
async def test_queues_tell_what_waits_for_what(api: Api, store: Store) -> None:
    await store.hello(work.new_worker(queues=("encode", "gpu")))
    await api.told("PUT", f"/tenants/{OTHER}/quotas/encode", {"cap": 0})
    for _ in range(2):
        await work.enqueue(store, tenant=OTHER)
    for _ in range(4):
        await work.enqueue(store)
    for _ in range(3):
        await work.enqueue(store, queue="gpu")
    claims = await work.claim(store, limit=2)
    await store.settle(claims[0], work.retrying(timedelta(hours=1)))
    await api.told("POST", "/queues/gpu/pause?because=driver")

    encode, gpu, io = (await api.get("/queues"))["queues"]
    assert {each["reason"]: each["tasks"] for each in encode["waits"]} == {"cap": 2, "slot": 2, "backoff": 1}
    assert (encode["workers"], encode["slots"], encode["running"]) == (1, 2, 1)
    assert encode["arrivalsPerMinute"] == pytest.approx(6 / 5)
    assert 0 <= encode["waitP50Seconds"] <= encode["waitP95Seconds"] < 60
    assert {each["tenant"]: (each["waiting"], each["cap"]) for each in encode["tenants"]}[OTHER] == (2, 0)
    assert {each["reason"]: each["tasks"] for each in gpu["waits"]} == {"paused": 3}
    assert (gpu["pausedBecause"], gpu["pausedBy"]) == ("driver", None)
    assert (io["waits"], io["waitP95Seconds"], io["workers"]) == ([], None, 0)
    assert [each["code"] for each in (await api.get("/troubles/all"))["troubles"]] == ["queue_paused"]


@pytest.mark.both_databases
async def test_insights_tell_what_ended_as_json_and_as_csv(api: Api, store: Store) -> None:
    for cpu in (12.0, 3.0):
        await delivered(store, seconds=60.0, cpu=cpu, size_bytes=10, presets=("web",))
    await delivered(store, seconds=30.0, cpu=1.0, size_bytes=5, tenant=OTHER, end=work.failing(work.problem("timeout")))
    told = await api.get("/insights?range=1h")
    assert (told["range"], told["complete"], len(told["buckets"])) == ("1h", True, 12)
    assert told["jobs"] == {"completed": 0, "failed": 2, "cancelled": 0}
    assert sum(bucket["jobs"]["failed"] for bucket in told["buckets"]) == 2
    assert [(each["code"], each["jobs"]) for each in told["failures"]] == [("source_truncated", 2)]
    assert told["usage"] == [
        {
            "tenant": DEFAULT_TENANT,
            "preset": "web",
            "outputs": 2,
            "outputMinutes": 2.0,
            "cpuSeconds": 15.0,
            "deliveredBytes": 20,
        }
    ]
    assert told["waitP50Seconds"] <= told["waitP95Seconds"]
    every = await api.get("/insights/all?range=30d")
    assert every["jobs"]["failed"] == 3
    assert {each["tenant"] for each in every["usage"]} == {DEFAULT_TENANT, OTHER}
    async with api.ask("GET", "/insights?range=1h&csv=usage") as response:
        assert (response.status, response.content_type) == (200, "text/csv")
        assert (await response.text()).splitlines() == [
            "tenant,preset,outputs,outputMinutes,cpuSeconds,deliveredBytes",
            "1,web,2,2.0,15.0,20",
        ]
    assert (await api.told("GET", "/insights?range=2h"))[0] == 400


async def test_a_key_sees_no_more_than_its_scope_and_a_pause_tells_its_name(store: Store, tmp_path: Path) -> None:
    async def key(name: str, *scopes: Scope) -> dict[str, str]:
        text = new_key()
        new = NewKey(tenant_id=OTHER, name=name, prefix=shown(text), digest=digest(text), scopes=frozenset(scopes))
        await store.add_key(new)
        return {"Authorization": f"Bearer {text}"}

    reader, admin = await key("reader", Scope.READ), await key("ci-admin", Scope.ADMIN)
    await work.enqueue(store)
    async with running(store, tmp_path, gate=KeyGate(store)) as api:
        for path in ("/workers", "/queues", "/insights/all", "/troubles/all"):
            async with api.ask("GET", path, headers=reader) as response:
                assert response.status == 403, path
            async with api.ask("GET", path, headers=admin) as response:
                assert response.status == 200, path
        for path in ("/insights", "/troubles"):
            async with api.ask("GET", path, headers=reader) as response:
                assert response.status == 200, path
        async with api.ask("POST", "/queues/encode/pause?because=driver", headers=admin):
            pass
        async with api.ask("GET", "/queues", headers=admin) as response:
            encode, _ = (await response.json())["queues"]
            assert (encode["pausedBecause"], encode["pausedBy"]) == ("driver", "ci-admin")
        async with api.ask("GET", "/troubles", headers=reader) as response:
            assert (await response.json())["troubles"] == []
