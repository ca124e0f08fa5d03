-- Claim: up to $3 ready tasks of one queue, in order, under leases; the first tells whether there is anything, in line or
-- waiting, without a transaction. Then: take them from the line; drop their places; lock the tasks, without the tombstones;
-- start them; lease them. The last, where the line was too short: whether more wait for their admission.
-- Index: task_ready_pk, from the floor $2 on; then tasks_pk; tasks_heads.
-- Locks: task_ready with SKIP LOCKED (never waits for another claimer), then tasks by ascending id.
-- $1 queue, $2 floor, $3 limit
(SELECT 1 FROM task_ready WHERE queue = $1 AND seq >= $2 LIMIT 1)
UNION ALL (SELECT 1 FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'waiting' AND queue = $1 LIMIT 1);
SELECT seq, task_id FROM task_ready FORCE INDEX (PRIMARY)
WHERE queue = $1 AND seq >= $2 ORDER BY seq LIMIT $3 FOR UPDATE SKIP LOCKED;
-- $1 queue, $2 places
DELETE r FROM JSON_TABLE($2, '$[*]' COLUMNS (seq BIGINT PATH '$')) AS b
STRAIGHT_JOIN task_ready r ON r.queue = $1 AND r.seq = b.seq;
-- $1 tasks
SELECT t.id AS task_id, t.epoch + 1 AS epoch, t.job_id, t.tenant_id, t.kind, t.queue, t.name,
       t.attempt + 1 AS attempt, t.lost, t.released, t.max_attempts, t.args,
       TIMESTAMPDIFF(MICROSECOND, t.run_at, UTC_TIMESTAMP(6)) / 1000000 AS waited_seconds
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
WHERE t.state = 'ready' FOR UPDATE;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
SET t.state = 'running', t.epoch = t.epoch + 1, t.attempt = t.attempt + 1, t.started_at = UTC_TIMESTAMP(6);
-- $1 tasks, $2 worker, $3 lease, $4 deadline
INSERT INTO task_leases (task_id, epoch, worker_id, queue, tenant_id, weight, expires_at, deadline_at, beat_at)
SELECT t.id, t.epoch, $2, t.queue, t.tenant_id, t.weight, UTC_TIMESTAMP(6) + INTERVAL $3 MICROSECOND,
       UTC_TIMESTAMP(6) + INTERVAL $4 MICROSECOND, UTC_TIMESTAMP(6)
FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id;
-- $1 queue
SELECT 1 FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'waiting' AND queue = $1 LIMIT 1;
