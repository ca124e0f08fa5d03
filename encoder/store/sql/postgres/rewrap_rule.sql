-- Put the secrets of an ingest rule under another key, unless they were changed meanwhile.
-- Index: none, the table is read whole: there are few. Locks: the rule.
-- $1 uuid, $2 as they were, $3 as they are
UPDATE ingest_rules SET sealed = $3 WHERE uuid = $1 AND sealed = $2;
