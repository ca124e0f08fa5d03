-- Watch tenants: which of their jobs run, have new tasks, ended or were deleted behind a moment.
-- Index: tasks_pk, jobs_ended, jobs_deleted; task_leases is read whole, it is as small as the fleet. Locks: none.
-- $1 tenants, $2 the moment's task, $3 its time, $4 how many at most of each kind, the newest
(SELECT t.tenant_id, t.job_id FROM task_leases l STRAIGHT_JOIN tasks t ON t.id = l.task_id
  WHERE JSON_CONTAINS($1, CAST(l.tenant_id AS CHAR)) AND t.kind <> 'notify')
UNION
(SELECT tenant_id, job_id FROM tasks FORCE INDEX (PRIMARY)
  WHERE id > $2 AND JSON_CONTAINS($1, CAST(tenant_id AS CHAR)) AND kind <> 'notify' ORDER BY id DESC LIMIT $4)
UNION
(SELECT tenant_id, id FROM jobs FORCE INDEX (jobs_ended)
  WHERE finished_at >= $3 AND JSON_CONTAINS($1, CAST(tenant_id AS CHAR)) ORDER BY finished_at DESC, id DESC LIMIT $4)
UNION
(SELECT tenant_id, id FROM jobs FORCE INDEX (jobs_deleted)
  WHERE deleted_at >= $3 AND JSON_CONTAINS($1, CAST(tenant_id AS CHAR)) ORDER BY deleted_at DESC, id DESC LIMIT $4);
