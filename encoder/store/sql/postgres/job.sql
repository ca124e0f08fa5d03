-- Read a job by number or uuid whole, but for the logs of its outputs, in one round trip: a row for each output, in
-- their order, of which the first has the job: with the root task of its run, or the one that joins its chunks, that
-- task's lease, the worker who holds it, and for a task that waits or stands in line what `holdups` tells; `taken` is null for others.
-- Index: jobs_pk or jobs_uuid_once, tasks_name_once, tasks_pk, task_leases_pk, workers_pk, job_outputs_pk; as `holdups`.
-- Locks: none.
-- $1 id or null, $2 uuid or null, $3 tenant or null for any, $4 also deleted, $5 within
WITH job AS MATERIALIZED (
  SELECT j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, j.sealed, j.cancel_requested, j.media,
         j.problem, j.created_at, j.started_at, j.finished_at, j.purging_at, t.id AS task_id, t.queue AS task_queue, t.state AS task_state, t.run_at,
         t.problem AS task_problem, l.worker_id, l.beat_at, l.expires_at < clock_timestamp() AS silent,
         l.live, w.host, q.paused_at, q.paused_because, quota.cap, CASE WHEN quota.cap IS NOT NULL THEN (
           SELECT count(*) FROM task_leases WHERE queue = q.queue AND tenant_id = j.tenant_id) END AS running,
         CASE WHEN q.queue IS NOT NULL THEN EXISTS (
           SELECT FROM workers WHERE q.queue = ANY(queues) AND NOT draining AND seen_at > now() - $5::interval)
         END AS taken
  FROM jobs j
  LEFT JOIN tasks r ON r.job_id = j.id AND r.name = 't' || j.run
  LEFT JOIN tasks a ON a.job_id = j.id AND a.name = 't' || j.run || '/join'
  LEFT JOIN tasks t ON t.id = coalesce(a.id, r.id)
  LEFT JOIN task_leases l ON l.task_id = t.id
  LEFT JOIN workers w ON w.id = l.worker_id
  LEFT JOIN queues q ON q.queue = t.queue AND t.state IN ('waiting', 'ready')
  LEFT JOIN tenant_quotas quota ON quota.tenant_id = j.tenant_id AND quota.queue = q.queue
  WHERE (j.id = $1::bigint OR j.uuid = $2::uuid) AND ($3::bigint IS NULL OR j.tenant_id = $3)
    AND ($4::boolean OR j.deleted_at IS NULL)
)
SELECT job.*, o.position, o.state AS output_state, o.attempts, o.plan, o.command, o.intent, o.delivered, o.proof,
       o.problem AS output_problem, o.warnings, o.timings, o.updated_at
FROM (SELECT id FROM job) AS found
JOIN job_outputs o ON o.job_id = found.id
LEFT JOIN job ON o.position = 0
ORDER BY o.position;
