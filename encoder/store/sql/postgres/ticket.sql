-- Ticket: the number and time of a job to come, where its first event's text must name them.
-- Index: none. Locks: none; a number that is not used leaves a gap.
SELECT nextval('jobs_id_seq') AS id, now() AS at;
