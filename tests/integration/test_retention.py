"""Retention on real databases and real storages: what goes, what stays, and what a death in between leaves."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from encoder.model.ids import DEFAULT_TENANT
from encoder.model.policy import Policy, Rule
from encoder.retention import jobs as jobs_of
from encoder.retention import strays
from encoder.retention.rounds import rounds
from encoder.retention.survey import survey
from encoder.retention.sweep import Sweep
from encoder.storage.folder_upkeep import FolderUpkeep
from encoder.storage.upkeep import Cleared, Heap
from encoder.store.protocol import Store
from encoder.store.rows import Claim
from encoder.store.sweeps import SweepEnd
from tests.contracts.store_uploads import new_upload
from tests.lab import ended, purge, work
from tests.lab.databases import run
from tests.lab.platform import Platform

HOUR = timedelta(hours=1)
DEFAULT = Policy()


def sweep_of(store: Store, root: Path, *, policy: Policy = DEFAULT) -> Sweep:
    (root / "jobs").mkdir(parents=True, exist_ok=True)
    return Sweep(store=store, upkeep=FolderUpkeep(root), policy=policy, uniform=random.uniform)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "storage"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> int:
    """How many jobs of one batch, so that a few are several."""
    monkeypatch.setattr(jobs_of, "BATCH", 25)
    return 25


@pytest.mark.both_databases
@pytest.mark.usefixtures("small")
async def test_jobs_go_with_rows_and_objects_and_a_second_sweep_is_idle(dsn: str, store: Store, root: Path) -> None:
    kept = await ended.fill(dsn, 20, ended.into_folder(root), first=5000, hours=167)
    await ended.fill(dsn, 60, ended.into_folder(root))
    report = await sweep_of(store, root).run()
    assert (report.outcome, report.blocked, report.overdue, report.problem) == (SweepEnd.DONE, 0, 0, None)
    assert report.removed == {"jobs": 60, "objects": 180, "bytes": 420}
    assert await ended.uuids(dsn) == {str(job.uuid) for job in kept} == ended.folders(root)
    assert (await ended.left(dsn))["jobs"] == 20
    again = await sweep_of(store, root).run()
    assert (again.outcome, again.removed) == (SweepEnd.DONE, {})
    assert await store.swept() == {"jobs": 60, "objects": 180}
    newest, first = await store.sweeps(limit=9)
    assert (newest.removed, first.removed, first.outcome) == ({}, report.removed, SweepEnd.DONE)


async def test_sweeps_that_are_killed_or_two_at_once_leave_no_object_without_its_row(platform: Platform) -> None:
    """Real processes; the long form of the same is `make bench ARGS=retention`."""
    chance, dsn, count = random.Random(8), platform.dsn, 2100  # noqa: S311  # repeatable
    await ended.fill(dsn, count, ended.into_folder(platform.storage))
    await purge.killed(platform, 1, chance=chance, most_s=0.05)
    left = await purge.jobs_left(platform)
    both, _ = await purge.swept(platform, at_once=2)
    assert [each.code for each in both] == [0, 0]
    assert sum(each.jobs for each in both) == left  # each once
    assert (await ended.left(dsn), ended.folders(platform.storage)) == ({}, set())
    uncounted = count - (await purge.told(platform))["jobs"]
    assert 0 <= uncounted <= jobs_of.BATCH  # whoever dies has not told of his last batch


@pytest.mark.both_databases
async def test_chunks_go_with_the_sweep_but_for_those_of_a_failed_job(store: Store, root: Path) -> None:
    folders = {}
    for name in ("done", "failed", "cancelled", "late"):
        job, claim = await work.working(store)
        if name != "late":  # whose worker lost its lease, and brought something after all was cleared
            await store.note_chunks(claim)
        folders[name] = root / "jobs" / str(job.uuid) / "chunks"
        await (store.settle(claim, work.failing()) if name == "failed" else _ended(store, claim, name))
    for folder in folders.values():
        (folder / "key" / "0-0" / "1-1").mkdir(parents=True)
        (folder / "key" / "0-0" / "1-1" / "picture").write_bytes(b"x")
    never = replace(sweep_of(store, root), policy=Policy(hours=0))
    assert (await never.run()).removed == {"objects": 2}
    assert {name for name, folder in folders.items() if folder.exists()} == {"failed", "late"}
    assert (await never.run()).removed == {}
    at_once = replace(never, policy=Policy(hours=1e-9))
    assert (await at_once.run()).removed == {"jobs": 4, "objects": 2}
    assert not any(folder.exists() for folder in folders.values())


async def _ended(store: Store, claim: Claim, how: str) -> None:
    if how == "cancelled":
        await store.cancel(claim.job_id)
    await store.settle(claim, work.CANCELLED if how == "cancelled" else work.done(0))


class _Slow(FolderUpkeep):
    """Something happens in the database while the first objects go."""

    def __init__(self, root: Path, dsn: str, happens: str) -> None:
        super().__init__(root)
        self._dsn, self._happens = dsn, [happens]

    async def clear(self, heaps: Sequence[Heap]) -> Cleared:
        while self._happens:
            await run(self._dsn, self._happens.pop())
        return await super().clear(heaps)


async def test_a_job_that_ran_again_since_it_was_found_stays(dsn: str, store: Store, root: Path, small: int) -> None:
    jobs = await ended.fill(dsn, small + 1, ended.into_folder(root))
    again = f"UPDATE jobs SET finished_at = now() WHERE id = {jobs[-1].id}"  # noqa: S608  # ours
    slow = replace(sweep_of(store, root), upkeep=_Slow(root, dsn, again))
    assert (await slow.run()).removed["jobs"] == small
    assert await ended.uuids(dsn) == ended.folders(root) == {str(jobs[-1].uuid)}


async def test_what_is_kept_by_a_rule_stays(dsn: str, store: Store, root: Path) -> None:
    jobs = await ended.fill(dsn, 3, ended.into_folder(root))
    await run(dsn, "UPDATE jobs SET tags = '{retain}' WHERE id = 2", "UPDATE jobs SET tenant_id = 7 WHERE id = 3")
    policy = Policy(hours=0, rules=(Rule(hours=0, tag="retain"), Rule(hours=1, tenant=7), Rule(hours=24)))
    found = await survey(sweep_of(store, root, policy=policy))
    assert [(share.jobs, share.bytes) for share in found.shares[2:]] == [(0, 0), (1, 7), (1, 7), (0, 0)]
    assert [share.first[0].uuid for share in found.shares if share.first] == [jobs[2].uuid, jobs[0].uuid]
    assert len(await ended.uuids(dsn)) == 3  # it only looked
    assert (await sweep_of(store, root, policy=policy).run()).removed["jobs"] == 2
    assert await ended.uuids(dsn) == {str(jobs[1].uuid)}
    never = replace(sweep_of(store, root), policy=Policy(hours=0))
    assert (await never.run()).removed == {}


async def test_what_a_death_left_marked_goes_although_the_rules_keep_it_by_now(
    dsn: str, store: Store, root: Path
) -> None:
    jobs = await ended.fill(dsn, 2, ended.into_folder(root))
    await store.mark_jobs([jobs[0].id])  # type: ignore[list-item]  # as the database has it
    await run(dsn, "UPDATE jobs SET purging_at = purging_at - interval '3 hours' WHERE id = 1")
    (root / "jobs" / str(jobs[0].uuid)).rename(root / "aside")
    (root / "jobs" / str(jobs[0].uuid)).symlink_to(root / "aside")  # so that the storage does not let it go
    report = await sweep_of(store, root, policy=Policy(hours=0)).run()
    assert (report.outcome, report.blocked, report.overdue) == (SweepEnd.DONE, 1, 1)
    assert str(jobs[0].uuid) in (report.problem or "")
    assert len(await ended.uuids(dsn)) == 2
    (root / "jobs" / str(jobs[0].uuid)).unlink()
    assert (await sweep_of(store, root, policy=Policy(hours=0)).run()).removed["jobs"] == 1
    assert await ended.uuids(dsn) == {str(jobs[1].uuid)}


@pytest.mark.usefixtures("small")
async def test_a_sweep_whose_time_is_up_leaves_the_rest_to_the_next(dsn: str, store: Store, root: Path) -> None:
    await ended.fill(dsn, 40, ended.into_folder(root))
    ticks = iter(range(1000))
    short = replace(sweep_of(store, root), clock=lambda: float(next(ticks)) / 1000)
    first = await short.run(most_s=0.012)
    assert first.outcome is SweepEnd.MORE
    assert 0 < first.removed["jobs"] < 40
    assert (await sweep_of(store, root).run()).outcome is SweepEnd.DONE
    assert await ended.left(dsn) == {}


@pytest.mark.both_databases
async def test_uploads_go_with_what_came_of_them(dsn: str, store: Store, root: Path) -> None:
    never, arrived, used, fresh = (new_upload(good_for=good) for good in (-HOUR, -HOUR, -HOUR, HOUR))
    put = ended.into_folder(root)
    for upload in (never, arrived, used, fresh):
        await store.add_upload(upload)
    put(f"{never.key.rpartition('/')[0]}/.source.part")
    for upload in (arrived, used):
        put(upload.key)
        await store.upload_arrived(upload.id, size_bytes=7)
    await store.cancel((await store.enqueue(replace(work.new_job(), upload_id=used.id))).id)
    old = "TIMESTAMP '2026-01-01 00:00:00'"
    await run(
        dsn,
        f"UPDATE uploads SET uploaded_at = {old} WHERE state = 'uploaded'",  # noqa: S608  # ours
        f"UPDATE uploads SET created_at = {old}, expires_at = {old} WHERE expires_at < created_at",  # noqa: S608  # ours
    )
    report = await sweep_of(store, root, policy=Policy(hours=1)).run()
    assert report.removed == {"uploads": 2, "objects": 2, "bytes": 7}
    assert await store.uploads_there([each.id for each in (never, arrived, used, fresh)]) == {
        used.id: False,
        fresh.id: True,
    }
    assert [path.name for path in (root / "uploads").iterdir()] == [str(used.id)]


async def test_keys_and_workers_that_fell_silent_go_after_a_day(dsn: str, store: Store, root: Path) -> None:
    worker = work.new_worker()
    await store.hello(worker)
    await work.enqueue(store, key="k", body=b"a")
    assert (await sweep_of(store, root).run()).removed == {}
    await run(
        dsn,
        "UPDATE workers SET seen_at = seen_at - interval '25 hours'",
        "UPDATE jobs SET created_at = created_at - interval '25 hours'",
    )
    assert (await sweep_of(store, root).run()).removed == {"workers": 1, "keys": 1}
    assert await store.enqueued(DEFAULT_TENANT, "k", b"a") is None
    assert await store.sweep_place("keys") is not None
    await run(dsn, "UPDATE sweeps SET started_at = started_at - interval '91 days'")
    assert (await sweep_of(store, root).run()).removed == {"sweeps": 2}


def age(root: Path, *, hours: float = 25) -> None:
    at = time.time() - hours * 3600
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (at, at))


async def test_what_nothing_leads_to_goes_after_a_day_and_what_may_be_written_now_stays(
    store: Store, root: Path
) -> None:
    live, over = await work.enqueue(store), await work.enqueue(store)
    await store.cancel(over.id)
    put = ended.into_folder(root)
    gone, young = uuid4(), uuid4()
    for key in (f"jobs/{gone}/0.mp4", f"uploads/{gone}/source", "jobs/mine/0.mp4"):
        put(key)
    for job in (live, over):
        put(f"jobs/{job.uuid}/.0123.7-1.part")
    put(f"jobs/{over.uuid}/0.mp4")
    age(root)
    put(f"jobs/{young}/0.mp4")
    report = await sweep_of(store, root).run()
    assert report.removed == {"unfinished": 1, "strays": 2}
    stands = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    ours = [f"jobs/{live.uuid}/.0123.7-1.part", f"jobs/{over.uuid}/0.mp4", f"jobs/{young}/0.mp4"]
    assert stands == sorted(["database", "jobs/mine/0.mp4", *ours])
    assert not (root / "jobs" / str(gone)).exists()


async def test_of_a_storage_that_is_another_databases_no_stray_is_touched(store: Store, root: Path) -> None:
    """A database that was lost and made anew has no row of anything: all would be stray."""
    ended.into_folder(root)(f"jobs/{uuid4()}/0.mp4")
    age(root)
    (root / "database").write_text("another")
    report = await sweep_of(store, root).run()
    assert (report.outcome, report.removed) == (SweepEnd.DONE, {})
    assert "another database" in (report.problem or "")
    (root / "database").unlink()
    assert (await sweep_of(store, root).run()).removed == {"strays": 1}


async def test_a_sweep_goes_on_with_strays_where_the_last_one_was(
    store: Store, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = sorted(str(uuid4()) for _ in range(4))
    for name in names:
        ended.into_folder(root)(f"jobs/{name}/0.mp4")
    age(root)
    await store.put_sweep_place("jobs", names[1])
    monkeypatch.setattr(strays, "KEPT", HOUR)
    assert (await sweep_of(store, root).run()).removed == {"strays": 2}
    assert (await sweep_of(store, root).run()).removed == {"strays": 2}


async def test_rounds_wait_for_what_another_process_has_swept(store: Store, root: Path) -> None:
    reports: asyncio.Queue[Any] = asyncio.Queue()
    sweep = sweep_of(store, root)

    async def first(within_s: float = 10) -> Any:  # noqa: ANN401  # what the queue has
        running = asyncio.create_task(rounds(sweep, every_s=3600, told=reports.put_nowait))
        try:
            return await asyncio.wait_for(reports.get(), within_s)
        except TimeoutError:
            return None
        finally:
            running.cancel()

    assert (await first()).outcome is SweepEnd.DONE
    assert await first(within_s=0.5) is None
    sweep = replace(sweep, policy=Policy(hours=1))  # other rules: they hold from now on
    assert (await first()).outcome is SweepEnd.DONE


@pytest.fixture
async def platform(dsn: str, tmp_path: Path) -> AsyncIterator[Platform]:
    up = Platform(dsn=dsn, folder=tmp_path)
    yield up
    await up.stop()


async def told(platform: Platform, *arguments: str, **environment: str) -> tuple[int, str]:
    role = await platform.start("retention", *arguments, **environment)
    return await role.ended(), role.log.read_text()


async def test_the_command_needs_no_secret_and_tells_scripts_and_timers_how_it_went(platform: Platform) -> None:
    """Exit code 0 done, 3 time used up, 1 failed; `--dry-run` changes nothing."""
    bare = {"ENCODER_SECRET_KEYS": "", "ENCODER_WEBHOOK_SECRET": "", "ENCODER_LOG_LEVEL": "warning"}
    jobs = await ended.fill(platform.dsn, 30, ended.into_folder(platform.storage))
    code, text = await told(platform, "--dry-run", **bare)
    assert code == 0
    assert "all others, 168 h after their end: 30 jobs (210 B)" in text
    assert str(jobs[0].uuid) in text
    assert "… and 10 more" in text
    code, text = await told(platform, "--json", "--max-seconds", "0", **bare)
    assert (code, json.loads(text)["outcome"]) == (3, "more")
    aside = platform.folder / "aside"
    platform.storage.rename(aside)
    code, text = await told(platform, "--json", **bare)
    assert (code, json.loads(text.splitlines()[-1])["outcome"]) == (1, "failed")
    assert len(await ended.uuids(platform.dsn)) == 30
    shutil.move(aside, platform.storage)
    rules = json.dumps([{"tag": "retain", "hours": 0}])
    code, text = await told(platform, "--json", ENCODER_RETENTION_RULES=rules, **bare)
    assert (code, json.loads(text)["removed"]) == (0, {"jobs": 30, "objects": 90, "bytes": 210})
