-- Retention: mark uploads of which nothing more is to come, unless a job was made of one meanwhile: nobody finds them from
-- then on.
-- Index: uploads_pk, jobs_pk. Locks: the uploads, with SKIP LOCKED.
-- $1 uploads
SELECT u.id, u.job_id FROM JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b
STRAIGHT_JOIN uploads u ON u.id = UNHEX(b.id)
WHERE u.held_until IS NULL OR u.held_until < UTC_TIMESTAMP(6) FOR UPDATE SKIP LOCKED;
-- $1 jobs
SELECT j.id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id;
-- $1 uploads
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b STRAIGHT_JOIN uploads u ON u.id = UNHEX(b.id)
SET u.purging_at = COALESCE(u.purging_at, UTC_TIMESTAMP(6)), u.look_at = NULL;
