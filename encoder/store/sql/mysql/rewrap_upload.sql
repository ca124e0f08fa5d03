-- Put the secrets of a job that waits for an upload under another key, unless it has come meanwhile.
-- Index: none, the table is read whole: what waits is brought within the hour. Locks: the row.
-- $1 uuid, $2 as they were, $3 as they are
UPDATE upload_jobs SET sealed = $3 WHERE uuid = $1 AND sealed = $2;
