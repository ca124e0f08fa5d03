"""Keys that seal secrets are exchanged while jobs live, wherever their secrets are kept."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest

from encoder import errors
from encoder.model.ids import DEFAULT_TENANT, JobId
from encoder.queue import rewrap as exchange
from encoder.store.kept import SealedRow
from encoder.store.protocol import Store
from encoder.vault import Vault, new_key
from tests.lab import work
from tests.lab.api import running
from tests.lab.command import encoder

JOB = {
    "source": {"url": "https://media.example.com/in.mp4?token=s3cret", "headers": {"Authorization": "s3cret"}},
    "outputs": [{"preset": "h264"}],
    "notificationUrl": "https://media.example.com/hook?token=s3cret",
}
UPLOAD = {"file_name": "in.mp4", "notificationUrl": "https://media.example.com/hook?token=s3cret"}
KEYS = {"access_key_id": "AKIA", "access_key_secret": "s3cret"}
NAMED = {
    "/webhooks/endpoints/ours": {"url": "https://media.example.com/hook?token=s3cret"},
    "/compat/elastictranscoder/pipelines/ours": {
        "input": {"bucket": "uploads", **KEYS},
        "output": {"bucket": "outputs", **KEYS},
    },
    "/ingest/rules/ours": {"source": {"bucket": "uploads", **KEYS}, "outputs": [{"preset": "h264"}]},
}


async def everything(store: Store) -> list[SealedRow]:
    of_jobs, _ = await store.sealed_jobs(after=JobId(0), limit=1000)
    return [*await store.sealed_elsewhere(), *of_jobs]


async def kept_under(store: Store, folder: Path, key: str) -> None:
    """Some jobs with secrets, one that waits for its upload, and one with a secret of all that a tenant names."""
    async with running(store, folder, vault=Vault([key])) as api:
        for _ in range(5):
            await api.submit(JOB)
        async with api.ask("POST", "/upload", json=UPLOAD) as response:
            assert response.status == 200, await response.text()
        for path, body in NAMED.items():
            async with api.ask("PUT", path, json=body) as response:
                assert response.status in {200, 201}, await response.text()
        async with api.ask("POST", "/webhooks/endpoints/ours/rotate") as response:
            assert response.status == 200


def opens(key: str, row: SealedRow) -> bool:
    try:
        Vault([key]).open(row.sealed, tenant_id=row.tenant_id, job_uuid=row.uuid)
    except errors.Permanent:
        return False
    return True


@pytest.mark.both_databases
async def test_after_an_exchange_the_new_key_opens_all_and_the_old_one_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2"""
    monkeypatch.setattr(exchange, "_BATCH", 2)
    old, new = new_key(), new_key()
    for _ in range(5):  # more than are read at once
        await work.enqueue(store, sealed=None)
    assert await store.sealed_jobs(after=JobId(0), limit=2) == ([], JobId(2))
    await kept_under(store, tmp_path, old)
    before = await everything(store)
    assert Counter(row.kind for row in before) == {"job": 5, "endpoint": 3, "pipeline": 1, "rule": 1, "upload": 1}
    done = await exchange.rewrap(store, Vault([new, old]))
    assert (done.done, done.kept, done.lost) == (len(before), 0, 0)
    after = await everything(store)
    assert [(row.kind, row.uuid) for row in after] == [(row.kind, row.uuid) for row in before]
    assert [(opens(new, row), opens(old, row)) for row in after] == [(True, False)] * len(after)


async def test_the_command_tells_what_it_did_and_what_no_key_opens(dsn: str, store: Store, tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    await kept_under(store, tmp_path, old)
    strange = Vault([new_key()]).seal({"/a": "b"}, tenant_id=DEFAULT_TENANT, job_uuid=uuid4())
    await work.enqueue(store, sealed=strange)
    whole = len(await everything(store)) - 1
    settings = {"ENCODER_DATABASE_URL": dsn, "ENCODER_SECRET_KEYS": f"{new},{old}"}
    told = [await encoder("rewrap", "--json", **settings) for _ in range(2)]
    assert [json.loads(each.out) for each in told] == [
        {"done": whole, "kept": 0, "lost": 1},
        {"done": 0, "kept": whole, "lost": 1},
    ]
    assert [each.code for each in told] == [1, 1]
    assert (await encoder("rewrap", ENCODER_DATABASE_URL=dsn)).code == 2
