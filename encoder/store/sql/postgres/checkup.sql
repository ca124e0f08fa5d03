-- Doctor: the database's clock, how long the oldest transaction is open, and where the hot tables say other than the tasks.
-- Seconds of other users' transactions are seen with the right pg_read_all_stats alone.
-- Index: tasks_pk, task_leases_pk, task_ready_pk; jobs_by_state and tasks_name_once for what is open. Locks: none.
SELECT clock_timestamp() AS at,
  (SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::double precision FROM pg_stat_activity
   WHERE datname = current_database() AND pid <> pg_backend_pid()) AS oldest_seconds,
  (SELECT count(*) FROM task_ready r JOIN tasks t ON t.id = r.task_id
   WHERE t.state NOT IN ('ready', 'cancelled')) AS stray_places,
  (SELECT count(*) FROM task_leases l LEFT JOIN tasks t ON t.id = l.task_id
   WHERE t.id IS NULL OR t.state <> 'running' OR t.epoch <> l.epoch) AS stray_leases,
  (SELECT count(*) FROM jobs j JOIN tasks t ON t.job_id = j.id
   WHERE j.state IN ('queued', 'processing') AND t.state = 'ready' AND NOT EXISTS (
     SELECT FROM task_ready r WHERE r.queue = t.queue AND r.task_id = t.id)) AS unplaced,
  (SELECT count(*) FROM jobs j JOIN tasks t ON t.job_id = j.id
   WHERE j.state IN ('queued', 'processing') AND t.state = 'running' AND NOT EXISTS (
     SELECT FROM task_leases l WHERE l.task_id = t.id AND l.epoch = t.epoch)) AS unleased;
