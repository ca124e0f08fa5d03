-- Watch some jobs: the events of each after a number, in order.
-- Index: job_events_pk. Locks: none.
-- $1 jobs with numbers: pairs, $2 limit, of all together
SELECT e.job_id, e.seq, e.type, e.at, e.run, e.output, e.data
FROM JSON_TABLE($1, '$[*]' COLUMNS (job_id BIGINT PATH '$[0]', after_seq INT PATH '$[1]')) AS b
STRAIGHT_JOIN job_events e ON e.job_id = b.job_id AND e.seq > b.after_seq
ORDER BY e.job_id, e.seq LIMIT $2;
