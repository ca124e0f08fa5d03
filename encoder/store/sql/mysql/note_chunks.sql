-- Before anything of a job's chunks is put into the storage: a note that something may lie there, for retention.
-- Index: job_chunks_pk. Locks: the new row; the job is locked already.
-- $1 job
INSERT INTO job_chunks (job_id, noted_at) VALUES ($1, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE job_chunks.job_id = job_chunks.job_id;
