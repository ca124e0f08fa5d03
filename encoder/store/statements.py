"""What the verbs ask of a database, by name. An engine has a file `sql/<engine>/<name>.sql` for each, or a program of
several; its head says what it is for, its values, its index and its locks."""

from __future__ import annotations

from enum import StrEnum


class Statement(StrEnum):
    """What one is for stands at the head of its file."""

    ENQUEUED_BEFORE = "enqueued_before"
    FREE_KEY = "free_key"
    CANCEL_TASKS = "cancel_tasks"
    FLAG_LEASES = "flag_leases"
    OPEN_ROOT = "open_root"
    HIDE = "hide"
    ERASE_SECRETS = "erase_secrets"

    JOB = "job"
    JOBS = "jobs"
    CREATED_BETWEEN = "created_between"
    OUTPUTS = "outputs"
    OUTPUTS_OF_JOBS = "outputs_of_jobs"
    EVENTS = "events"
    LOG = "log"
    COUNT_JOBS = "count_jobs"
    OPEN_JOBS = "open_jobs"
    USAGE = "usage"
    DEAD_GROUPS = "dead_groups"
    DEAD_JOBS = "dead_jobs"
    DEPTHS = "depths"

    CLAIM = "claim"
    LOCK_QUEUE = "lock_queue"
    WAITING_TENANTS = "waiting_tenants"
    HEADS = "heads"
    ADMIT = "admit"
    HOLD_TASK = "hold_task"
    CLOSE_TASK = "close_task"
    OPEN_NEXT = "open_next"
    ABANDON = "abandon"
    LIVE = "live"
    FAN_OUT = "fan_out"
    PARTS = "parts"
    SETTLED_BEFORE = "settled_before"
    SET_DEADLINE = "set_deadline"
    EXPIRED = "expired"
    HELD = "held"
    DUE = "due"
    NEXT_DUE = "next_due"
    UPTIME = "uptime"

    PAUSE = "pause"
    RESUME = "resume"
    TAKE_BACK = "take_back"
    SET_QUOTA = "set_quota"
    QUOTAS = "quotas"
    HOLDUPS = "holdups"
    KNOWN_QUEUES = "known_queues"

    LOCK_JOB = "lock_job"
    LOCK_FREE_JOB = "lock_free_job"
    RECORD = "record"

    DELIVERY = "delivery"
    DELIVERIES = "deliveries"
    TOLD = "told"
    GONE = "gone"
    REOPEN_DELIVERY = "reopen_delivery"
    REPLAY = "replay"

    ADD_UPLOAD = "add_upload"
    UPLOAD = "upload"
    UPLOAD_ARRIVED = "upload_arrived"

    ADD_KEY = "add_key"
    KEY = "key"
    KEYS = "keys"
    USE_KEY = "use_key"
    REVOKE_KEY = "revoke_key"

    PRESET = "preset"
    PRESETS = "presets"
    LOCK_PRESET = "lock_preset"
    COUNT_PRESETS = "count_presets"
    PUT_PRESET = "put_preset"
    REMOVE_PRESET = "remove_preset"

    ENDED_JOBS = "ended_jobs"
    DELETED_JOBS = "deleted_jobs"
    LOCK_ENDED = "lock_ended"
    REMOVE_JOBS = "remove_jobs"

    HELLO = "hello"
    DRAINING = "draining"
    BYE = "bye"
    WORKERS = "workers"
    RUNNING = "running"

    CHECKUP = "checkup"
    PING = "ping"
