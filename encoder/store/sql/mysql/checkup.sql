-- Doctor: the database's clock, and where the hot tables say other than the tasks. How long transactions are open is told
-- only to those with the right PROCESS, which we do not ask for.
-- Index: tasks_pk, task_leases_pk, task_ready_pk; jobs_by_state and tasks_name_once for what is open. Locks: none.
SELECT UTC_TIMESTAMP(6) AS at, NULL + 0e0 AS oldest_seconds,
  (SELECT COUNT(*) FROM task_ready r JOIN tasks t ON t.id = r.task_id
   WHERE t.state NOT IN ('ready', 'cancelled')) AS stray_places,
  (SELECT COUNT(*) FROM task_leases l LEFT JOIN tasks t ON t.id = l.task_id
   WHERE t.id IS NULL OR t.state <> 'running' OR t.epoch <> l.epoch) AS stray_leases,
  (SELECT COUNT(*) FROM jobs j JOIN tasks t ON t.job_id = j.id
   WHERE j.state IN ('queued', 'processing') AND t.state = 'ready' AND NOT EXISTS (
     SELECT 1 FROM task_ready r WHERE r.queue = t.queue AND r.task_id = t.id)) AS unplaced,
  (SELECT COUNT(*) FROM jobs j JOIN tasks t ON t.job_id = j.id
   WHERE j.state IN ('queued', 'processing') AND t.state = 'running' AND NOT EXISTS (
     SELECT 1 FROM task_leases l WHERE l.task_id = t.id AND l.epoch = t.epoch)) AS unleased;
