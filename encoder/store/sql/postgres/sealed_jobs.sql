-- The next jobs behind $1, by number, and what their secrets are sealed in, if they have any: few may, and no statement walks
-- past all others to find them.
-- Index: jobs_pk, from there on: whoever exchanges keys reads all jobs once. Locks: none.
-- $1 job, $2 limit
SELECT id, tenant_id, uuid, sealed FROM jobs WHERE id > $1 ORDER BY id LIMIT $2;
