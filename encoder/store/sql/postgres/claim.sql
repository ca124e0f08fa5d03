-- Claim: up to $3 ready tasks of one queue, in order, under leases. `picked` counts the rows taken from the line: when
-- it is more than the tasks that come back, the rest were tombstones of cancelled tasks.
-- Index: task_ready_pk, from the floor $2 on; then tasks_pk.
-- Locks: task_ready with SKIP LOCKED (never waits for another claimer), then tasks in the order of their seq: by ascending
-- id where a rival may hold two of them, for that is under the lock of their job, and a job's tasks share their `nice`.
-- $1 queue, $2 floor, $3 limit, $4 worker, $5 lease, $6 deadline
WITH picked AS MATERIALIZED (
  SELECT queue, seq, task_id FROM task_ready WHERE queue = $1 AND seq >= $2 ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task_ready r USING picked p WHERE (r.queue, r.seq) = (p.queue, p.seq) RETURNING r.task_id
), started AS (
  UPDATE tasks t SET state = 'running', epoch = epoch + 1, attempt = attempt + 1, started_at = clock_timestamp()
  FROM gone g WHERE t.id = g.task_id AND t.state = 'ready'
  RETURNING t.*
), leased AS (
  INSERT INTO task_leases (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at, beat_at)
  SELECT id, epoch, $4::uuid, queue, tenant_id, weight,
         clock_timestamp() + $5::interval, clock_timestamp() + $6::interval, clock_timestamp()
  FROM started
)
SELECT p.picked, s.id AS task_id, s.epoch, s.job_id, s.tenant_id, s.kind, s.queue, s.name, s.nice, s.attempt, s.lost,
       s.released, s.max_attempts, s.args,
       extract(epoch FROM s.started_at - s.run_at)::double precision AS waited_seconds
FROM (SELECT count(*) AS picked FROM picked) p LEFT JOIN started s ON true
ORDER BY s.nice, s.id;
