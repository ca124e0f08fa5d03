-- Read what ffmpeg said in the last attempt at an output.
-- Index: job_outputs_pk. Locks: none.
-- $1 job, $2 position
SELECT log FROM job_outputs WHERE job_id = $1 AND position = $2;
