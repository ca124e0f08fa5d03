-- How many were swept away since there is this database, by what.
-- Index: none; a row for each kind of thing. Locks: none.
SELECT what, removed FROM swept;
