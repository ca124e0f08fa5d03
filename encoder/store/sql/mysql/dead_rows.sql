-- Dead rows of tables: these servers count none.
-- Index: none. Locks: none.
SELECT 'none' AS name, 0 AS dead_rows FROM DUAL WHERE FALSE;
