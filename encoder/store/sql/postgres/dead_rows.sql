-- Dead rows of the tables that change most, as the server counts them.
-- Index: those of the server's own tables. Locks: none.
SELECT relname::text AS name, n_dead_tup AS dead_rows FROM pg_stat_user_tables
WHERE relid IN ('tasks'::regclass, 'task_ready'::regclass, 'task_leases'::regclass, 'jobs'::regclass,
  'job_outputs'::regclass, 'webhook_deliveries'::regclass, 'workers'::regclass);
