"""`encoder doctor --after-restore`: on each database, what a restored one becomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from encoder import errors
from encoder.mend import after_restore
from encoder.model.result import Delivered
from encoder.model.state import OutputState
from encoder.settings import Settings
from encoder.storage.folder import FolderStorage
from encoder.store.engines import open_store
from encoder.store.restored import LEAP
from encoder.vault import new_key
from tests.lab import databases, work

pytestmark = pytest.mark.both_databases


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(storage=f"file:{tmp_path / 'storage'}", secret_keys=(SecretStr(new_key()),))


async def test_what_was_held_waits_anew_under_epochs_and_numbers_that_were_never_given(
    dsn: str, settings: Settings
) -> None:
    store = await open_store(dsn)
    held = await work.enqueue(store)
    claim = await work.claim_one(store)
    waiting = await work.enqueue(store)
    await store.close()

    found = {finding.name: finding for finding in await after_restore(settings, dsn)}
    assert all(finding.ok for finding in found.values())
    assert found["leases"].detail.startswith("1 given back")
    assert found["epochs"].detail.startswith("2 open tasks")
    assert await databases.ask(dsn, "SELECT count(*) FROM task_leases") == [(0,)]
    assert await databases.ask(dsn, "SELECT count(*) FROM task_ready") == [(0,)]
    tasks = "SELECT job_id, state, epoch, attempt, lost, released FROM tasks ORDER BY id"
    assert await databases.ask(dsn, tasks) == [
        (held.id, "waiting", LEAP + 1, 0, 0, 1),
        (waiting.id, "waiting", LEAP, 0, 0, 0),
    ]

    store = await open_store(dsn)
    try:
        with pytest.raises(errors.LeaseLost):  # whoever held it may live yet
            await store.settle(claim, work.DONE)
        assert [(await work.claim_one(store)).epoch for _ in range(2)] == [LEAP + 2, LEAP + 1]
        assert (await work.enqueue(store)).id > LEAP
    finally:
        await store.close()


async def test_while_a_role_uses_the_database_nothing_is_touched(dsn: str, settings: Settings) -> None:
    async with databases.connection(dsn):
        with pytest.raises(errors.StoreUnavailable, match="1 sessions are open here"):
            await after_restore(settings, dsn)


async def test_outputs_that_the_storage_lacks_are_named(dsn: str, settings: Settings, tmp_path: Path) -> None:
    """One stands, one is gone, one is there in another size, and of a package a file is gone."""
    store = await open_store(dsn)
    job, claim = await work.working(store, outputs=4)
    delivered = [stands("jobs/a/0.mp4"), stands("jobs/a/1.mp4"), stands("jobs/a/2.mp4", size_bytes=5)]
    delivered.append(stands("jobs/a/hls", files=("master.m3u8", "v/1.m4s")))
    changes = tuple(work.change(at, OutputState.UPLOADED, delivered=each) for at, each in enumerate(delivered))
    for state in WAY:
        await store.mark(claim, tuple(work.change(at, state) for at in range(4)))
    await store.settle(claim, replace(work.DONE, changes=changes))
    await store.close()
    for key in ("jobs/a/0.mp4", "jobs/a/2.mp4", "jobs/a/hls/master.m3u8"):
        path = tmp_path / "storage" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"film")

    found = {finding.name: finding for finding in await after_restore(settings, dsn)}
    assert not found["objects"].ok
    assert found["objects"].detail == (
        f"3 outputs are not in the storage: output 1 of job {job.id}: jobs/a/1.mp4; "
        f"output 2 of job {job.id}: jobs/a/2.mp4; output 3 of job {job.id}: jobs/a/hls/v/1.m4s"
    )


async def test_a_storage_that_does_not_answer_hides_nothing_of_what_was_done(
    dsn: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_storage: FolderStorage, _key: str) -> None:
        raise errors.Transient("storage_unavailable", "It does not answer.")

    monkeypatch.setattr(FolderStorage, "look", away)
    store = await open_store(dsn)
    _, claim = await work.working(store)
    for state in WAY:
        await store.mark(claim, (work.change(0, state),))
    stored = work.change(0, OutputState.UPLOADED, delivered=stands("jobs/a/0.mp4"))
    await store.settle(claim, replace(work.DONE, changes=(stored,)))
    await store.close()

    found = {finding.name: finding for finding in await after_restore(settings, dsn)}
    assert [name for name, finding in found.items() if not finding.ok] == ["objects"]
    assert found["objects"].detail == "the storage cannot be asked: storage_unavailable: It does not answer."


WAY = (OutputState.ENCODING, OutputState.VERIFYING, OutputState.UPLOADING)


def stands(key: str, *, size_bytes: int = 4, files: tuple[str, ...] | None = None) -> Delivered:
    named = (key.rpartition("/")[2],) if files is None else files
    return Delivered(uri=f"storage:{key}", size_bytes=size_bytes, sha256="0" * 64, files=named)
