-- Step to version 3: what has ended is found by its age.
CREATE INDEX jobs_ended ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_deleted ON jobs (deleted_at, id) WHERE deleted_at IS NOT NULL;
