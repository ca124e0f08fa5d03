"""What must hold of the rows: V1–V3, V7 and V12 of docs/why/reliability.md. Standard SQL, for any database.

Each query finds what must not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from encoder.model.event import TOLD
from encoder.store.restored import LEAP
from tests.lab.databases import Answers, asking

# of a job that was translated from another service's words, the receiver is told in the same, and of fewer events
_IN_OUR_WORDS = """POSITION('"notification":{' IN CONCAT('', j.spec)) = 0"""
_TOLD = ", ".join(f"'{type_}'" for type_ in sorted(TOLD))

# at every moment, as a reader sees it who takes one look
ALWAYS = {
    "V1 an output is open in a job that has ended": """
        SELECT j.id FROM jobs j JOIN job_outputs o ON o.job_id = j.id
        WHERE j.state IN ('completed', 'failed', 'cancelled') AND o.state NOT IN ('uploaded', 'failed', 'cancelled')""",
    "V1 a job is open, and nobody will end it": """
        SELECT j.id FROM jobs j WHERE j.state IN ('queued', 'processing') AND NOT EXISTS (
          SELECT 1 FROM tasks t WHERE t.job_id = j.id AND t.kind <> 'notify'
          AND t.state IN ('blocked', 'waiting', 'ready', 'running', 'scheduled'))""",
    "V1 a job without outputs or tasks": """
        SELECT j.id FROM jobs j WHERE NOT EXISTS (SELECT 1 FROM job_outputs o WHERE o.job_id = j.id)
        OR NOT EXISTS (SELECT 1 FROM tasks t WHERE t.job_id = j.id AND t.kind <> 'notify')""",
    "V2 not one terminal event per run that has ended": """
        SELECT j.id FROM jobs j
        WHERE j.run - CASE WHEN j.state IN ('queued', 'processing') THEN 1 ELSE 0 END <> (
          SELECT count(*) FROM job_events e
          WHERE e.job_id = j.id AND e.type IN ('job.completed', 'job.failed', 'job.cancelled'))""",
    "V2 a run was told its end twice": """
        SELECT job_id AS id FROM job_events WHERE type IN ('job.completed', 'job.failed', 'job.cancelled')
        GROUP BY job_id, run HAVING count(*) > 1""",
    "V2 an output was told uploaded twice": """
        SELECT job_id AS id FROM job_events WHERE type = 'output.uploaded'
        GROUP BY job_id, output HAVING count(*) > 1""",
    "V2 event numbers with gaps": """
        SELECT j.id FROM jobs j WHERE j.event_seq <> (SELECT count(*) FROM job_events e WHERE e.job_id = j.id)""",
    "V2 a task has ended and no time says when": """
        SELECT id FROM tasks WHERE (state IN ('done', 'failed', 'cancelled')) <> (finished_at IS NOT NULL)""",
    "V3 too many attempts or losses": """
        SELECT id FROM tasks
        WHERE attempt > max_attempts + 2 OR lost > CASE WHEN kind IN ('chunk', 'assemble') THEN 8 ELSE 3 END""",
    "V3 attempts, releases and epochs do not add up": f"""
        SELECT id FROM tasks WHERE MOD(epoch - attempt - released, {LEAP}) <> 0""",  # noqa: S608  # our own number
    "V3 an epoch without exactly one settle": f"""
        SELECT t.id FROM tasks t WHERE t.kind <> 'notify'
        AND 0 <> MOD(t.epoch - CASE WHEN t.state = 'running' THEN 1 ELSE 0 END - (
          SELECT count(*) FROM job_events e WHERE e.task_id = t.id AND e.type = 'task.settled'), {LEAP})""",  # noqa: S608  # as above
    "V3 an epoch was settled that was never claimed": """
        SELECT t.id FROM tasks t JOIN job_events e ON e.task_id = t.id WHERE e.epoch > t.epoch OR e.epoch < 1""",
    "V7 an event and its receiver without a delivery": f"""
        SELECT d.job_id AS id FROM webhook_deliveries d JOIN jobs j ON j.id = d.job_id
        WHERE d.receiver = '' AND {_IN_OUR_WORDS} GROUP BY d.job_id HAVING count(*) <> (
          SELECT count(*) FROM job_events e WHERE e.job_id = d.job_id AND e.type IN ({_TOLD}))""",  # noqa: S608  # our own words
    "V7 an end of which a receiver in another form was not told": f"""
        SELECT e.job_id AS id FROM job_events e JOIN jobs j ON j.id = e.job_id
        WHERE NOT {_IN_OUR_WORDS} AND e.type IN ('job.completed', 'job.failed') AND NOT EXISTS (
          SELECT 1 FROM webhook_deliveries d
          WHERE d.job_id = e.job_id AND d.event_seq = e.seq AND d.receiver = '')""",  # noqa: S608  # as above
    "G15 a task is blocked by another number of parts than have not ended": """
        SELECT t.id FROM tasks t WHERE t.state = 'blocked' AND t.pending <> (
          SELECT count(*) FROM tasks p WHERE p.then_id = t.id AND p.state NOT IN ('done', 'failed', 'cancelled'))""",
    "V12 a running task without its lease": """
        SELECT t.id FROM tasks t LEFT JOIN task_leases l ON l.task_id = t.id AND l.epoch = t.epoch
        WHERE t.state = 'running' AND l.task_id IS NULL""",
    "V12 a lease without its running task": """
        SELECT l.task_id AS id FROM task_leases l LEFT JOIN tasks t ON l.task_id = t.id AND l.epoch = t.epoch
        WHERE t.id IS NULL OR t.state <> 'running'""",
    "V12 a ready task without its place in line": """
        SELECT t.id FROM tasks t WHERE t.state = 'ready' AND 1 <> (
          SELECT count(*) FROM task_ready r WHERE r.task_id = t.id AND r.queue = t.queue)""",
    "V12 a place in line of a task that is not ready": """
        SELECT r.task_id AS id FROM task_ready r JOIN tasks t ON t.id = r.task_id
        WHERE t.state NOT IN ('ready', 'cancelled')""",
}

# once nothing is to be done any more
QUIET = {
    "V1 a job or an output has not ended": """
        SELECT j.id FROM jobs j JOIN job_outputs o ON o.job_id = j.id
        WHERE j.state NOT IN ('completed', 'failed', 'cancelled')
        OR o.state NOT IN ('uploaded', 'failed', 'cancelled')""",
    "V7 a delivery is neither delivered nor ended": """
        SELECT id FROM webhook_deliveries WHERE state = 'pending'""",
    "V12 a lease is left": "SELECT task_id AS id FROM task_leases",
    "V12 a place in line is left": """
        SELECT r.task_id AS id FROM task_ready r JOIN tasks t ON t.id = r.task_id WHERE t.state <> 'cancelled'""",
}


async def violations(dsn: str, *which: Mapping[str, str]) -> list[str]:
    """What each of the queries finds, all in one look; empty if all is well. Each names its column `id`."""
    async with asking(dsn) as answers:
        return await found(answers, *which)


async def found(answers: Answers, *which: Mapping[str, str]) -> list[str]:
    """As `violations`, by a connection that is there."""
    queries = {name: query for each in which for name, query in each.items()}
    parts = [
        f"SELECT '{name}' AS name, q.id FROM ({query}) AS q"  # noqa: S608  # queries of this module
        for name, query in queries.items()
    ]
    wrong: dict[str, list[Any]] = {}
    for name, id_ in await answers(" UNION ALL ".join(parts)):
        wrong.setdefault(name, []).append(id_)
    return [f"{name}: {ids}" for name, ids in wrong.items()]
