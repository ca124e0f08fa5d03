-- Step to version 8: which jobs may have chunks in the storage.
-- compatible from: 6
CREATE TABLE IF NOT EXISTS job_chunks (
  job_id bigint NOT NULL,
  noted_at datetime(6) NOT NULL,
  CONSTRAINT job_chunks_pk PRIMARY KEY (job_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ROW_FORMAT = DYNAMIC;
