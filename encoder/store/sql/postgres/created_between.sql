-- List, before a page: between which ids the jobs of a time lie, for ids are given in the order of creation. A minute is left
-- for those that overtook each other; the page itself looks at the times.
-- Index: jobs_created. Locks: none.
-- $1 created at or after, or null; $2 created before, or null
SELECT
  (SELECT id FROM jobs WHERE created_at < $1::timestamptz - interval '1 minute' ORDER BY created_at DESC LIMIT 1) AS above,
  (SELECT id FROM jobs WHERE created_at > $2::timestamptz + interval '1 minute' ORDER BY created_at LIMIT 1) AS below;
