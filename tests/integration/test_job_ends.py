"""A whole worker in this process, of which one thing is not as in life: what becomes of its job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from encoder.model.base import replace as changed
from encoder.model.ids import DEFAULT_TENANT, JobId
from encoder.model.job import Clip, OutputSpec, Place
from encoder.model.state import JobState
from encoder.plugins import Surroundings
from encoder.settings import Settings
from encoder.store.postgres import PostgresStore
from encoder.store.rows import JobRow
from encoder.vault import Vault
from encoder.wiring.machine import Machine
from encoder.wiring.worker import new_worker
from tests.lab import media, work
from tests.lab.canary import Canary
from tests.lab.dns import FakeDns
from tests.lab.platform import SECRET_KEY, WEBHOOK_SECRET, until
from tests.lab.wire import lab_web


async def test_a_name_that_leads_to_a_forbidden_address_ends_the_job_at_once(
    store: PostgresStore, tmp_path: Path
) -> None:
    """C4: at attempt 1, and nobody was dialled."""
    dns = FakeDns(script={"evil.example": [["127.66.0.1"]]})
    async with Canary() as canary:
        place: Place = {"kind": "http", "url": canary.url(host="evil.example")}
        job = await ended(store, tmp_path, place, surroundings=Surroundings(web=lab_web(lookup=dns)))
    assert dns.asked == {"evil.example": 1}
    assert fate(job) == (JobState.FAILED, "address_not_allowed", 1)


async def test_secrets_that_were_tampered_with_end_the_job_at_once(store: PostgresStore, tmp_path: Path) -> None:
    """P4"""
    place: Place = {"kind": "http", "url": "http://127.77.0.1:8000/in.mp4", "headers": {"X-Key": "***"}}
    sealed = Vault([SECRET_KEY]).seal({"/source/headers/X-Key": "s"}, tenant_id=DEFAULT_TENANT, job_uuid=uuid4())
    job = await ended(store, tmp_path, place, sealed=sealed)  # it is that of another job
    assert fate(job) == (JobState.FAILED, "secret_unreadable", 1)


async def test_a_part_that_lies_behind_the_source_ends_its_output_at_once(store: PostgresStore, tmp_path: Path) -> None:
    """A23"""
    tone: Place = {"kind": "inline", "data": media.inline_tone(), "fileName": "tone.wav"}
    job = await ended(store, tmp_path, tone, output=OutputSpec(container="m4a", clip=Clip(start=5, end=6)))
    assert fate(job) == (JobState.FAILED, "invalid_range", 1)


def fate(job: JobRow) -> tuple[JobState, str | None, int]:
    (output,) = job.outputs
    return job.state, job.problem.code if job.problem else None, output.attempts


async def ended(
    store: PostgresStore,
    folder: Path,
    source: Place,
    *,
    surroundings: Surroundings | None = None,
    sealed: bytes | None = None,
    output: OutputSpec | None = None,
) -> JobRow:
    """The job with this source, when a worker has brought it to its end."""
    new = work.new_job(sealed=sealed)
    outputs = new.spec.outputs if output is None else (output,)
    accepted = await store.enqueue(replace(new, spec=changed(new.spec, source=source, outputs=outputs)))
    settings = Settings(
        storage=f"file:{folder / 'storage'}",
        scratch_dir=folder / "scratch",
        secret_keys=(SecretStr(SECRET_KEY),),
        webhook_secret=(SecretStr(WEBHOOK_SECRET),),
    )
    machine = Machine(settings)
    if surroundings is not None:
        vars(machine)["surroundings"] = surroundings
    scratch = machine.scratch()
    await scratch.open()
    worker = await new_worker(machine, store, scratch, machine.budget(scratch))
    running = asyncio.create_task(worker.run())
    try:
        await until(partial(has_ended, store, accepted.id), within_s=20)
    finally:
        worker.stop()
        await running
        await scratch.close()
    job = await store.job(DEFAULT_TENANT, str(accepted.id))
    assert job is not None
    return job


async def has_ended(store: PostgresStore, job_id: JobId) -> bool:
    job = await store.job(DEFAULT_TENANT, str(job_id))
    return job is not None and job.finished_at is not None
