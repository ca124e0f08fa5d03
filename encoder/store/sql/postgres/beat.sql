-- Beat: renew the leases of a worker, bring progress up and cancels down. What does not come back is lost. A lease that
-- has expired but that nobody took is renewed like any other.
-- Index: task_leases_pk, workers_pk. Locks: the leases by ascending id, then the worker's own row.
-- $1 lease, $2 tasks, $3 epochs, $4 stages, $5 live, $6 worker
WITH mine AS MATERIALIZED (
  SELECT l.task_id, b.stage, b.live
  FROM task_leases l
  JOIN unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[]) AS b(task_id, epoch, stage, live)
    ON (l.task_id, l.epoch) = (b.task_id, b.epoch)
  ORDER BY l.task_id FOR UPDATE OF l
), seen AS (
  UPDATE workers SET seen_at = clock_timestamp() WHERE id = $6
)
UPDATE task_leases l SET
  expires_at = clock_timestamp() + $1::interval, beat_at = clock_timestamp(),
  stage = coalesce(m.stage, l.stage), live = coalesce(m.live::json, l.live)
FROM mine m WHERE l.task_id = m.task_id
RETURNING l.task_id, l.epoch, l.cancel;
