"""Ended jobs by the thousand, with what the platform's storage holds of them: rows at once, objects of a few bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from encoder.model import evidence
from encoder.model.policy import DEFAULT_HOURS
from tests.lab.databases import ask, is_mysql, run
from tests.lab.rgw import Bucket

Put = Callable[[str], None]  # an object of a few bytes, by its key
ROWS = 500  # of one statement
SIZE_BYTES = 7  # of an output, in its row
THREADS = 4  # that write objects
SPEC = json.dumps(
    {"source": {"kind": "http", "url": "https://source.example/in.mp4"}, "outputs": [{"container": "mp4"}]}
)


@dataclass(frozen=True, kw_only=True)
class EndedJob:
    id: int
    uuid: UUID

    @property
    def keys(self) -> list[str]:
        """What the storage holds of it."""
        kept = evidence.prefix(self.uuid, 0)
        return [f"jobs/{self.uuid}/0.mp4", f"{kept}/{evidence.TOLD}", f"{kept}/{evidence.PICTURES}"]


async def fill(dsn: str, count: int, put: Put, *, first: int = 1, hours: float = DEFAULT_HOURS + 1) -> list[EndedJob]:
    """`count` completed jobs, which ended `hours` ago one after the other, numbered from `first`."""
    jobs = [EndedJob(id=number, uuid=uuid4()) for number in range(first, first + count)]
    at = datetime.now(UTC) - timedelta(hours=hours) - timedelta(milliseconds=count)
    for begin in range(0, count, ROWS):
        await run(dsn, *_rows(dsn, jobs[begin : begin + ROWS], at + timedelta(milliseconds=begin)))
    with ThreadPoolExecutor(THREADS) as pool:
        await asyncio.get_running_loop().run_in_executor(
            None, lambda: list(pool.map(put, (key for job in jobs for key in job.keys), chunksize=100))
        )
    return jobs


def _rows(dsn: str, jobs: Sequence[EndedJob], at: datetime) -> Iterator[str]:
    mysql = is_mysql(dsn)
    tags = "'[]'" if mysql else "'{}'"

    def when(number: int) -> str:
        moment = at + timedelta(milliseconds=number)
        return f"'{moment:%Y-%m-%d %H:%M:%S.%f}{'' if mysql else '+00'}'"

    def uuid(job: EndedJob) -> str:
        return f"UNHEX('{job.uuid.hex}')" if mysql else f"'{job.uuid}'"

    def delivered(job: EndedJob) -> str:
        uri = f"storage:jobs/{job.uuid}/0.mp4"
        return json.dumps({"uri": uri, "sizeBytes": SIZE_BYTES, "sha256": "ab", "files": ["0.mp4"]})

    yield _insert(
        "jobs (id, uuid, tenant_id, state, event_seq, spec, label, tags, created_at, started_at, finished_at)",
        (
            f"({job.id}, {uuid(job)}, 1, 'completed', 1, '{SPEC}', 'in.mp4', {tags}, {when(n)}, {when(n)}, {when(n)})"
            for n, job in enumerate(jobs)
        ),
    )
    yield _insert(
        "job_outputs (job_id, position, state, attempts, delivered, log, updated_at)",
        (f"({job.id}, 0, 'uploaded', 1, '{delivered(job)}', 'frame=1', {when(n)})" for n, job in enumerate(jobs)),
    )
    yield _insert(
        "tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at, finished_at)",
        (
            f"({job.id}, 1, 't1', 'transcode', 'encode', 'done', {when(n)}, 3, '{{}}', {when(n)}, {when(n)})"
            for n, job in enumerate(jobs)
        ),
    )
    yield _insert(
        "job_events (job_id, seq, type, at, run, data)",
        (f"({job.id}, 1, 'job.completed', {when(n)}, 1, '{{}}')" for n, job in enumerate(jobs)),
    )


def _insert(into: str, values: Iterator[str]) -> str:
    return f"INSERT INTO {into} VALUES {', '.join(values)}"  # noqa: S608  # ours


def into_folder(root: Path) -> Put:
    def put(key: str) -> None:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"encoded")

    return put


def into_bucket(bucket: Bucket, prefix: str = "enc") -> Put:
    client = bucket.client

    def put(key: str) -> None:
        client.put_object(Bucket=bucket.name, Key=f"{prefix}/{key}", Body=b"encoded")

    return put


async def uuids(dsn: str) -> set[str]:
    """Of the jobs whose rows are there."""
    found = await ask(dsn, "SELECT uuid FROM jobs")
    return {str(UUID(bytes=uuid) if isinstance(uuid, bytes) else uuid) for (uuid,) in found}


def folders(root: Path) -> set[str]:
    """The names below `jobs/`, whether or not there is an object under them by now."""
    with suppress(FileNotFoundError):
        return {path.name for path in (root / "jobs").iterdir()}
    return set()


async def left(dsn: str) -> dict[str, int]:
    """Rows that belong to jobs, by table, where there are any."""
    tables = ("jobs", "job_outputs", "tasks", "job_events", "webhook_deliveries")
    counts = {table: (await ask(dsn, f"SELECT count(*) FROM {table}"))[0][0] for table in tables}  # noqa: S608  # ours
    return {table: count for table, count in counts.items() if count}
