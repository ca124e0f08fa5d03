"""V4: no row is written under an epoch that is not current. Triggers note what is, in the databases of tests alone.

They see each write at its moment, as no look at the rows afterwards can. What is rolled back was not written.
"""

from __future__ import annotations

import asyncpg

from tests.lab.invariants import ask

SCHEMA = """
CREATE SCHEMA lab;
CREATE TABLE lab.stale_writes (what text NOT NULL);

-- An attempt's progress needs a lease of its job; an intent names the attempt whose lease it is.
CREATE FUNCTION lab.judge_output() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.state IN ('encoding', 'verifying', 'uploading') AND NOT EXISTS (
    SELECT FROM public.task_leases l JOIN public.tasks t ON (t.id, t.epoch) = (l.task_id, l.epoch)
    WHERE t.job_id = NEW.job_id AND t.kind <> 'notify')
  THEN INSERT INTO lab.stale_writes VALUES (format('output %s/%s without a lease', NEW.job_id, NEW.position)); END IF;
  IF NEW.intent::text IS DISTINCT FROM OLD.intent::text AND NOT EXISTS (
    SELECT FROM public.task_leases WHERE format('%s-%s', task_id, epoch) = NEW.intent ->> 'token')
  THEN INSERT INTO lab.stale_writes VALUES (format('intent of the stale attempt %s', NEW.intent ->> 'token')); END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION lab.judge_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NEW.epoch NOT IN (OLD.epoch, OLD.epoch + 1)
  THEN INSERT INTO lab.stale_writes VALUES (format('task %s from epoch %s to %s', OLD.id, OLD.epoch, NEW.epoch));
  END IF;
  IF OLD.state IN ('done', 'failed', 'cancelled') AND NEW::text <> OLD::text
  THEN INSERT INTO lab.stale_writes VALUES (format('task %s, which had ended', OLD.id)); END IF;
  IF OLD.state = 'running' AND (NEW.state = 'running') <> EXISTS (
    SELECT FROM public.task_leases WHERE (task_id, epoch) = (OLD.id, OLD.epoch))
  THEN INSERT INTO lab.stale_writes VALUES (format('task %s, whose lease is another matter', OLD.id)); END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION lab.judge_lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT FROM public.tasks WHERE (id, epoch, state) = (NEW.task_id, NEW.epoch, 'running'))
  THEN INSERT INTO lab.stale_writes VALUES (format('lease of task %s at epoch %s', NEW.task_id, NEW.epoch)); END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION lab.judge_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF NOT EXISTS (SELECT FROM public.tasks WHERE (id, epoch) = (NEW.task_id, NEW.epoch) AND state <> 'running')
  THEN INSERT INTO lab.stale_writes VALUES (format('%s of task %s at epoch %s', NEW.type, NEW.task_id, NEW.epoch));
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION lab.judge_job() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.state IN ('completed', 'failed', 'cancelled') AND NEW.state <> OLD.state AND NEW.run <> OLD.run + 1
  THEN INSERT INTO lab.stale_writes VALUES (format('job %s, which had ended', OLD.id)); END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER judge AFTER UPDATE ON public.job_outputs FOR EACH ROW EXECUTE FUNCTION lab.judge_output();
CREATE TRIGGER judge AFTER UPDATE ON public.tasks FOR EACH ROW EXECUTE FUNCTION lab.judge_task();
CREATE TRIGGER judge AFTER INSERT OR UPDATE ON public.task_leases FOR EACH ROW EXECUTE FUNCTION lab.judge_lease();
CREATE TRIGGER judge AFTER INSERT ON public.job_events FOR EACH ROW WHEN (NEW.task_id IS NOT NULL)
  EXECUTE FUNCTION lab.judge_event();
CREATE TRIGGER judge AFTER UPDATE ON public.jobs FOR EACH ROW EXECUTE FUNCTION lab.judge_job();
"""


async def install(dsn: str) -> None:
    """Watch the writes in a database that has our schema."""
    db = await asyncpg.connect(dsn)
    try:
        await db.execute(SCHEMA)
    finally:
        await db.close()


async def testimony(dsn: str) -> list[str]:
    """The stale writes that were seen; none where nobody watches."""
    there = await ask(dsn, "SELECT 1 FROM information_schema.tables WHERE table_name = 'stale_writes'")
    return [f"V4 {what}" for (what,) in await ask(dsn, "SELECT what FROM lab.stale_writes")] if there else []
