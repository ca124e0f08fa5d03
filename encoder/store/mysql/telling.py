"""Programs (`programs.py`) of who is told what: deliveries and endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from encoder.store.engine import Row
from encoder.store.mysql.connection import Connection
from encoder.store.mysql.sql import queries, query

_GONE, _TELL_DELIVERY, _TELL_TASKS = queries("tell")
_LOOK, _LOOK_AT_STATE, _LOOK_AT_JOB = queries("look_at_deliveries")
_FIND_PENDING, _LOCK_PENDING, _END_PENDING = queries("gone")
_FIND_DELIVERY, _KEEP_JOB, _REOPEN_DELIVERY = queries("reopen_delivery")
_KNOWN_TELLINGS, _HURRY, _TELL_AGAIN = queries("replay")
_PUT_ENDPOINT, _ENDPOINTS = query("put_endpoint"), query("endpoints")
_ROTATE_ENDPOINT = query("rotate_endpoint")
_FIND_ENDPOINT, _REMOVE_TASKS, _REMOVE_TESTS, _REMOVE_ENDPOINT = queries("remove_endpoint")
_FORGET_TASKS, _NEXT_TEST, _FORGET_TESTS = queries("tests_of_endpoint")
_TEST_ENDPOINT = query("test_endpoint")

Words: TypeAlias = tuple[str, int, str, str, str, str]  # receiver, event, type, webhook id, url, body


async def tell(session: Connection, job_id: int, at: datetime, attempts: int, told: Sequence[Words]) -> None:
    """Deliveries of new events, in their order, with their notify tasks."""
    if not told:
        return
    gone = {row["receiver"] for row in await session.ask(_GONE, job_id)}
    for receiver, *words in told:
        await session.write(_TELL_DELIVERY, job_id, at, receiver, *words, "gone" if receiver in gone else "pending")
    first = told[0][1]
    await session.write(_TELL_TASKS, job_id, first, attempts)


async def look_at_deliveries(session: Connection, *values: object) -> Sequence[Row]:
    job, state = values[3], values[4]
    look = _LOOK_AT_JOB if job is not None else _LOOK if state is None else _LOOK_AT_STATE
    return await session.ask(look, *values)


async def gone(session: Connection, job_id: int, delivery: int) -> Sequence[Row]:
    found = await session.ask(_FIND_PENDING, job_id, delivery)
    mine = await session.ask(_LOCK_PENDING, [each["id"] for each in found]) if found else ()
    if mine:
        await session.write(_END_PENDING, sorted(each["id"] for each in mine))
    return ()


async def reopen_delivery(session: Connection, tenant: int, delivery: int) -> Sequence[Row]:
    found = await session.ask(_FIND_DELIVERY, tenant, delivery)
    if not found or (found[0]["job_id"] > 0 and not await session.ask(_KEEP_JOB, found[0]["job_id"])):
        return ()
    await session.write(_REOPEN_DELIVERY, delivery)
    return found


async def replay(session: Connection, job_id: int, delivery: int, name: str, attempts: int) -> Sequence[Row]:
    known = await session.ask(_KNOWN_TELLINGS, job_id, name)
    for task in known:
        if task["state"] == "scheduled":
            await session.write(_HURRY, task["id"])
    if not any(task["state"] in {"waiting", "ready", "running", "scheduled"} for task in known):
        await session.write(_TELL_AGAIN, delivery, f"{name}/{len(known)}", attempts)
    return ()


async def put_endpoint(session: Connection, uuid: UUID, tenant: int, name: str, *what: object) -> Sequence[Row]:
    await session.write(_PUT_ENDPOINT, uuid, tenant, name, *what)
    return [row for row in await session.ask(_ENDPOINTS, tenant, name) if row["uuid"] == uuid]


async def rotate_endpoint(session: Connection, tenant: int, name: str, *what: object) -> Sequence[Row]:
    if not await session.write(_ROTATE_ENDPOINT, tenant, name, *what):
        return ()
    return await session.ask(_ENDPOINTS, tenant, name)


async def remove_endpoint(session: Connection, tenant: int, name: str) -> Sequence[Row]:
    found = await session.ask(_FIND_ENDPOINT, tenant, name)
    for endpoint in found:
        await session.write(_REMOVE_TASKS, -endpoint["id"])
        await session.write(_REMOVE_TESTS, -endpoint["id"])
        await session.write(_REMOVE_ENDPOINT, tenant, name)
    return found


async def tests_of_endpoint(session: Connection, tests: int) -> Sequence[Row]:
    await session.write(_FORGET_TASKS, tests)
    next_one = await session.ask(_NEXT_TEST, tests)
    await session.write(_FORGET_TESTS, tests)
    return next_one


async def test_endpoint(session: Connection, *values: object) -> Sequence[Row]:
    tests, _, _, number, *_, attempts = values
    delivery = await session.add(_TEST_ENDPOINT, *values[:-1])
    await session.write(_TELL_TASKS, tests, number, attempts)
    return [{"id": delivery}]
