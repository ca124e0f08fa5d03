-- Take back what stands in line but does not run yet, of a queue, or of one tenant in it: it waits again.
-- Index: task_ready_pk, tasks_pk. Locks: the places, waiting for a claim that has begun, then their tasks by ascending id;
-- the queue is locked already.
-- $1 queue, $2 tenant or null
SELECT seq, task_id FROM task_ready FORCE INDEX (PRIMARY)
WHERE queue = $1 AND ($2 IS NULL OR tenant_id = $2) ORDER BY seq FOR UPDATE;
-- $1 queue, $2 places
DELETE r FROM JSON_TABLE($2, '$[*]' COLUMNS (seq BIGINT PATH '$')) AS b
STRAIGHT_JOIN task_ready r ON r.queue = $1 AND r.seq = b.seq;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
SET t.state = 'waiting' WHERE t.state = 'ready';
