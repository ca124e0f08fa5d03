-- Watch some jobs: the events of each after a number, in order.
-- Index: job_events_pk. Locks: none.
-- $1 jobs, $2 after, $3 limit, of all together
SELECT b.job_id, e.seq, e.type, e.at, e.run, e.output, e.data
FROM unnest($1::bigint[], $2::integer[]) AS b(job_id, after) CROSS JOIN LATERAL (
  SELECT seq, type, at, run, output, data FROM job_events
  WHERE job_id = b.job_id AND seq > b.after ORDER BY seq LIMIT $3
) AS e
ORDER BY b.job_id, e.seq LIMIT $3;
