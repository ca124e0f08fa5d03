"""V4: no row is written under an epoch that is not current. Triggers note what is, in the databases of tests alone.

They see each write at its moment, as no look at the rows afterwards can. What is rolled back was not written.
"""

from __future__ import annotations

from tests.lab.databases import Answers, asking, is_mysql, run

_POSTGRES = """
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
  IF NEW.epoch NOT IN (OLD.epoch, OLD.epoch + 1, OLD.epoch + 1000000)
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


# The same eyes. Triggers here see a write at once, not at the end of its statement; ours are in an order for both.
_MYSQL = (
    "CREATE TABLE lab_stale_writes (what text NOT NULL)",
    """CREATE TRIGGER judge_output AFTER UPDATE ON job_outputs FOR EACH ROW BEGIN
      IF NEW.state IN ('encoding', 'verifying', 'uploading') AND NOT EXISTS (
        SELECT 1 FROM task_leases l JOIN tasks t ON t.id = l.task_id AND t.epoch = l.epoch
        WHERE t.job_id = NEW.job_id AND t.kind <> 'notify')
      THEN INSERT INTO lab_stale_writes VALUES (CONCAT('output ', NEW.job_id, '/', NEW.position, ' without a lease'));
      END IF;
      IF NOT (NEW.intent <=> OLD.intent) AND NOT EXISTS (
        SELECT 1 FROM task_leases
        WHERE CONCAT(task_id, '-', epoch) = JSON_UNQUOTE(JSON_EXTRACT(NEW.intent, '$.token')) COLLATE utf8mb4_bin)
      THEN INSERT INTO lab_stale_writes
        VALUES (CONCAT('intent of the stale attempt ', JSON_UNQUOTE(JSON_EXTRACT(NEW.intent, '$.token'))));
      END IF;
    END""",
    """CREATE TRIGGER judge_task AFTER UPDATE ON tasks FOR EACH ROW BEGIN
      IF NEW.epoch NOT IN (OLD.epoch, OLD.epoch + 1, OLD.epoch + 1000000)
      THEN INSERT INTO lab_stale_writes
        VALUES (CONCAT('task ', OLD.id, ' from epoch ', OLD.epoch, ' to ', NEW.epoch));
      END IF;
      IF OLD.state IN ('done', 'failed', 'cancelled') AND NOT (
        NEW.job_id <=> OLD.job_id AND NEW.tenant_id <=> OLD.tenant_id AND NEW.name <=> OLD.name AND NEW.kind
        <=> OLD.kind AND NEW.queue <=> OLD.queue AND NEW.nice <=> OLD.nice AND NEW.weight <=> OLD.weight AND
        NEW.state <=> OLD.state AND NEW.run_at <=> OLD.run_at AND NEW.epoch <=> OLD.epoch AND NEW.attempt
        <=> OLD.attempt AND NEW.max_attempts <=> OLD.max_attempts AND NEW.lost <=> OLD.lost AND NEW.released
        <=> OLD.released AND NEW.args <=> OLD.args AND NEW.problem <=> OLD.problem AND NEW.created_at <=>
        OLD.created_at AND NEW.started_at <=> OLD.started_at AND NEW.finished_at <=> OLD.finished_at)
      THEN INSERT INTO lab_stale_writes VALUES (CONCAT('task ', OLD.id, ', which had ended')); END IF;
      IF OLD.state = 'running' AND (NEW.state = 'running') <> EXISTS (
        SELECT 1 FROM task_leases WHERE task_id = OLD.id AND epoch = OLD.epoch)
      THEN INSERT INTO lab_stale_writes VALUES (CONCAT('task ', OLD.id, ', whose lease is another matter')); END IF;
    END""",
    """CREATE TRIGGER judge_new_lease AFTER INSERT ON task_leases FOR EACH ROW BEGIN
      IF NOT EXISTS (SELECT 1 FROM tasks WHERE id = NEW.task_id AND epoch = NEW.epoch AND state = 'running')
      THEN INSERT INTO lab_stale_writes VALUES (CONCAT('lease of task ', NEW.task_id, ' at epoch ', NEW.epoch)); END IF;
    END""",
    """CREATE TRIGGER judge_lease AFTER UPDATE ON task_leases FOR EACH ROW BEGIN
      IF NOT EXISTS (SELECT 1 FROM tasks WHERE id = NEW.task_id AND epoch = NEW.epoch AND state = 'running')
      THEN INSERT INTO lab_stale_writes VALUES (CONCAT('lease of task ', NEW.task_id, ' at epoch ', NEW.epoch)); END IF;
    END""",
    """CREATE TRIGGER judge_event AFTER INSERT ON job_events FOR EACH ROW BEGIN
      IF NEW.task_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM tasks WHERE id = NEW.task_id AND epoch = NEW.epoch AND state <> 'running')
      THEN INSERT INTO lab_stale_writes
        VALUES (CONCAT(NEW.type, ' of task ', NEW.task_id, ' at epoch ', NEW.epoch));
      END IF;
    END""",
    """CREATE TRIGGER judge_job AFTER UPDATE ON jobs FOR EACH ROW BEGIN
      IF OLD.state IN ('completed', 'failed', 'cancelled') AND NEW.state <> OLD.state AND NEW.run <> OLD.run + 1
      THEN INSERT INTO lab_stale_writes VALUES (CONCAT('job ', OLD.id, ', which had ended')); END IF;
    END""",
)


async def install(dsn: str) -> None:
    """Watch the writes in a database that has our schema."""
    await run(dsn, *(_MYSQL if is_mysql(dsn) else (_POSTGRES,)))


async def testimony(dsn: str) -> list[str]:
    """The stale writes that were seen; none where nobody watches."""
    async with asking(dsn) as answers:
        return await heard(dsn, answers)


async def heard(dsn: str, answers: Answers) -> list[str]:
    """As `testimony`, by a connection that is there."""
    own, table = ("DATABASE()", "lab_stale_writes") if is_mysql(dsn) else ("'lab'", "lab.stale_writes")
    there = await answers(
        f"SELECT 1 FROM information_schema.tables WHERE table_schema = {own} AND table_name LIKE '%stale_writes'",  # noqa: S608  # ours
    )
    return [f"V4 {what}" for (what,) in await answers(f"SELECT what FROM {table}")] if there else []  # noqa: S608  # ours
