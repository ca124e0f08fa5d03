-- Keep the job that is to be made of an upload.
-- Index: upload_jobs_pk. Locks: none but the new row.
-- $1 upload, $2 tenant, $3 uuid, $4 spec, $5 label, $6 sealed, $7 attempts
INSERT INTO upload_jobs (upload_id, tenant_id, uuid, spec, label, sealed, max_attempts)
VALUES ($1, $2, $3, $4, $5, $6, $7);
