-- Ticket: the number and time of a job to come, where its first event's text must name them; and who is told of the tenant's
-- jobs, each as JSON. Its time is after that of every endpoint that it sees (delivery.sql): now() may be of an earlier statement.
-- Index: webhook_endpoints_once. Locks: none; a number that is not used leaves a gap.
-- $1 tenant
SELECT nextval('jobs_id_seq') AS id, clock_timestamp() AS at, (
  SELECT json_agg(receiver::text ORDER BY name) FROM webhook_endpoints WHERE tenant_id = $1 AND enabled) AS receivers;
