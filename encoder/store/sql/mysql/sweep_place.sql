-- How far sweeps have come with something.
-- Index: sweep_places_pk. Locks: none.
-- $1 name
SELECT place FROM sweep_places WHERE name = $1;
