"""The audit sees what it is there to see: each invariant is broken on purpose, by a write that nothing else forbids."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from encoder.store.protocol import Store
from tests.lab import audit, witness, work
from tests.lab.databases import connection, run
from tests.lab.hook import Hook
from tests.lab.invariants import ALWAYS, QUIET, violations
from tests.lab.platform import SECRET_KEY, Platform, Role, until
from tests.lab.processes import children

pytestmark = pytest.mark.impossible_rows

SHORT_S = 0.3  # what is planted does not go away

# jobs: 1 is completed, 2 runs, 3 waits
PLANTED = {
    "V1 an output is open in a job that has ended": "UPDATE job_outputs SET state = 'queued' WHERE job_id = 1",
    "V1 a job is open, and nobody will end it": "UPDATE jobs SET state = 'queued' WHERE id = 1",
    "V1 a job without outputs or tasks": "DELETE FROM job_outputs WHERE job_id = 1",
    "V2 not one terminal event per run that has ended": "DELETE FROM job_events WHERE type = 'job.completed'",
    "V2 a run was told its end twice": """
        INSERT INTO job_events (job_id, seq, type, at, run, data) VALUES (1, 99, 'job.failed', now(), 1, '{}')""",
    "V2 an output was told uploaded twice": """
        INSERT INTO job_events (job_id, seq, type, at, run, output, data)
        VALUES (1, 99, 'output.uploaded', now(), 1, 0, '{}')""",
    "V2 event numbers with gaps": "UPDATE jobs SET event_seq = event_seq + 1 WHERE id = 3",
    "V2 a task has ended and no time says when": "UPDATE tasks SET finished_at = NULL WHERE job_id = 1",
    "V3 too many attempts or losses": "UPDATE tasks SET lost = 4 WHERE job_id = 2",
    "V3 attempts, releases and epochs do not add up": "UPDATE tasks SET attempt = attempt + 1 WHERE job_id = 2",
    "V3 an epoch without exactly one settle": "DELETE FROM job_events WHERE type = 'task.settled'",
    "V3 an epoch was settled that was never claimed": "UPDATE job_events SET epoch = 7 WHERE type = 'task.settled'",
    "V7 an event and its receiver without a delivery": """
        DELETE FROM webhook_deliveries WHERE event_type = 'job.completed'""",
    "V7 an end of which a receiver in another form was not told": """
        UPDATE jobs SET spec = '{"notification":{}}' WHERE id = 1;
        DELETE FROM webhook_deliveries WHERE event_type = 'job.completed'""",
    "G15 a task is blocked by another number of parts than have not ended": """
        UPDATE tasks SET state = 'blocked', pending = 1 WHERE job_id = 3""",
    "V12 a running task without its lease": "DELETE FROM task_leases",
    "V12 a lease without its running task": "UPDATE task_leases SET epoch = 2",
    "V12 a ready task without its place in line": "DELETE FROM task_ready WHERE queue = 'encode'",
    "V12 a place in line of a task that is not ready": "UPDATE tasks SET state = 'scheduled' WHERE job_id = 3",
    "V1 a job or an output has not ended": "UPDATE jobs SET state = 'queued' WHERE id = 3",
    "V7 a delivery is neither delivered nor ended": "UPDATE webhook_deliveries SET tries = 1",
    "V12 a lease is left": "UPDATE task_leases SET stage = 'left'",
    "V12 a place in line is left": "UPDATE task_ready SET weight = 2",
}

STALE = {
    "output 1/0 without a lease": "UPDATE job_outputs SET state = 'encoding' WHERE job_id = 1",
    "intent of the stale attempt 2-9": """UPDATE job_outputs SET intent = '{"token": "2-9"}' WHERE job_id = 2""",
    "from epoch 1 to 3": "UPDATE tasks SET epoch = 3 WHERE job_id = 2 AND kind = 'transcode'",
    "which had ended": "UPDATE tasks SET attempt = 9 WHERE job_id = 1 AND kind = 'transcode'",
    "whose lease is another matter": "UPDATE tasks SET state = 'ready' WHERE job_id = 2 AND kind = 'transcode'",
    "lease of task": "UPDATE task_leases SET epoch = 9",
    "task.settled of task": """
        INSERT INTO job_events (job_id, seq, type, at, run, data, task_id, epoch)
        SELECT 2, 99, 'task.settled', now(), 1, '{}', id, epoch FROM tasks WHERE job_id = 2 AND kind = 'transcode'""",
    "job 1, which had ended": "UPDATE jobs SET state = 'processing' WHERE id = 1",
}


@pytest.fixture
async def jobs(store: Store) -> None:
    """The three, as they may well stand."""
    for hook in (work.HOOK, None, None):
        await work.enqueue(store, hook=hook)
    first, second = await work.claim(store, limit=2, ahead=1)
    await store.mark(first)
    await store.settle(first, work.done(0))
    await store.mark(second)


def test_each_invariant_has_its_violation() -> None:
    assert PLANTED.keys() == ALWAYS.keys() | QUIET.keys()


@pytest.mark.both_databases
async def test_what_may_well_stand_is_no_violation(jobs: None, dsn: str) -> None:
    assert await violations(dsn, ALWAYS) == []
    assert await witness.testimony(dsn) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("name", PLANTED)
async def test_rows_that_must_not_be_are_found(name: str, jobs: None, dsn: str) -> None:
    for statement in PLANTED[name].split(";"):
        await run(dsn, statement)
    found = await violations(dsn, ALWAYS, QUIET)
    assert any(each.startswith(f"{name}: ") for each in found), found


@pytest.mark.both_databases
@pytest.mark.parametrize("what", STALE)
async def test_a_write_under_a_stale_epoch_is_seen_as_it_happens(what: str, jobs: None, dsn: str) -> None:
    """V4"""
    await run(dsn, STALE[what])
    assert any(what in each for each in await witness.testimony(dsn)), await witness.testimony(dsn)


@pytest.fixture
async def still(dsn: str, tmp_path: Path) -> AsyncIterator[Platform]:
    """A platform whose one role is a process that does nothing."""
    platform = Platform(dsn=dsn, folder=tmp_path, extra={"TMPDIR": str(tmp_path / "tmp")})
    for name in ("scratch/w/1-1", "storage", "tmp"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "scratch" / "w" / "1-1").rmdir()
    log = tmp_path / "role.log"
    log.write_text("started")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    platform.roles.append(Role(process=process, log=log))
    yield platform
    await platform.stop()


async def test_a_platform_at_rest_passes(still: Platform) -> None:
    async with Hook() as hook:
        await audit.audit(still, delivered=still.storage, hook=hook)


@pytest.mark.parametrize(
    ("code", "path"),
    [("V6", "storage/.out.mp4.1-1.part"), ("V9 left in scratch", "scratch/w/1-1"), ("V9 left in temp", "tmp/x")],
)
async def test_a_file_that_was_left_is_found(code: str, path: str, still: Platform) -> None:
    (still.folder / path).write_bytes(b"")
    with pytest.raises(AssertionError, match=code):
        await audit.audit(still, patience_s=SHORT_S)


async def test_a_key_in_a_log_is_found(still: Platform) -> None:
    still.roles[0].log.write_text(f"my key is {SECRET_KEY}")
    with pytest.raises(AssertionError, match="V10"):
        await audit.audit(still, patience_s=SHORT_S)


async def test_a_process_that_was_left_is_found(still: Platform) -> None:
    left = subprocess.Popen(["sleep", "60"], cwd=still.scratch)
    try:
        with pytest.raises(AssertionError, match="V8 still alive: sleep 60"):
            await audit.audit(still, patience_s=SHORT_S)
    finally:
        left.kill()
        left.wait()


async def test_a_child_that_nobody_waited_for_is_found(still: Platform) -> None:
    careless = await asyncio.create_subprocess_exec("sh", "-c", "true & exec sleep 60")
    still.roles.append(Role(process=careless, log=still.roles[0].log))
    await until(lambda: _dead_child(careless.pid), within_s=10)
    with pytest.raises(AssertionError, match="V8 a zombie of role: "):
        await audit.audit(still, patience_s=SHORT_S)


async def _dead_child(process: int) -> bool:
    return "Z" in {state for _, state in children(process)}


@pytest.mark.both_databases
async def test_more_connections_than_the_roles_may_have_are_found(still: Platform) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(audit.MOST_CONNECTIONS + 1):
            await stack.enter_async_context(connection(still.dsn))
        with pytest.raises(AssertionError, match="V11"):
            await audit.audit(still, patience_s=SHORT_S)


async def test_other_bytes_than_those_that_were_proven_are_found(still: Platform, jobs: None) -> None:
    """V5: at the place of an output, and beside it."""
    place = still.storage / "jobs" / "1"
    place.mkdir(parents=True)
    (place / "0.mp4").write_bytes(b"proven")
    delivered = json.dumps({"uri": "storage:jobs/1/0.mp4", "sha256": hashlib.sha256(b"proven").hexdigest()})
    await run(still.dsn, f"UPDATE job_outputs SET delivered = '{delivered}' WHERE job_id = 1")  # noqa: S608  # ours
    assert await audit._deliveries(still) == []
    (place / "0.mp4.bak").write_bytes(b"")
    assert "V5 more than its outputs" in (await audit._deliveries(still))[0]
    (place / "0.mp4").write_bytes(b"broken")
    assert "V5 job 1 output 0: other bytes" in (await audit._deliveries(still))[0]


async def test_a_delivery_that_nobody_received_is_found(still: Platform, jobs: None) -> None:
    """V7"""
    await run(still.dsn, "UPDATE webhook_deliveries SET state = 'delivered' WHERE event_seq = 1")
    async with Hook() as hook:
        assert "V7 delivered, but never received" in (await audit._told(still, hook))[0]
