-- Find jobs, newest first, below an id: for each state its newest that match, and of these the newest. So a page reads at
-- most as many rows per state as it shows, however rare the state is; with $6, $11 or $12 all rows until it is full, and
-- whoever asks so limits the time.
-- Index: jobs_by_state (or jobs_by_tag for a rare tag); with $12 job_outputs_pk. Locks: none.
-- $1 tenant, $2 states, $3 below this id, $4 limit, $5 tag, $6 text, $7 created at or after, $8 created before,
-- $9 above this id, $10 the text as it stands inside JSON, $11 preset of an output, $12 code of the job's or an output's
-- problem
SELECT found.id FROM unnest($2::text[]) AS wanted(state) CROSS JOIN LATERAL (
  SELECT j.id FROM jobs j
  WHERE j.state = wanted.state AND j.tenant_id = $1 AND j.deleted_at IS NULL AND -j.id > -$3::bigint AND -j.id < -$9::bigint
    AND ($5::text IS NULL OR (j.tags <> '{}' AND j.tags @> ARRAY[$5]))
    AND ($6::text IS NULL OR strpos(lower(j.label), lower($6)) > 0 OR strpos(j.uuid::text, lower($6)) > 0
         OR strpos(lower(array_to_string(j.tags, ' ')), lower($6)) > 0
         OR strpos(j.problem->>'code', lower($6)) > 0
         OR strpos(lower(nullif((j.spec->'metadata')::text, '{}')), lower($10)) > 0)
    AND ($7::timestamptz IS NULL OR j.created_at >= $7) AND ($8::timestamptz IS NULL OR j.created_at < $8)
    AND ($11::text IS NULL OR EXISTS (
         SELECT FROM json_array_elements(j.spec->'outputs') AS asked WHERE asked->>'preset' = $11))
    AND ($12::text IS NULL OR coalesce(j.problem->>'code' = $12, false) OR EXISTS (
         SELECT FROM job_outputs o WHERE o.job_id = j.id AND o.state = 'failed' AND o.problem->>'code' = $12))
  ORDER BY -j.id LIMIT $4
) AS found ORDER BY -found.id LIMIT $4;
