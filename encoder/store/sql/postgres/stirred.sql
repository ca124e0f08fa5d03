-- Watch tenants: which of their jobs run, have new tasks, ended or were deleted behind a moment.
-- Index: tasks_pk, jobs_ended, jobs_deleted; task_leases is read whole, it is as small as the fleet. Locks: none.
-- $1 tenants, $2 the moment's task, $3 its time, $4 how many at most of each kind, the newest
(SELECT t.tenant_id, t.job_id FROM task_leases l JOIN tasks t ON t.id = l.task_id
  WHERE l.tenant_id = ANY($1::bigint[]) AND t.kind <> 'notify')
UNION
(SELECT tenant_id, job_id FROM tasks
  WHERE id > $2 AND tenant_id = ANY($1) AND kind <> 'notify' ORDER BY id DESC LIMIT $4)
UNION
(SELECT tenant_id, id FROM jobs WHERE finished_at >= $3 AND tenant_id = ANY($1) ORDER BY finished_at DESC, id DESC LIMIT $4)
UNION
(SELECT tenant_id, id FROM jobs WHERE deleted_at >= $3 AND tenant_id = ANY($1) ORDER BY deleted_at DESC, id DESC LIMIT $4);
