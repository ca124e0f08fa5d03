-- Find jobs, newest first, below an id: for each state its newest that match, and of these the newest. So a page reads at
-- most as many rows per state as it shows, however rare the state is; with $6, $11 or $12 all rows until it is full, and
-- whoever asks so limits the time. With a tag: from the tag.
-- Index: jobs_by_state (or job_tags_pk, jobs_pk); with $12 job_outputs_pk. Locks: none.
-- $1 tenant, $2 states, $3 below this id, $4 limit, $5 tag, $6 text, $7 created at or after, $8 created before,
-- $9 above this id, $10 the text as it stands inside JSON, $11 preset of an output, $12 code of the job's or an output's
-- problem; its outputs are counted, for with EXISTS MariaDB gathers first all that ever failed
SELECT found.id FROM (
  (SELECT j.id FROM jobs j FORCE INDEX (jobs_by_state)
    WHERE JSON_CONTAINS($2, '"queued"') AND j.state = 'queued' AND j.tenant_id = $1 AND j.deleted_at IS NULL AND j.id < $3 AND j.id > $9
      AND ($6 IS NULL OR LOCATE(LOWER($6), LOWER(j.label)) > 0
           OR LOCATE(LOWER($6), LOWER(CONCAT_WS('-', SUBSTR(HEX(j.uuid), 1, 8), SUBSTR(HEX(j.uuid), 9, 4),
                SUBSTR(HEX(j.uuid), 13, 4), SUBSTR(HEX(j.uuid), 17, 4), SUBSTR(HEX(j.uuid), 21)))) > 0
           OR LOCATE(LOWER($10), LOWER(REPLACE(SUBSTR(j.tags, 3, GREATEST(CHAR_LENGTH(j.tags) - 4, 0)), '","', ' '))) > 0
           OR LOCATE(LOWER($6), JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code'))) > 0
           OR LOCATE(LOWER($10), LOWER(NULLIF(JSON_EXTRACT(j.spec, '$.metadata'), '{}'))) > 0)
      AND ($7 IS NULL OR j.created_at >= $7) AND ($8 IS NULL OR j.created_at < $8)
      AND ($11 IS NULL OR JSON_CONTAINS(JSON_EXTRACT(j.spec, '$.outputs[*].preset'), JSON_QUOTE($11)))
      AND ($12 IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code')) = $12 OR 0 < (
           SELECT COUNT(*) FROM job_outputs o FORCE INDEX (PRIMARY) WHERE o.job_id = j.id AND o.state = 'failed'
             AND JSON_UNQUOTE(JSON_EXTRACT(o.problem, '$.code')) = $12))
    ORDER BY j.id DESC LIMIT $4)
  UNION ALL
  (SELECT j.id FROM jobs j FORCE INDEX (jobs_by_state)
    WHERE JSON_CONTAINS($2, '"processing"') AND j.state = 'processing' AND j.tenant_id = $1 AND j.deleted_at IS NULL AND j.id < $3 AND j.id > $9
      AND ($6 IS NULL OR LOCATE(LOWER($6), LOWER(j.label)) > 0
           OR LOCATE(LOWER($6), LOWER(CONCAT_WS('-', SUBSTR(HEX(j.uuid), 1, 8), SUBSTR(HEX(j.uuid), 9, 4),
                SUBSTR(HEX(j.uuid), 13, 4), SUBSTR(HEX(j.uuid), 17, 4), SUBSTR(HEX(j.uuid), 21)))) > 0
           OR LOCATE(LOWER($10), LOWER(REPLACE(SUBSTR(j.tags, 3, GREATEST(CHAR_LENGTH(j.tags) - 4, 0)), '","', ' '))) > 0
           OR LOCATE(LOWER($6), JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code'))) > 0
           OR LOCATE(LOWER($10), LOWER(NULLIF(JSON_EXTRACT(j.spec, '$.metadata'), '{}'))) > 0)
      AND ($7 IS NULL OR j.created_at >= $7) AND ($8 IS NULL OR j.created_at < $8)
      AND ($11 IS NULL OR JSON_CONTAINS(JSON_EXTRACT(j.spec, '$.outputs[*].preset'), JSON_QUOTE($11)))
      AND ($12 IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code')) = $12 OR 0 < (
           SELECT COUNT(*) FROM job_outputs o FORCE INDEX (PRIMARY) WHERE o.job_id = j.id AND o.state = 'failed'
             AND JSON_UNQUOTE(JSON_EXTRACT(o.problem, '$.code')) = $12))
    ORDER BY j.id DESC LIMIT $4)
  UNION ALL
  (SELECT j.id FROM jobs j FORCE INDEX (jobs_by_state)
    WHERE JSON_CONTAINS($2, '"completed"') AND j.state = 'completed' AND j.tenant_id = $1 AND j.deleted_at IS NULL AND j.id < $3 AND j.id > $9
      AND ($6 IS NULL OR LOCATE(LOWER($6), LOWER(j.label)) > 0
           OR LOCATE(LOWER($6), LOWER(CONCAT_WS('-', SUBSTR(HEX(j.uuid), 1, 8), SUBSTR(HEX(j.uuid), 9, 4),
                SUBSTR(HEX(j.uuid), 13, 4), SUBSTR(HEX(j.uuid), 17, 4), SUBSTR(HEX(j.uuid), 21)))) > 0
           OR LOCATE(LOWER($10), LOWER(REPLACE(SUBSTR(j.tags, 3, GREATEST(CHAR_LENGTH(j.tags) - 4, 0)), '","', ' '))) > 0
           OR LOCATE(LOWER($6), JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code'))) > 0
           OR LOCATE(LOWER($10), LOWER(NULLIF(JSON_EXTRACT(j.spec, '$.metadata'), '{}'))) > 0)
      AND ($7 IS NULL OR j.created_at >= $7) AND ($8 IS NULL OR j.created_at < $8)
      AND ($11 IS NULL OR JSON_CONTAINS(JSON_EXTRACT(j.spec, '$.outputs[*].preset'), JSON_QUOTE($11)))
      AND ($12 IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code')) = $12 OR 0 < (
           SELECT COUNT(*) FROM job_outputs o FORCE INDEX (PRIMARY) WHERE o.job_id = j.id AND o.state = 'failed'
             AND JSON_UNQUOTE(JSON_EXTRACT(o.problem, '$.code')) = $12))
    ORDER BY j.id DESC LIMIT $4)
  UNION ALL
  (SELECT j.id FROM jobs j FORCE INDEX (jobs_by_state)
    WHERE JSON_CONTAINS($2, '"failed"') AND j.state = 'failed' AND j.tenant_id = $1 AND j.deleted_at IS NULL AND j.id < $3 AND j.id > $9
      AND ($6 IS NULL OR LOCATE(LOWER($6), LOWER(j.label)) > 0
           OR LOCATE(LOWER($6), LOWER(CONCAT_WS('-', SUBSTR(HEX(j.uuid), 1, 8), SUBSTR(HEX(j.uuid), 9, 4),
                SUBSTR(HEX(j.uuid), 13, 4), SUBSTR(HEX(j.uuid), 17, 4), SUBSTR(HEX(j.uuid), 21)))) > 0
           OR LOCATE(LOWER($10), LOWER(REPLACE(SUBSTR(j.tags, 3, GREATEST(CHAR_LENGTH(j.tags) - 4, 0)), '","', ' '))) > 0
           OR LOCATE(LOWER($6), JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code'))) > 0
           OR LOCATE(LOWER($10), LOWER(NULLIF(JSON_EXTRACT(j.spec, '$.metadata'), '{}'))) > 0)
      AND ($7 IS NULL OR j.created_at >= $7) AND ($8 IS NULL OR j.created_at < $8)
      AND ($11 IS NULL OR JSON_CONTAINS(JSON_EXTRACT(j.spec, '$.outputs[*].preset'), JSON_QUOTE($11)))
      AND ($12 IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code')) = $12 OR 0 < (
           SELECT COUNT(*) FROM job_outputs o FORCE INDEX (PRIMARY) WHERE o.job_id = j.id AND o.state = 'failed'
             AND JSON_UNQUOTE(JSON_EXTRACT(o.problem, '$.code')) = $12))
    ORDER BY j.id DESC LIMIT $4)
  UNION ALL
  (SELECT j.id FROM jobs j FORCE INDEX (jobs_by_state)
    WHERE JSON_CONTAINS($2, '"cancelled"') AND j.state = 'cancelled' AND j.tenant_id = $1 AND j.deleted_at IS NULL AND j.id < $3 AND j.id > $9
      AND ($6 IS NULL OR LOCATE(LOWER($6), LOWER(j.label)) > 0
           OR LOCATE(LOWER($6), LOWER(CONCAT_WS('-', SUBSTR(HEX(j.uuid), 1, 8), SUBSTR(HEX(j.uuid), 9, 4),
                SUBSTR(HEX(j.uuid), 13, 4), SUBSTR(HEX(j.uuid), 17, 4), SUBSTR(HEX(j.uuid), 21)))) > 0
           OR LOCATE(LOWER($10), LOWER(REPLACE(SUBSTR(j.tags, 3, GREATEST(CHAR_LENGTH(j.tags) - 4, 0)), '","', ' '))) > 0
           OR LOCATE(LOWER($6), JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code'))) > 0
           OR LOCATE(LOWER($10), LOWER(NULLIF(JSON_EXTRACT(j.spec, '$.metadata'), '{}'))) > 0)
      AND ($7 IS NULL OR j.created_at >= $7) AND ($8 IS NULL OR j.created_at < $8)
      AND ($11 IS NULL OR JSON_CONTAINS(JSON_EXTRACT(j.spec, '$.outputs[*].preset'), JSON_QUOTE($11)))
      AND ($12 IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code')) = $12 OR 0 < (
           SELECT COUNT(*) FROM job_outputs o FORCE INDEX (PRIMARY) WHERE o.job_id = j.id AND o.state = 'failed'
             AND JSON_UNQUOTE(JSON_EXTRACT(o.problem, '$.code')) = $12))
    ORDER BY j.id DESC LIMIT $4)
) AS found ORDER BY found.id DESC LIMIT $4;
SELECT j.id FROM job_tags g FORCE INDEX (PRIMARY) STRAIGHT_JOIN jobs j ON j.id = g.job_id
    WHERE g.tenant_id = $1 AND g.tag = CAST($5 AS BINARY) AND g.job_id < $3 AND g.job_id > $9
      AND JSON_CONTAINS($2, JSON_QUOTE(j.state)) AND j.deleted_at IS NULL
      AND ($6 IS NULL OR LOCATE(LOWER($6), LOWER(j.label)) > 0
           OR LOCATE(LOWER($6), LOWER(CONCAT_WS('-', SUBSTR(HEX(j.uuid), 1, 8), SUBSTR(HEX(j.uuid), 9, 4),
                SUBSTR(HEX(j.uuid), 13, 4), SUBSTR(HEX(j.uuid), 17, 4), SUBSTR(HEX(j.uuid), 21)))) > 0
           OR LOCATE(LOWER($10), LOWER(REPLACE(SUBSTR(j.tags, 3, GREATEST(CHAR_LENGTH(j.tags) - 4, 0)), '","', ' '))) > 0
           OR LOCATE(LOWER($6), JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code'))) > 0
           OR LOCATE(LOWER($10), LOWER(NULLIF(JSON_EXTRACT(j.spec, '$.metadata'), '{}'))) > 0)
      AND ($7 IS NULL OR j.created_at >= $7) AND ($8 IS NULL OR j.created_at < $8)
      AND ($11 IS NULL OR JSON_CONTAINS(JSON_EXTRACT(j.spec, '$.outputs[*].preset'), JSON_QUOTE($11)))
      AND ($12 IS NULL OR JSON_UNQUOTE(JSON_EXTRACT(j.problem, '$.code')) = $12 OR 0 < (
           SELECT COUNT(*) FROM job_outputs o FORCE INDEX (PRIMARY) WHERE o.job_id = j.id AND o.state = 'failed'
             AND JSON_UNQUOTE(JSON_EXTRACT(o.problem, '$.code')) = $12))
    ORDER BY g.job_id DESC LIMIT $4;
