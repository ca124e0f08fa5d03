-- Retention: remove uploads, and the jobs that waited for them; of how many it did.
-- Index: uploads_pk, upload_jobs_pk. Locks: the rows.
-- $1 uploads
DELETE upload_jobs FROM JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b
STRAIGHT_JOIN upload_jobs ON upload_jobs.upload_id = UNHEX(b.id);
-- $1 uploads
DELETE uploads FROM JSON_TABLE($1, '$[*]' COLUMNS (id VARCHAR(32) PATH '$')) AS b
STRAIGHT_JOIN uploads ON uploads.id = UNHEX(b.id);
