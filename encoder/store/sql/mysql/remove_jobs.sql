-- Retention, second half: find which of the jobs have a live task after all; remove all rows of the others.
-- Index: tasks_name_once, job_outputs_pk, job_events_pk, webhook_deliveries_once, job_tags_of, jobs_pk.
-- Locks: what it removes; the jobs are locked already.
-- $1 jobs
SELECT DISTINCT t.job_id FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN tasks t ON t.job_id = b.id WHERE t.state NOT IN ('done', 'failed', 'cancelled');
-- $1 jobs
DELETE t FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.job_id = b.id;
-- $1 jobs
DELETE o FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_outputs o ON o.job_id = b.id;
-- $1 jobs
DELETE e FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_events e ON e.job_id = b.id;
-- $1 jobs
DELETE d FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b
STRAIGHT_JOIN webhook_deliveries d ON d.job_id = b.id;
-- $1 jobs
DELETE g FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN job_tags g ON g.job_id = b.id;
-- $1 jobs
DELETE j FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN jobs j ON j.id = b.id;
