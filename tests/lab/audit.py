"""What must hold when all is quiet, after every acceptance and chaos test (V1–V9 of the queue's design)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from tests.lab.platform import Platform

# each query finds what must not be
QUERIES = {
    "V1 a job or an output has not ended": """
        SELECT j.id FROM jobs j JOIN job_outputs o ON o.job_id = j.id
        WHERE j.state NOT IN ('completed', 'failed', 'cancelled')
           OR o.state NOT IN ('uploaded', 'failed', 'cancelled')""",
    "V2 not exactly one terminal event per run": """
        SELECT j.id FROM jobs j WHERE j.run <> (
          SELECT count(*) FROM job_events e
          WHERE e.job_id = j.id AND e.type IN ('job.completed', 'job.failed', 'job.cancelled'))""",
    "V2 an output was told uploaded more than once": """
        SELECT job_id FROM job_events WHERE type = 'output.uploaded' GROUP BY job_id, output HAVING count(*) > 1""",
    "V3 too many attempts or losses": """
        SELECT id FROM tasks WHERE attempt > max_attempts + 2 OR lost > 3""",
    "V3 an epoch without exactly one settle": """
        SELECT t.id FROM tasks t WHERE t.kind <> 'notify' AND t.epoch <> (
          SELECT count(*) FROM job_events e WHERE e.task_id = t.id AND e.type = 'task.settled')""",
    "V2 event numbers with gaps": """
        SELECT j.id FROM jobs j WHERE j.event_seq <> (SELECT count(*) FROM job_events e WHERE e.job_id = j.id)""",
    "V7 a delivery is neither delivered nor ended": """
        SELECT id FROM webhook_deliveries WHERE state = 'pending'""",
    "V12 leases left": "SELECT task_id FROM task_leases",
    "V12 places in line left": """
        SELECT r.task_id FROM task_ready r JOIN tasks t ON t.id = r.task_id WHERE t.state <> 'cancelled'""",
}


async def audit(platform: Platform, *, delivered: Path | None = None) -> None:
    """Raise AssertionError, naming each invariant that is broken. `delivered`: a folder of final names to look into."""
    broken = [*await _rows(platform), *_processes(platform), *_files(platform)]
    if delivered is not None:
        broken += await _deliveries(platform)
    assert not broken, "\n".join(broken)


async def _rows(platform: Platform) -> list[str]:
    db = await asyncpg.connect(platform.dsn)
    try:
        return [
            f"{name}: {[row[0] for row in rows]}" for name, query in QUERIES.items() if (rows := await db.fetch(query))
        ]
    finally:
        await db.close()


def _processes(platform: Platform) -> Iterator[str]:
    for command in children_of(platform):
        yield f"V8 still alive: {command[:200]}"


def children_of(platform: Platform) -> Iterator[str]:
    """The command lines of all processes that work in the platform's scratch folder."""
    marker = str(platform.scratch).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            works_here = str((process / "cwd").readlink()).encode().startswith(marker)
        except OSError:
            continue
        if marker in command or works_here:
            yield command.replace(b"\0", b" ").decode(errors="replace")


def _files(platform: Platform) -> Iterator[str]:
    for path in platform.folder.rglob("*.part*"):
        yield f"V6 half-written: {path}"
    for path in platform.scratch.glob("*/*"):
        if path.name != "lock":
            yield f"V9 left in scratch: {path}"


async def _deliveries(platform: Platform) -> list[str]:
    """V5: each uploaded output stands whole at its `file:` or storage name."""
    db = await asyncpg.connect(platform.dsn)
    try:
        rows = await db.fetch(
            "SELECT job_id, position, delivered ->> 'uri' AS uri, delivered ->> 'sha256' AS sha256"
            " FROM job_outputs WHERE state = 'uploaded'"
        )
    finally:
        await db.close()
    wrong: list[str] = []
    for row in rows:
        kind, _, name = row["uri"].partition(":")
        path = platform.storage / name if kind == "storage" else Path(name.removeprefix("//"))
        if kind in {"storage", "file"} and _digest(path) != row["sha256"]:
            wrong.append(f"V5 job {row['job_id']} output {row['position']}: other bytes at {path}")
    return wrong


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's list of files as `sha256sum` writes it."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    listed = "".join(f"{_digest(file)}  {name}\n" for name, file in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest()
