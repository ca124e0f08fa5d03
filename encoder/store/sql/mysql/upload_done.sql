-- A job has been made of an upload: nobody need look at it any more.
-- Index: uploads_pk. Locks: its row.
-- $1 upload
UPDATE uploads SET look_at = NULL WHERE id = $1;
