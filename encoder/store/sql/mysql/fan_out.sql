-- Settle of a root that splits: the task behind its parts, which is blocked until they have ended, or waits where there is
-- none; then the parts.
-- Index: jobs_pk. Locks: none but the new rows; the job is locked already. A second split cannot insert: tasks_name_once.
-- $1 job, $2 nice, $3 attempts, $4 name, $5 kind, $6 queue, $7 weight, $8 args, $9 how many parts
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, weight, state, pending, run_at, max_attempts, args, created_at)
SELECT id, tenant_id, $4, $5, $6, $2, $7, CASE WHEN $9 = 0 THEN 'waiting' ELSE 'blocked' END, $9, UTC_TIMESTAMP(6), $3, $8,
       UTC_TIMESTAMP(6)
FROM jobs WHERE id = $1;
-- $1 job, $2 nice, $3 attempts, $4 name, $5 kind, $6 queue, $7 weight, $8 args, $9 the task behind
INSERT INTO tasks (job_id, tenant_id, name, kind, queue, nice, weight, state, then_id, run_at, max_attempts, args, created_at)
SELECT id, tenant_id, $4, $5, $6, $2, $7, 'waiting', $9, UTC_TIMESTAMP(6), $3, $8, UTC_TIMESTAMP(6) FROM jobs WHERE id = $1;
