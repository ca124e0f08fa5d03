-- List jobs, newest first, below an id: for each state its newest that match, and of these the newest. So a page reads
-- at most as many rows per state as it shows, however rare the state is.
-- Index: jobs_by_state (or jobs_by_tag for a rare tag), then as in job.sql. Locks: none.
-- $1 tenant, $2 states, $3 below this id, $4 limit, $5 tag, $6 text, $7 created at or after, $8 created before,
-- $9 above this id
WITH page AS MATERIALIZED (
  SELECT found.id FROM unnest($2::text[]) AS wanted(state) CROSS JOIN LATERAL (
    SELECT id FROM jobs
    WHERE state = wanted.state AND tenant_id = $1 AND deleted_at IS NULL AND -id > -$3::bigint AND -id < -$9::bigint
      AND ($5::text IS NULL OR (tags <> '{}' AND tags @> ARRAY[$5]))
      AND ($6::text IS NULL OR strpos(lower(label), lower($6)) > 0 OR strpos(uuid::text, lower($6)) > 0
           OR strpos(lower(array_to_string(tags, ' ')), lower($6)) > 0)
      AND ($7::timestamptz IS NULL OR created_at >= $7) AND ($8::timestamptz IS NULL OR created_at < $8)
    ORDER BY -id LIMIT $4
  ) AS found ORDER BY -found.id LIMIT $4
)
SELECT j.id, j.uuid, j.tenant_id, j.state, j.run, j.event_seq, j.spec, j.label, NULL::bytea AS sealed, j.cancel_requested,
       NULL::json AS media, j.problem, j.created_at, j.started_at, j.finished_at, t.queue AS task_queue, t.state AS task_state, t.run_at,
       t.problem AS task_problem, l.worker_id, l.beat_at, l.expires_at < clock_timestamp() AS silent,
       l.live, w.host
FROM page
JOIN jobs j ON j.id = page.id
LEFT JOIN tasks t ON t.job_id = j.id AND t.name = 't' || j.run
LEFT JOIN task_leases l ON l.task_id = t.id
LEFT JOIN workers w ON w.id = l.worker_id
ORDER BY -j.id;
