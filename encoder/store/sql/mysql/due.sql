-- Due sweep: scheduled tasks whose time has come wait for their admission. The first finds them, without a transaction; the
-- second locks them, if they still are.
-- Index: tasks_due; then tasks_pk. Locks: the tasks by ascending id, with SKIP LOCKED.
-- $1 limit
SELECT id FROM tasks FORCE INDEX (tasks_due)
WHERE state = 'scheduled' AND run_at <= UTC_TIMESTAMP(6) ORDER BY run_at LIMIT $1;
-- $1 tasks
SELECT t.id, t.queue FROM JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id
WHERE t.state = 'scheduled' AND t.run_at <= UTC_TIMESTAMP(6) FOR UPDATE SKIP LOCKED;
-- $1 tasks
UPDATE JSON_TABLE($1, '$[*]' COLUMNS (id BIGINT PATH '$')) AS b STRAIGHT_JOIN tasks t ON t.id = b.id SET t.state = 'waiting';
