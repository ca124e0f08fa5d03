-- Read the events of a job after a number, in order.
-- Index: job_events_pk. Locks: none.
-- $1 job, $2 after, $3 limit
SELECT seq, type, at, run, output, data FROM job_events WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;
