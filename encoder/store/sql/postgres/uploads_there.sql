-- Retention: which of these uploads there are, and which may still come.
-- Index: uploads_pk. Locks: none.
-- $1 uploads
SELECT id, state = 'pending' AND ended IS NULL AS live FROM uploads WHERE id = ANY($1::uuid[]);
