"""Verbs for which PostgreSQL has one statement and these servers several: there is no RETURNING and no writing CTE.

Each gives what the statement of that name gives there. Lists go in as JSON, sorted by id, and drive the join: so
rows are locked by primary key, in that order (docs/operate/databases.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from encoder.store.engine import Row
from encoder.store.mysql import telling
from encoder.store.mysql.connection import Connection
from encoder.store.mysql.sql import Query, queries, query
from encoder.store.statements import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`peek`: asked first, without a transaction; where it gives no row the answer is `nothing`.

    `reads`: it only reads, and needs no transaction.
    """

    run: Callable[..., Awaitable[Sequence[Row]]]
    peek: Query | None = None
    nothing: Sequence[Row] = ()
    reads: bool = False


_STANDING = query("standing")
_HOLD = query("hold_task")
_PEEK, _PICK, _DROP, _LOCK_READY, _START, _LEASE, _MORE = queries("claim")
_LOCK_OF_JOB, _FIND_PLACE = queries("claim_job")
_NEXT_TENANT, _HAVE = queries("waiting_tenants")
_HEADS = query("heads")
_LOCK_CHOSEN, _OPEN_CHOSEN, _PLACE, _DRAWN = queries("admit")
_FIND_PLACES, _DROP_PLACES, _WAIT_AGAIN = queries("take_back")
_PAUSE, _RESUME = query("pause"), query("resume")
_LOCK_KNOWN, _SET_QUOTA = queries("set_quota")
_HELLO = queries("hello")
_CLOSE_LEASE, _CLOSE_TASK, _JOB_OF_TASK = queries("close_task")
_OPEN_NEXT, _OPENED = queries("open_next")
_LOCK_PARTS, _CANCEL_PARTS = queries("cancel_parts")
_LOCK_CHUNKED, _FORGET_CHUNKS = queries("forget_chunks")
_ADD_BEHIND, _ADD_PART = queries("fan_out")
_FIND_DUE, _LOCK_DUE, _OPEN_DUE = queries("due")
_FIND_OPEN, _CANCEL_OPEN = queries("cancel_tasks")
_FIND_LEASES, _FLAG_LEASES = queries("flag_leases")
_OPEN_ROOT = query("open_root")
_LOOK_SEALED, _LOCK_SEALED, _ERASE = queries("erase_secrets")
_JOB_BY_ID, _JOB_BY_UUID, _OUTPUTS = queries("job")
_HOLDUPS = query("holdups")
_NO_HOLDUP: Mapping[str, None] = dict.fromkeys(("paused_at", "paused_because", "cap", "running", "taken"))
_FIND_JOBS, _FIND_TAGGED = queries("find_jobs")
_EVENTS_OF_JOBS = query("events_of_jobs")
_QUEUES, _DEPTH = queries("depths")
_RECORD_JOB, _RECORD_OUTPUT, _RECORD_EVENT = queries("record")
_SET_DEADLINE = query("set_deadline")
_FIND_PLAN, _TAKE_PLAN = queries("take_upload_job")
_END_UPLOAD, _HOLD_UPLOAD, _MOVE_UPLOAD = query("end_upload"), query("hold_upload"), query("move_upload")
_FIND_TO_LOOK, _LOOK_LATER, _TO_LOOK = queries("look_uploads")
_DROP_PLANS, _DROP_UPLOADS = queries("remove_uploads")
_ADD_KEY, _KEY, _REVOKE_KEY = query("add_key"), query("key"), query("revoke_key")
_PUT_PRESET, _PRESET, _REMOVE_PRESET = query("put_preset"), query("preset"), query("remove_preset")
_PUT_PIPELINE, _PIPELINE, _REMOVE_PIPELINE = query("put_pipeline"), query("pipeline"), query("remove_pipeline")
_PUT_RULE, _PUT_AS = queries("put_ingest_rule")
_REMOVE_RULE, _FORGET_OBJECTS = query("remove_ingest_rule"), query("forget_objects")
_SEE_OBJECT = query("see_object")
_FIND_LIVE, *_REMOVALS = queries("remove_jobs")
_LOCK_DUE_JOBS, _MARK_JOBS = queries("mark_jobs")
_LOCK_SPENT, _FIND_USED, _MARK_UPLOADS = queries("mark_uploads")
_FIND_KEYED, _FREE_KEYS = queries("free_keys")
_FORGET_WORKERS, _FORGET_SWEEPS = query("forget_workers"), query("forget_sweeps")
_BEGIN_SWEEP = query("begin_sweep")
_WORKERS = query("workers")
_UPTIME = query("uptime")


async def claim(
    session: Connection, queue: str, floor: int, limit: int, worker: object, lease: object, deadline: object
) -> Sequence[Row]:
    picked = await session.ask(_PICK, queue, floor, limit)
    places = {place["task_id"]: place["seq"] for place in picked}
    told = {
        "picked": len(picked),
        "seen": max(places.values(), default=None),
        "waiting": len(picked) < limit and bool(await session.ask(_MORE, queue)),
    }
    if picked:
        await session.write(_DROP, queue, sorted(places.values()))
    tasks = await session.ask(_LOCK_READY, sorted(places)) if picked else ()
    if not tasks:
        return [told | {"task_id": None}]
    ids = sorted(task["task_id"] for task in tasks)
    await session.write(_START, ids)
    await session.write(_LEASE, ids, worker, lease, deadline)
    return [task | told for task in sorted(tasks, key=lambda task: places[task["task_id"]])]


_NOTHING_PICKED: Sequence[Row] = ({"picked": 0, "seen": None, "waiting": False, "task_id": None},)


async def claim_job(session: Connection, job: int, worker: object, lease: object, deadline: object) -> Sequence[Row]:
    tasks = await session.ask(_LOCK_OF_JOB, job)
    for task in tasks:
        in_line = task["state"] == "ready"
        places = await session.ask(_FIND_PLACE, task["queue"], task["task_id"]) if in_line else ()
        if places:
            await session.write(_DROP, task["queue"], sorted(place["seq"] for place in places))
        await session.write(_START, [task["task_id"]])
        await session.write(_LEASE, [task["task_id"]], worker, lease, deadline)
    return tasks


async def waiting_tenants(session: Connection, queue: str) -> Sequence[Row]:
    tenants: list[int] = []
    while found := await session.ask(_NEXT_TENANT, queue, tenants[-1] if tenants else _BEFORE_ALL):
        tenants += [row["tenant_id"] for row in found]
    return await session.ask(_HAVE, queue, tenants) if tenants else ()


_BEFORE_ALL = -1 << 63


async def heads(session: Connection, queue: str, tenants: Sequence[int], limit: int) -> Sequence[Row]:
    return [head for tenant in tenants for head in await session.ask(_HEADS, queue, tenant, limit)]


async def admit(session: Connection, chosen: Sequence[int]) -> Sequence[Row]:
    mine = {row["id"]: row["queue"] for row in await session.ask(_LOCK_CHOSEN, sorted(chosen))}
    if mine:
        await session.write(_OPEN_CHOSEN, sorted(mine))
        await session.write(_PLACE, [task for task in chosen if task in mine])
        await session.write(_DRAWN, next(iter(mine.values())), len(mine) + 1)
    return [{"admitted": len(mine)}]


async def take_back(session: Connection, queue: str, tenant: int | None) -> Sequence[Row]:
    places = await session.ask(_FIND_PLACES, queue, tenant)
    if places:
        await session.write(_DROP_PLACES, queue, [place["seq"] for place in places])
        await session.write(_WAIT_AGAIN, sorted(place["task_id"] for place in places))
    return ()


async def pause(session: Connection, queue: str, because: str, kept: str) -> Sequence[Row]:
    return [{"queue": queue}] if await session.write(_PAUSE, queue, because, kept) else ()


async def resume(session: Connection, queue: str) -> Sequence[Row]:
    return [{"queue": queue}] if await session.write(_RESUME, queue) else ()


async def set_quota(session: Connection, *values: object) -> Sequence[Row]:
    known = await session.ask(_LOCK_KNOWN, *values)
    if known:
        await session.write(_SET_QUOTA, *values)
    return known


async def hello(session: Connection, *values: object) -> Sequence[Row]:
    for step in _HELLO:
        await session.write(step, *values)
    return ()


async def hold_task(session: Connection, task: int, epoch: int, job: int) -> Sequence[Row]:
    held = await session.ask(_HOLD, task, epoch)
    return [await standing(session, job)] if held else ()


async def close_task(session: Connection, task: int, epoch: int, *how: object) -> Sequence[Row]:
    values = (task, epoch, *how)
    if not await session.write(_CLOSE_LEASE, *values) or not await session.write(_CLOSE_TASK, *values):
        return ()
    (row,) = await session.ask(_JOB_OF_TASK, task)
    own = {"then_id": row["then_id"], "started_at": row["started_at"]}
    return [await standing(session, row["job_id"]) | own]


async def open_next(session: Connection, task: int, *values: object) -> Sequence[Row]:
    return await session.ask(_OPENED, task) if await session.write(_OPEN_NEXT, task, *values) else ()


async def cancel_parts(session: Connection, tasks: Sequence[int]) -> Sequence[Row]:
    mine = await session.ask(_LOCK_PARTS, sorted(tasks))
    if mine:
        await session.write(_CANCEL_PARTS, sorted(task["id"] for task in mine))
    return mine


async def forget_chunks(session: Connection, jobs: Sequence[int], ended_by: object) -> Sequence[Row]:
    mine = await session.ask(_LOCK_CHUNKED, sorted(jobs), ended_by)
    if mine:
        await session.write(_FORGET_CHUNKS, sorted(job["id"] for job in mine))
    return ()


async def fan_out(session: Connection, job: int, nice: int, attempts: int, then: str, parts: str) -> Sequence[Row]:
    (behind,), parted = _decoded(f"[{then}]"), _decoded(parts)
    task = await session.add(_ADD_BEHIND, job, nice, attempts, *_new_task(behind), len(parted))
    for part in parted:
        await session.write(_ADD_PART, job, nice, attempts, *_new_task(part), task)
    return ()


def _new_task(told: Mapping[str, msgspec.Raw]) -> tuple[object, ...]:
    return (*(_value(told[name]) for name in ("name", "kind", "queue", "weight")), _text(told["args"]))


async def due(session: Connection, limit: int) -> Sequence[Row]:
    found = await session.ask(_FIND_DUE, limit)
    mine = await session.ask(_LOCK_DUE, sorted(task["id"] for task in found)) if found else ()
    if mine:
        await session.write(_OPEN_DUE, sorted(task["id"] for task in mine))
    return [{"queue": queue} for queue in sorted({task["queue"] for task in mine})]


async def cancel_tasks(session: Connection, job: int) -> Sequence[Row]:
    tasks = await session.ask(_FIND_OPEN, job)
    if tasks:
        await session.write(_CANCEL_OPEN, [task["id"] for task in tasks])
    return ()


async def flag_leases(session: Connection, job: int) -> Sequence[Row]:
    leases = await session.ask(_FIND_LEASES, job)
    running = await session.write(_FLAG_LEASES, [lease["task_id"] for lease in leases]) if leases else 0
    return [await standing(session, job) | {"running": running}]


async def open_root(session: Connection, job: int, *values: object) -> Sequence[Row]:
    await session.write(_OPEN_ROOT, job, *values)
    return [await standing(session, job)]


async def standing(session: Connection, job: int) -> dict[str, Any]:
    """`at`: the database's time. `outputs`: as they stand, JSON."""
    rows = await session.ask(_STANDING, job)
    outputs = [
        {"id": row["position"], "state": row["state"], **{name: _raw(row[name]) for name in ("delivered", "problem")}}
        for row in rows
        if row["position"] is not None
    ]
    return {"at": rows[0]["at"], "outputs": msgspec.json.encode(outputs).decode()}


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


async def erase_secrets(session: Connection, age: object, limit: int, *place: object) -> Sequence[Row]:
    looked = await session.ask(_LOOK_SEALED, age, limit, *place)
    sealed = sorted(row["id"] for row in looked if row["has_any"])
    mine = [row["id"] for row in await session.ask(_LOCK_SEALED, sealed)] if sealed else []
    if mine:
        await session.write(_ERASE, sorted(mine))
    return [{"id": looked[-1]["id"], "at": looked[-1]["at"], "erased": len(mine)}] if looked else ()


async def job(session: Connection, job_id: int | None, uuid: object, *values: object) -> Sequence[Row]:
    *about, within = values
    found = await session.ask(_JOB_BY_UUID if job_id is None else _JOB_BY_ID, job_id, uuid, *about)
    if not found:
        return ()
    (row,) = found
    waits = row["task_state"] in ("waiting", "ready")
    holdups = await session.ask(_HOLDUPS, row["tenant_id"], [row["task_queue"]], within) if waits else ()
    first, *others = await session.ask(_OUTPUTS, row["id"])
    return [{**_NO_HOLDUP, **row, **next(iter(holdups), {}), **first}, *others]


async def find_jobs(session: Connection, *values: object) -> Sequence[Row]:
    tag = values[4]
    return await session.ask(_FIND_JOBS if tag is None else _FIND_TAGGED, *values)


async def events_of_jobs(session: Connection, jobs: Sequence[int], after: Sequence[int], limit: int) -> Sequence[Row]:
    return await session.ask(_EVENTS_OF_JOBS, list(zip(jobs, after, strict=True)), limit)


async def depths(session: Connection, tenant: object) -> Sequence[Row]:
    queues = await session.ask(_QUEUES)
    return [row for known in queues for row in await session.ask(_DEPTH, tenant, known["queue"])]


async def record(session: Connection, *values: Any) -> Sequence[Row]:  # noqa: ANN401  # thirteen, of many types
    job_id, at, _state, run, _cancel, _last, _media, _problem, outputs, events, deliveries, texts, attempts = values
    await session.write(_RECORD_JOB, *values)
    for output in _decoded(outputs):
        await session.write(
            _RECORD_OUTPUT,
            job_id,
            _value(output["position"]),
            at,
            *(_value(output[name]) for name in ("state", "attempts")),
            *(_text(output.get(name)) for name in _JSON_OF_OUTPUT),
            _value(output["log"]),
        )
    for event in _decoded(events):
        told = (_value(event["seq"]), _value(event["type"]), at, run, _value(event["output"]), _text(event["data"]))
        await session.write(_RECORD_EVENT, job_id, *told, _value(event.get("task_id")), _value(event.get("epoch")))
    tellings = msgspec.json.decode(deliveries, type=list[dict[str, Any]])
    words = [(*(each[name] for name in _WORDS), texts[each["body"] - 1]) for each in tellings]
    await telling.tell(session, job_id, at, attempts, words)
    return ()


_WORDS = ("receiver", "seq", "type", "webhook_id", "url")


_JSON_OF_OUTPUT = ("plan", "command", "intent", "delivered", "proof", "problem", "warnings", "timings")


def _decoded(text: str) -> list[dict[str, msgspec.Raw]]:
    return msgspec.json.decode(text, type=list[dict[str, msgspec.Raw]])


def _value(raw: msgspec.Raw | None) -> Any:  # noqa: ANN401  # a text or a number
    return None if raw is None else msgspec.json.decode(raw)


def _text(raw: msgspec.Raw | None) -> str | None:
    """JSON as it was written; None for its null."""
    text = "null" if raw is None else bytes(raw).decode()
    return None if text == "null" else text


async def set_deadline(session: Connection, task: int, *values: object) -> Sequence[Row]:
    return [{"task_id": task}] if await session.write(_SET_DEADLINE, task, *values) else ()


async def take_upload_job(session: Connection, upload: object) -> Sequence[Row]:
    found = await session.ask(_FIND_PLAN, upload)
    if found:
        await session.write(_TAKE_PLAN, upload)
    return found


async def end_upload(session: Connection, upload: object, *values: object) -> Sequence[Row]:
    return [{"id": upload}] if await session.write(_END_UPLOAD, upload, *values) else ()


async def hold_upload(session: Connection, upload: object, *values: object) -> Sequence[Row]:
    return [{"id": upload}] if await session.write(_HOLD_UPLOAD, upload, *values) else ()


async def move_upload(session: Connection, upload: object, *values: object) -> Sequence[Row]:
    return [{"id": upload}] if await session.write(_MOVE_UPLOAD, upload, *values) else ()


async def look_uploads(session: Connection, limit: int) -> Sequence[Row]:
    mine = [row["id"] for row in await session.ask(_FIND_TO_LOOK, limit)]
    if not mine:
        return ()
    await session.write(_LOOK_LATER, mine)
    return await session.ask(_TO_LOOK, mine)


async def remove_uploads(session: Connection, uploads: Sequence[object]) -> Sequence[Row]:
    await session.write(_DROP_PLANS, uploads)
    return [{"removed": await session.write(_DROP_UPLOADS, uploads)}]


async def add_key(
    session: Connection, tenant: int, name: str, prefix: str, digest: bytes, *more: object
) -> Sequence[Row]:
    await session.write(_ADD_KEY, tenant, name, prefix, digest, *more)
    return await session.ask(_KEY, digest)


async def revoke_key(session: Connection, key: int) -> Sequence[Row]:
    return [{"id": key}] if await session.write(_REVOKE_KEY, key) else ()


async def put_preset(session: Connection, tenant: int, name: str, *values: object) -> Sequence[Row]:
    await session.write(_PUT_PRESET, tenant, name, *values)
    return await session.ask(_PRESET, tenant, name)


async def remove_preset(session: Connection, tenant: int, name: str) -> Sequence[Row]:
    return [{"name": name}] if await session.write(_REMOVE_PRESET, tenant, name) else ()


async def put_pipeline(session: Connection, tenant: int, name: str, *values: object) -> Sequence[Row]:
    await session.write(_PUT_PIPELINE, tenant, name, *values)
    return await session.ask(_PIPELINE, tenant, name)


async def remove_pipeline(session: Connection, tenant: int, name: str) -> Sequence[Row]:
    return [{"name": name}] if await session.write(_REMOVE_PIPELINE, tenant, name) else ()


async def put_ingest_rule(session: Connection, *values: object) -> Sequence[Row]:
    await session.write(_PUT_RULE, *values)
    return await session.ask(_PUT_AS, *values)


async def remove_ingest_rule(session: Connection, tenant: int, name: str) -> Sequence[Row]:
    return [{"name": name}] if await session.write(_REMOVE_RULE, tenant, name) else ()


async def see_object(session: Connection, tenant: int, digest: bytes, rule: str) -> Sequence[Row]:
    return [{"rule": rule}] if await session.write(_SEE_OBJECT, tenant, digest, rule) else ()


async def forget_objects(session: Connection, age: object, limit: int) -> Sequence[Row]:
    return [{"forgotten": await session.write(_FORGET_OBJECTS, age, limit)}]


async def remove_jobs(session: Connection, jobs: Sequence[int]) -> Sequence[Row]:
    live = {row["job_id"] for row in await session.ask(_FIND_LIVE, jobs)}
    mine = [job for job in jobs if job not in live]
    for removal in _REMOVALS if mine else ():
        await session.write(removal, mine)
    return [{"id": job} for job in mine]


async def mark_jobs(session: Connection, jobs: Sequence[int], ended_by: object) -> Sequence[Row]:
    free = sorted(row["id"] for row in await session.ask(_LOCK_DUE_JOBS, sorted(jobs), ended_by))
    live = {row["job_id"] for row in await session.ask(_FIND_LIVE, free)} if free else set()
    mine = [job for job in free if job not in live]
    if mine:
        await session.write(_MARK_JOBS, mine)
    return [{"id": job} for job in mine]


async def mark_uploads(session: Connection, uploads: Sequence[object]) -> Sequence[Row]:
    free = await session.ask(_LOCK_SPENT, uploads)
    jobs = [row["job_id"] for row in free if row["job_id"] is not None]
    used = {row["id"] for row in await session.ask(_FIND_USED, jobs)} if jobs else set()
    mine = [row["id"] for row in free if row["job_id"] not in used]
    if mine:
        await session.write(_MARK_UPLOADS, mine)
    return [{"id": upload} for upload in mine]


async def free_keys(session: Connection, age: object, limit: int, *place: object) -> Sequence[Row]:
    looked = await session.ask(_FIND_KEYED, age, limit, *place)
    keyed = sorted(row["id"] for row in looked if row["keyed"])
    freed = await session.write(_FREE_KEYS, keyed) if keyed else 0
    return [{"id": looked[-1]["id"], "at": looked[-1]["at"], "freed": freed}] if looked else ()


async def forget_workers(session: Connection, age: object) -> Sequence[Row]:
    return [{"forgotten": await session.write(_FORGET_WORKERS, age)}]


async def forget_sweeps(session: Connection, age: object) -> Sequence[Row]:
    return [{"forgotten": await session.write(_FORGET_SWEEPS, age)}]


async def begin_sweep(session: Connection, *values: object) -> Sequence[Row]:
    return [{"id": await session.add(_BEGIN_SWEEP, *values)}]


async def workers(session: Connection, within: object, alive: object) -> Sequence[Row]:
    rows = await session.ask(_WORKERS, within, alive)
    return [row | {name: msgspec.json.decode(row[name]) for name in ("queues", "encoders")} for row in rows]


async def uptime(session: Connection) -> Sequence[Row]:
    (row,) = await session.ask(_UPTIME)
    return [{"seconds": float(row["Value"])}]


PROGRAMS: Mapping[Statement, Program] = {
    Statement.CLAIM: Program(run=claim, peek=_PEEK, nothing=_NOTHING_PICKED),
    Statement.CLAIM_JOB: Program(run=claim_job),
    Statement.WAITING_TENANTS: Program(run=waiting_tenants),
    Statement.HEADS: Program(run=heads),
    Statement.ADMIT: Program(run=admit),
    Statement.TAKE_BACK: Program(run=take_back),
    Statement.PAUSE: Program(run=pause),
    Statement.RESUME: Program(run=resume),
    Statement.SET_QUOTA: Program(run=set_quota),
    Statement.HELLO: Program(run=hello),
    Statement.HOLD_TASK: Program(run=hold_task),
    Statement.CLOSE_TASK: Program(run=close_task),
    Statement.OPEN_NEXT: Program(run=open_next),
    Statement.CANCEL_PARTS: Program(run=cancel_parts),
    Statement.FORGET_CHUNKS: Program(run=forget_chunks),
    Statement.FAN_OUT: Program(run=fan_out),
    Statement.SET_DEADLINE: Program(run=set_deadline),
    Statement.DUE: Program(run=due, peek=_FIND_DUE),
    Statement.CANCEL_TASKS: Program(run=cancel_tasks),
    Statement.FLAG_LEASES: Program(run=flag_leases),
    Statement.OPEN_ROOT: Program(run=open_root),
    Statement.ERASE_SECRETS: Program(run=erase_secrets),
    Statement.RECORD: Program(run=record),
    Statement.JOB: Program(run=job, reads=True),
    Statement.FIND_JOBS: Program(run=find_jobs, reads=True),
    Statement.EVENTS_OF_JOBS: Program(run=events_of_jobs, reads=True),
    Statement.DEPTHS: Program(run=depths, reads=True),
    Statement.LOOK_AT_DELIVERIES: Program(run=telling.look_at_deliveries, reads=True),
    Statement.GONE: Program(run=telling.gone),
    Statement.REOPEN_DELIVERY: Program(run=telling.reopen_delivery),
    Statement.REPLAY: Program(run=telling.replay),
    Statement.PUT_ENDPOINT: Program(run=telling.put_endpoint),
    Statement.ROTATE_ENDPOINT: Program(run=telling.rotate_endpoint),
    Statement.REMOVE_ENDPOINT: Program(run=telling.remove_endpoint),
    Statement.TESTS_OF_ENDPOINT: Program(run=telling.tests_of_endpoint),
    Statement.TEST_ENDPOINT: Program(run=telling.test_endpoint),
    Statement.TAKE_UPLOAD_JOB: Program(run=take_upload_job),
    Statement.END_UPLOAD: Program(run=end_upload),
    Statement.HOLD_UPLOAD: Program(run=hold_upload),
    Statement.MOVE_UPLOAD: Program(run=move_upload),
    Statement.LOOK_UPLOADS: Program(run=look_uploads, peek=_FIND_TO_LOOK),
    Statement.REMOVE_UPLOADS: Program(run=remove_uploads),
    Statement.ADD_KEY: Program(run=add_key),
    Statement.REVOKE_KEY: Program(run=revoke_key),
    Statement.PUT_PRESET: Program(run=put_preset),
    Statement.REMOVE_PRESET: Program(run=remove_preset),
    Statement.PUT_PIPELINE: Program(run=put_pipeline),
    Statement.REMOVE_PIPELINE: Program(run=remove_pipeline),
    Statement.PUT_INGEST_RULE: Program(run=put_ingest_rule),
    Statement.REMOVE_INGEST_RULE: Program(run=remove_ingest_rule),
    Statement.SEE_OBJECT: Program(run=see_object),
    Statement.FORGET_OBJECTS: Program(run=forget_objects),
    Statement.REMOVE_JOBS: Program(run=remove_jobs),
    Statement.MARK_JOBS: Program(run=mark_jobs),
    Statement.MARK_UPLOADS: Program(run=mark_uploads),
    Statement.FREE_KEYS: Program(run=free_keys),
    Statement.FORGET_WORKERS: Program(run=forget_workers),
    Statement.FORGET_SWEEPS: Program(run=forget_sweeps),
    Statement.BEGIN_SWEEP: Program(run=begin_sweep),
    Statement.WORKERS: Program(run=workers, reads=True),
    Statement.UPTIME: Program(run=uptime, reads=True),
}

QUERIES: Mapping[Statement, Query] = {name: query(name) for name in Statement if name not in PROGRAMS}
