-- Of jobs behind $1 those that have secrets, by number, and what those are sealed in.
-- Index: jobs_pk, from there on: whoever exchanges keys reads all jobs once. Locks: none.
-- $1 job, $2 limit
SELECT id, tenant_id, uuid, sealed FROM jobs WHERE id > $1 AND sealed IS NOT NULL ORDER BY id LIMIT $2;
