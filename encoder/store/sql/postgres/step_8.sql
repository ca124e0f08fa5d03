-- Step to version 8: which jobs may have chunks in the storage.
-- compatible from: 6
CREATE TABLE IF NOT EXISTS job_chunks (
  job_id bigint CONSTRAINT job_chunks_pk PRIMARY KEY,
  noted_at timestamptz NOT NULL
);
