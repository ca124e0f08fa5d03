-- Claim: up to $3 ready tasks of one queue, in order, under leases. `picked` counts the rows taken from the line: when
-- it is more than the tasks that come back, the rest were tombstones. `seen`: how far the line was seen. `waiting`: the
-- line was too short, and more wait for their admission.
-- Index: task_ready_pk, from the floor $2 on; then tasks_pk; tasks_heads.
-- A place is deleted by its ctid: it is locked, and no place is ever updated.
-- Locks: task_ready with SKIP LOCKED (never waits for another claimer), then tasks by ascending id.
-- $1 queue, $2 floor, $3 limit, $4 worker, $5 lease, $6 deadline
WITH picked AS MATERIALIZED (
  SELECT ctid AS at, seq, task_id FROM task_ready WHERE queue = $1 AND seq >= $2 ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM task_ready r USING picked p WHERE r.ctid = p.at RETURNING r.task_id, r.seq
), started AS (
  UPDATE tasks t SET state = 'running', epoch = epoch + 1, attempt = attempt + 1, started_at = clock_timestamp()
  FROM (SELECT task_id, seq FROM gone ORDER BY task_id) AS g WHERE t.id = g.task_id AND t.state = 'ready'
  RETURNING t.*, g.seq
), leased AS (
  INSERT INTO task_leases (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at, beat_at)
  SELECT id, epoch, $4::uuid, queue, tenant_id, weight,
         clock_timestamp() + $5::interval, clock_timestamp() + $6::interval, clock_timestamp()
  FROM started
)
SELECT p.picked, p.seen,
       p.picked < $3 AND EXISTS (SELECT FROM tasks WHERE queue = $1 AND state = 'waiting') AS waiting,
       s.id AS task_id, s.epoch, s.job_id, s.tenant_id, s.kind, s.queue, s.name, s.attempt, s.lost,
       s.released, s.max_attempts, s.args,
       extract(epoch FROM s.started_at - s.run_at)::double precision AS waited_seconds
FROM (SELECT count(*) AS picked, max(seq) AS seen FROM picked) p LEFT JOIN started s ON true
ORDER BY s.seq;
