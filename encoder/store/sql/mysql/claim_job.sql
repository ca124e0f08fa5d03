-- Claim of one job: its task that may run, whatever its turn or its delay; not where its queue is paused. Then its place in
-- line, which goes with it, or stays as a tombstone for whoever has it in hand. It is started and leased as any other.
-- Index: tasks_name_once; of one that stands in line, the line of its queue (task_ready_pk), which is as long as there are
-- slots: an index by task would cost each claim more. Locks: the task, then its place, each with SKIP LOCKED.
-- $1 job
SELECT t.id AS task_id, t.state, t.epoch + 1 AS epoch, t.job_id, t.tenant_id, t.kind, t.queue, t.name,
       t.attempt + 1 AS attempt, t.lost, t.released, t.max_attempts, t.args,
       GREATEST(0, TIMESTAMPDIFF(MICROSECOND, t.run_at, UTC_TIMESTAMP(6)) / 1000000) AS waited_seconds
FROM tasks t
WHERE t.job_id = $1 AND t.kind <> 'notify' AND t.state IN ('waiting', 'ready', 'scheduled')
  AND NOT EXISTS (SELECT 1 FROM queues q WHERE q.queue = t.queue AND q.paused_at IS NOT NULL)
ORDER BY t.id LIMIT 1 FOR UPDATE SKIP LOCKED;
-- $1 queue, $2 task
SELECT seq FROM task_ready WHERE queue = $1 AND task_id = $2 FOR UPDATE SKIP LOCKED;
