"""A database of PostgreSQL that was used is emptied and serves again: a copy of the template costs 0.15 s of CPU.

What is not merely rows is not undone: where a test changed tables or settings, or had statistics made, by which plans
are chosen, the database says so, and is dropped.
"""

from __future__ import annotations

import asyncpg

from tests.lab.databases import run

# Of the tables that are born with rows, copies lie in `lab_born`. That a table was written to shows in its size.
_INSTALL = """
CREATE SCHEMA lab_born;
CREATE TABLE lab_born.changes (what text NOT NULL);

CREATE FUNCTION lab_born.note_change() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  INSERT INTO lab_born.changes VALUES (tg_tag);
END $$;

CREATE FUNCTION lab_born.emptied() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE written text; born text; differs boolean;
BEGIN
  IF EXISTS (SELECT FROM lab_born.changes) OR EXISTS (
    SELECT FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE c.relnamespace IN ('public'::regnamespace, 'lab'::regnamespace))
  THEN RETURN false; END IF;
  FOR born IN SELECT relname FROM pg_class WHERE relnamespace = 'lab_born'::regnamespace AND relkind = 'r'
    AND relname <> 'changes' LOOP
    EXECUTE format(
      'SELECT (SELECT array_agg(t::text ORDER BY t::text) FROM public.%1$I t) IS DISTINCT FROM
        (SELECT array_agg(t::text ORDER BY t::text) FROM lab_born.%1$I t)', born) INTO differs;
    IF differs THEN
      EXECUTE format('TRUNCATE public.%1$I; INSERT INTO public.%1$I SELECT * FROM lab_born.%1$I', born);
    END IF;
  END LOOP;
  SELECT string_agg(oid::regclass::text, ', ') INTO written FROM pg_class c
  WHERE c.relnamespace IN ('public'::regnamespace, 'lab'::regnamespace) AND c.relkind = 'r'
    AND pg_relation_size(c.oid) > 0
    AND NOT EXISTS (SELECT FROM pg_class b WHERE b.relname = c.relname AND b.relnamespace = 'lab_born'::regnamespace);
  IF written IS NOT NULL THEN EXECUTE 'TRUNCATE ' || written; END IF;
  PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
  FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
  RETURN true;
END $$;

DO $$ DECLARE born text; has_rows boolean; BEGIN
  FOR born IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', born) INTO has_rows;
    IF has_rows THEN EXECUTE format('CREATE TABLE lab_born.%1$I AS TABLE public.%1$I', born); END IF;
  END LOOP;
END $$;

CREATE EVENT TRIGGER note_change ON ddl_command_end EXECUTE FUNCTION lab_born.note_change();
CREATE EVENT TRIGGER note_drop ON sql_drop EXECUTE FUNCTION lab_born.note_change();
"""

_SET_APART = """
SELECT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = d.oid)
  OR d.datconnlimit <> -1 OR d.datacl IS NOT NULL OR NOT d.datallowconn
FROM pg_database d WHERE d.datname = $1"""
_END_SESSIONS = "SELECT bool_and(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE datname = $1"


async def install(dsn: str) -> None:
    """Have all copies of this database know what they were born with."""
    await run(dsn, _INSTALL)


async def is_as_born(server: asyncpg.Connection[asyncpg.Record], name: str) -> bool:
    """Whether nobody set something for the database as a whole. All sessions in it are ended."""
    if await server.fetchval(_SET_APART, name) is not False:  # or it is gone
        return False
    return await server.fetchval(_END_SESSIONS, name) is not False


async def empty(dsn: str) -> bool:
    """Remove all rows, and begin to count anew; False: more was changed than rows."""
    connection = await asyncpg.connect(dsn)
    try:
        return bool(await connection.fetchval("SELECT lab_born.emptied()"))
    finally:
        await connection.close()
