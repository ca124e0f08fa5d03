-- Note, for people, that a task was taken from a worker that fell silent. The first fifty are kept.
-- Index: workers_pk. Locks: its row.
-- $1 worker, $2 job, $3 tenant, $4 kind, $5 the task's state since
UPDATE workers SET about = jsonb_set(about::jsonb, '{lost}', coalesce(about::jsonb->'lost', '[]') || jsonb_build_array(
  jsonb_build_object('job', $2::bigint, 'tenant', $3::bigint, 'kind', $4::text, 'state', $5::text,
                     'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))::json
WHERE id = $1 AND jsonb_array_length(coalesce(about::jsonb->'lost', '[]')) < 50;
