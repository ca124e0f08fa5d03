-- Beat: the worker is seen; renew its leases, bring progress up; bring cancels down. What does not come back is lost. A lease
-- that has expired but that nobody took is renewed like any other. Each is its own transaction: a lease of this epoch that
-- stands at the third was renewed by the second.
-- Index: task_leases_pk, workers_pk. Locks: the leases by ascending id; the worker's own row.
-- $1 lease, $2 beats by task: task, epoch, stage, live (JSON, as text), $3 worker
UPDATE workers SET seen_at = UTC_TIMESTAMP(6) WHERE id = $3;
UPDATE JSON_TABLE($2, '$[*]' COLUMNS (
    task_id BIGINT PATH '$.task', epoch BIGINT PATH '$.epoch', stage VARCHAR(64) PATH '$.stage', live LONGTEXT PATH '$.live'
  )) AS b STRAIGHT_JOIN task_leases l ON l.task_id = b.task_id
SET l.expires_at = UTC_TIMESTAMP(6) + INTERVAL $1 MICROSECOND, l.beat_at = UTC_TIMESTAMP(6),
    l.stage = COALESCE(b.stage, l.stage), l.live = COALESCE(b.live, l.live)
WHERE l.epoch = b.epoch;
SELECT l.task_id, l.epoch, l.cancel
FROM JSON_TABLE($2, '$[*]' COLUMNS (task_id BIGINT PATH '$.task', epoch BIGINT PATH '$.epoch')) AS b
STRAIGHT_JOIN task_leases l ON l.task_id = b.task_id WHERE l.epoch = b.epoch;
