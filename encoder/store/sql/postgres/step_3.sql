-- Step to version 3: what has ended is found by its age, and jobs by their time.
CREATE INDEX jobs_ended ON jobs (finished_at, id) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_created ON jobs (created_at);
CREATE INDEX jobs_deleted ON jobs (deleted_at, id) WHERE deleted_at IS NOT NULL;
