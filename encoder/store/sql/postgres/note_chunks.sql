-- Before anything of a job's chunks is put into the storage: a note that something may lie there, for retention.
-- Index: job_chunks_pk. Locks: the new row; the job is locked already.
-- $1 job
INSERT INTO job_chunks (job_id, noted_at) VALUES ($1, now()) ON CONFLICT ON CONSTRAINT job_chunks_pk DO NOTHING;
