"""The statements, one file each in `store/sql/postgres`, read once. Values are always bound, never written in."""

from __future__ import annotations

from importlib.resources import files
from typing import LiteralString


def _read(verb: LiteralString) -> LiteralString:
    return files("encoder.store").joinpath("sql", "postgres", f"{verb}.sql").read_text(encoding="utf-8")


SCHEMA = _read("schema")
STEP_2 = _read("step_2")

ENQUEUE = _read("enqueue")
ENQUEUED_BEFORE = _read("enqueued_before")
FREE_KEY = _read("free_key")
TICKET = _read("ticket")
CANCEL_TASKS = _read("cancel_tasks")
FLAG_LEASES = _read("flag_leases")
OPEN_ROOT = _read("open_root")
HIDE = _read("hide")
ERASE_SECRETS = _read("erase_secrets")

JOB = _read("job")
JOBS = _read("jobs")
OUTPUTS = _read("outputs")
OUTPUTS_OF_JOBS = _read("outputs_of_jobs")
EVENTS = _read("events")
LOG = _read("log")
COUNT_JOBS = _read("count_jobs")
DEPTHS = _read("depths")

CLAIM = _read("claim")
HOLD_TASK = _read("hold_task")
CLOSE_TASK = _read("close_task")
SETTLED_BEFORE = _read("settled_before")
SET_DEADLINE = _read("set_deadline")
EXPIRED = _read("expired")
DUE = _read("due")
NEXT_DUE = _read("next_due")
UPTIME = _read("uptime")
BEAT = _read("beat")

LOCK_JOB = _read("lock_job")
LOCK_FREE_JOB = _read("lock_free_job")
RECORD = _read("record")

DELIVERY = _read("delivery")
DELIVERIES = _read("deliveries")
TOLD = _read("told")
GONE = _read("gone")
REOPEN_DELIVERY = _read("reopen_delivery")
REPLAY = _read("replay")

ADD_UPLOAD = _read("add_upload")
UPLOAD = _read("upload")
UPLOAD_ARRIVED = _read("upload_arrived")

HELLO = _read("hello")
DRAINING = _read("draining")
BYE = _read("bye")
WORKERS = _read("workers")
RUNNING = _read("running")

HINT = _read("hint")
PING = _read("ping")
