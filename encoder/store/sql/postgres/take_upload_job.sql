-- Take the job that is to be made of an upload, which is locked: it is given out once.
-- Index: upload_jobs_pk. Locks: its row.
-- $1 upload
DELETE FROM upload_jobs WHERE upload_id = $1 RETURNING tenant_id, uuid, spec, label, sealed, max_attempts;
