-- All else that is sealed: of endpoints, of pipelines, of ingest rules, of which operators and tenants make few, and of jobs
-- that wait for an upload.
-- Index: none, each of the tables is read whole. Locks: none.
SELECT 'endpoint' AS kind, tenant_id, uuid, sealed_url AS sealed FROM webhook_endpoints
UNION ALL SELECT 'endpoint', tenant_id, uuid, secret FROM webhook_endpoints
UNION ALL SELECT 'endpoint', tenant_id, uuid, old_secret FROM webhook_endpoints WHERE old_secret IS NOT NULL
UNION ALL SELECT 'pipeline', tenant_id, uuid, sealed FROM pipelines WHERE sealed IS NOT NULL
UNION ALL SELECT 'rule', tenant_id, uuid, sealed FROM ingest_rules WHERE sealed IS NOT NULL
UNION ALL SELECT 'upload', tenant_id, uuid, sealed FROM upload_jobs WHERE sealed IS NOT NULL;
