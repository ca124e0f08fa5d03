-- Tell how the whole is, for metrics: the version of the tables, leases past their end; events that receivers are to be told
-- yet, to 10,000 of each state, and the age of the oldest; when a sweep ended well last, and what the last one left; jobs
-- whose secrets should be erased, of the last 1,000 that ended before: what never had any stands in that index, too. Of
-- transactions these servers tell nothing to everybody.
-- Index: tasks_heads, tasks_due, task_ready_pk, tasks_pk, sweeps_started, jobs_with_secrets; task_leases is scanned. Locks: none.
-- $1 queue of what is told, $2 age at which secrets must be gone
SELECT
  (SELECT MAX(version) FROM schema_version) AS schema_version,
  (SELECT COUNT(*) FROM task_leases WHERE expires_at < UTC_TIMESTAMP(6)) AS leases_expired,
  telling.pending AS webhooks_pending,
  COALESCE(TIMESTAMPDIFF(MICROSECOND, telling.oldest, UTC_TIMESTAMP(6)), 0) / 1000000 AS webhook_oldest_s,
  NULL AS oldest_transaction_s,
  COALESCE((SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', ended_at) / 1000000 FROM sweeps
    WHERE outcome IN ('done', 'more') ORDER BY started_at DESC LIMIT 1), 0) AS swept_at,
  COALESCE((SELECT blocked FROM sweeps WHERE ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1), 0) AS sweep_blocked,
  COALESCE((SELECT overdue FROM sweeps WHERE ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1), 0) AS sweep_overdue,
  (SELECT COALESCE(SUM(late.kept), 0) FROM (
    SELECT sealed IS NOT NULL AS kept FROM jobs FORCE INDEX (jobs_with_secrets)
    WHERE secrets_erased_at IS NULL AND finished_at < UTC_TIMESTAMP(6) - INTERVAL $2 MICROSECOND
    ORDER BY finished_at DESC LIMIT 1000
  ) AS late) AS secrets_overdue
FROM (
  SELECT COUNT(*) AS pending, MIN(unsettled.created_at) AS oldest FROM (
    (SELECT created_at FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'waiting' AND queue = $1 LIMIT 10000)
    UNION ALL (SELECT created_at FROM tasks FORCE INDEX (tasks_heads) WHERE state = 'scheduled' AND queue = $1 LIMIT 10000)
    UNION ALL (SELECT t.created_at FROM task_ready r STRAIGHT_JOIN tasks t ON t.id = r.task_id AND t.state = 'ready'
      WHERE r.queue = $1)
    UNION ALL (SELECT t.created_at FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id WHERE l.queue = $1)
  ) AS unsettled
) AS telling;
