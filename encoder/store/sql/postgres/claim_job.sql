-- Claim of one job: its task that may run, whatever its turn or its delay, under a lease; not where its queue is paused. A
-- place that it has in line goes with it, or stays as a tombstone for whoever has it in hand.
-- Index: tasks_name_once; of one that stands in line, the line of its queue (task_ready_pk), which is as long as there are
-- slots: an index by task would cost each claim more. Locks: the task, then its place, each with SKIP LOCKED.
-- $1 job, $2 worker, $3 lease, $4 deadline
WITH mine AS MATERIALIZED (
  SELECT t.id, t.state, t.queue FROM tasks t
  WHERE t.job_id = $1 AND t.kind <> 'notify' AND t.state IN ('waiting', 'ready', 'scheduled')
    AND NOT EXISTS (SELECT FROM queues q WHERE q.queue = t.queue AND q.paused_at IS NOT NULL)
  ORDER BY t.id LIMIT 1 FOR UPDATE OF t SKIP LOCKED
), placed AS MATERIALIZED (
  SELECT r.ctid AS at FROM mine m JOIN task_ready r ON r.queue = m.queue AND r.task_id = m.id
  WHERE m.state = 'ready' FOR UPDATE OF r SKIP LOCKED
), gone AS (
  DELETE FROM task_ready r USING placed p WHERE r.ctid = p.at
), started AS (
  UPDATE tasks t SET state = 'running', epoch = epoch + 1, attempt = attempt + 1, started_at = clock_timestamp()
  FROM mine WHERE t.id = mine.id RETURNING t.*
), leased AS (
  INSERT INTO task_leases (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at, beat_at)
  SELECT id, epoch, $2::uuid, queue, tenant_id, weight,
         clock_timestamp() + $3::interval, clock_timestamp() + $4::interval, clock_timestamp()
  FROM started
)
SELECT s.id AS task_id, s.epoch, s.job_id, s.tenant_id, s.kind, s.queue, s.name, s.attempt, s.lost, s.released,
       s.max_attempts, s.args, greatest(0, extract(epoch FROM s.started_at - s.run_at))::double precision AS waited_seconds
FROM started s;
