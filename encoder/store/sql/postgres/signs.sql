-- Tell how the whole is, for metrics: the version of the tables, leases past their end; events that receivers are to be told
-- yet, to 10,000 of each state, and the age of the oldest; the oldest transaction that keeps dead rows; when a sweep ended
-- well last, and what the last one left; jobs whose secrets should be erased, to 10,000.
-- Index: tasks_heads, tasks_due, task_ready_pk, tasks_pk, sweeps_started, jobs_with_secrets; task_leases is scanned. Locks: none.
-- $1 queue of what is told, $2 age at which secrets must be gone
SELECT
  (SELECT max(version) FROM schema_version) AS schema_version,
  (SELECT count(*) FROM task_leases WHERE expires_at < clock_timestamp()) AS leases_expired,
  telling.pending AS webhooks_pending,
  coalesce(extract(epoch FROM clock_timestamp() - telling.oldest), 0)::double precision AS webhook_oldest_s,
  coalesce((SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity
    WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()), 0)::double precision AS oldest_transaction_s,
  coalesce((SELECT extract(epoch FROM ended_at) FROM sweeps WHERE outcome IN ('done', 'more') ORDER BY started_at DESC LIMIT 1), 0
    )::double precision AS swept_at,
  coalesce((SELECT blocked FROM sweeps WHERE ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1), 0) AS sweep_blocked,
  coalesce((SELECT overdue FROM sweeps WHERE ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1), 0) AS sweep_overdue,
  (SELECT count(*) FROM (
    SELECT FROM jobs WHERE sealed IS NOT NULL AND finished_at < now() - $2::interval ORDER BY finished_at LIMIT 10000
  ) AS late) AS secrets_overdue
FROM (
  SELECT count(*) AS pending, min(open.created_at) AS oldest FROM (
    (SELECT created_at FROM tasks WHERE state = 'waiting' AND queue = $1 LIMIT 10000)
    UNION ALL (SELECT created_at FROM tasks WHERE state = 'scheduled' AND queue = $1 LIMIT 10000)
    UNION ALL (SELECT t.created_at FROM task_ready r JOIN tasks t ON t.id = r.task_id AND t.state = 'ready' WHERE r.queue = $1)
    UNION ALL (SELECT t.created_at FROM task_leases l JOIN tasks t ON t.id = l.task_id WHERE l.queue = $1)
  ) AS open
) AS telling;
