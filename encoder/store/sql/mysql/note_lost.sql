-- Note, for people, that a task was taken from a worker that fell silent. The first fifty are kept.
-- Index: workers_pk. Locks: its row.
-- $1 worker, $2 job, $3 tenant, $4 kind, $5 the task's state since
UPDATE workers SET about = JSON_SET(about, '$.lost', JSON_MERGE_PRESERVE(
  COALESCE(JSON_EXTRACT(about, '$.lost'), JSON_ARRAY()),
  JSON_ARRAY(JSON_OBJECT('job', $2, 'tenant', $3, 'kind', $4, 'state', $5,
                         'at', DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')))))
WHERE id = $1 AND COALESCE(JSON_LENGTH(about, '$.lost'), 0) < 50;
