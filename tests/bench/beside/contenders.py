"""Who runs: our queue, five others and a bare loop; what each does, and leaves out, in the time measured."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString


class Runtime(StrEnum):
    """What a contender's program in `tests/bench/peer` is run by."""

    OURS = "ours"
    PYTHON = "python"
    NODE = "node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A queue and the SQL by which the bench arranges its tables.

    `copies`: makes $1 tasks, due in $2, of the one that stands there, with all that belongs to them; much faster than
    any queue's own way. `left`: counts the tasks that are not done. `takes`, `settles`: how, at ten at a time.
    """

    name: str
    program: str
    runtime: Runtime
    copies: LiteralString
    left: LiteralString
    takes: str
    settles: str
    leaves_out: str
    one_by_one: bool
    is_peer: bool = True


ENCODER = Contender(
    name="Encoder",
    program="encoder",
    runtime=Runtime.OURS,
    takes="as many as it has free slots, in one statement; now and then it puts up to 100 in line first",
    settles="each by itself",
    leaves_out="nothing: job, output, lease, fence and events",
    one_by_one=True,
    is_peer=False,
    copies="""
WITH job AS (
  INSERT INTO jobs (uuid, tenant_id, state, event_seq, spec, label, created_at)
  SELECT gen_random_uuid(), tenant_id, state, event_seq, spec, label, now()
  FROM (SELECT * FROM jobs ORDER BY id LIMIT 1) AS one, generate_series(1, $1::bigint)
  RETURNING id, tenant_id
), output AS (
  INSERT INTO job_outputs (job_id, position, state, updated_at) SELECT id, 0, 'queued', now() FROM job
), event AS (
  INSERT INTO job_events (job_id, seq, type, at, run, data) SELECT id, 1, 'job.submitted', now(), 1, '{}' FROM job
), task AS (
  INSERT INTO tasks (job_id, tenant_id, name, kind, queue, state, run_at, max_attempts, args, created_at)
  SELECT id, tenant_id, 't1', 'transcode', 'encode', CASE WHEN $2 > interval '0' THEN 'scheduled' ELSE 'waiting' END,
         now() + $2, 3, '{}', now()
  FROM job
)
SELECT count(*) FROM job
""",
    left="SELECT count(*) FROM tasks WHERE state NOT IN ('done', 'failed', 'cancelled')",
)

PROCRASTINATE = Contender(
    name="procrastinate",
    program="procrastinate",
    runtime=Runtime.PYTHON,
    takes="one by one",
    settles="each by itself",
    leaves_out="lease of a task (its worker beats), fence",
    one_by_one=True,
    copies="""
INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at)
SELECT 'default', 'nothing', CASE WHEN $2 > interval '0' THEN now() + $2 END FROM generate_series(1, $1::bigint)
""",
    left="SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
)

PGQUEUER = Contender(
    name="pgqueuer",
    program="pgqueuer",
    runtime=Runtime.PYTHON,
    takes="five in one statement",
    settles="five in one statement",
    leaves_out="fence; rows of what is done are deleted, a log is kept",
    one_by_one=False,
    copies="""
WITH task AS (
  INSERT INTO pgqueuer (priority, entrypoint, execute_after, headers, status)
  SELECT 0, 'nothing', now() + $2::interval, 'null', 'queued' FROM generate_series(1, $1::bigint) RETURNING id
)
INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority) SELECT id, 'queued', 'nothing', 0 FROM task
""",
    left="SELECT count(*) FROM pgqueuer",
)

SAQ = Contender(
    name="saq",
    program="saq",
    runtime=Runtime.PYTHON,
    takes="as many as wait for one, in one statement; a write more when each begins",
    settles="each by itself",
    leaves_out="beat, fence, events",
    one_by_one=True,
    copies="""
WITH key AS (SELECT gen_random_uuid()::text AS key FROM generate_series(1, $1::bigint))
INSERT INTO saq_jobs (key, job, queue, status, priority, scheduled)
SELECT key,
       convert_to(json_build_object('function', 'nothing', 'queue', 'default', 'key', key, 'queued',
                                    extract(epoch FROM now())::bigint * 1000, 'status', 'queued')::text, 'utf8'),
       'default', 'queued', 0, extract(epoch FROM now() + $2::interval)::bigint
FROM key
""",
    left="SELECT count(*) FROM saq_jobs WHERE status NOT IN ('complete', 'failed', 'aborted')",
)

GRAPHILE = Contender(
    name="graphile-worker",
    program="graphile-worker",
    runtime=Runtime.NODE,
    takes="one by one",
    settles="each by itself",
    leaves_out="beat (a lock of four hours), fence, events; rows of what is done are deleted",
    one_by_one=True,
    copies="""
INSERT INTO graphile_worker._private_jobs (task_id, run_at)
SELECT id, now() + $2::interval FROM graphile_worker._private_tasks, generate_series(1, $1::bigint)
""",
    left="SELECT count(*) FROM graphile_worker._private_jobs",
)

PG_BOSS = Contender(
    name="pg-boss",
    program="pg-boss",
    runtime=Runtime.NODE,
    takes="ten in one statement, the next when all ten are done",
    settles="ten in one statement",
    leaves_out="beat (expires after 15 min), events; it has a fence",
    one_by_one=False,
    copies="""
INSERT INTO pgboss.job (name, priority, retry_limit, expire_seconds, deletion_seconds, start_after, keep_until, policy)
SELECT name, priority, retry_limit, expire_seconds, deletion_seconds, now() + $2::interval, keep_until, policy
FROM (SELECT * FROM pgboss.job WHERE name = 'nothing' LIMIT 1) AS one, generate_series(1, $1::bigint)
""",
    left="SELECT count(*) FROM pgboss.job WHERE name = 'nothing' AND state < 'completed'",
)

BARE = Contender(
    name="bare loop",
    program="bare",
    runtime=Runtime.OURS,
    takes="one by one",
    settles="each by itself",
    leaves_out="all that a queue is for: lease, fence, retries, events, history",
    one_by_one=True,
    is_peer=False,
    copies="INSERT INTO bare (taken) SELECT $2::interval > interval '0' FROM generate_series(1, $1::bigint)",
    left="SELECT count(*) FROM bare",
)

CONTENDERS = (ENCODER, PROCRASTINATE, PGQUEUER, SAQ, GRAPHILE, PG_BOSS, BARE)
