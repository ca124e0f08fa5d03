"""Keys and tenants over HTTP: who is let in, for what, and that another tenant's things are not there.

The cases are made from the table of operations, so that none that is added can be forgotten.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from encoder.api import examples
from encoder.api.auth import KNOWN_S, KeyGate
from encoder.api.operations import Operation
from encoder.api.routes import operations
from encoder.api.scrape import Scrape
from encoder.dashboard.routes import PAGES
from encoder.model.ids import KeyId, TenantId
from encoder.model.key import Scope, digest, new_key, shown
from encoder.model.state import OutputState
from encoder.store.kept import KeyRow, NewKey
from encoder.store.protocol import Store
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.command import encoder
from tests.lab.databases import rows

_nobody: Any = None  # nothing is asked of it
EVERY: Sequence[Operation] = operations(Scrape(_nobody))
GUARDED = [operation for operation in EVERY if operation.scope is not None]
READS = [each for each in GUARDED if each.method == "GET" and each.answers[200][0] != "text/event-stream"]
PUBLIC = {
    "getFile", "headFile", "getSharedFile", "headSharedFile", "putFile", "postFile",
    "describeTus", "getTusOffset", "patchTusUpload", "deleteTusUpload", "overrideTusMethod",
    "live", "health", "ready", "docsPage", "docsFile", "errorsPage", "openapi",
}  # fmt: skip
NAMED = [each for each in GUARDED if each.method == "PUT" and each.path.endswith("/{name}")]  # by their tenants
# whose things a path names, by how it begins, and what names one that is absent; of all tenants together: queues
TRANSCODER = "/compat/elastictranscoder"
COCONUT_JOBS = ("/compat/coconut/jobs/", "/compat/coconut/v2/jobs/", "/v2/jobs/")
COCONUT_JOB = {
    "input": {"url": "https://media.example.com/a"},
    "storage": {"service": "coconut"},
    "outputs": {"mp4": {"path": "/a.mp4"}},
}
TRANSCODER_JOBS = (f"{TRANSCODER}/jobs/", f"{TRANSCODER}/2012-09-25/jobs/", "/2012-09-25/jobs/")
TRANSCODER_JOB = {
    "PipelineId": "ours",
    "Input": {"Key": "a.mov"},
    "Output": {"Key": "a.mp4", "PresetId": "1351620000001-000010"},
}
ABSENT = {
    **dict.fromkeys(TRANSCODER_JOBS, "1111111111111-000001"),
    **dict.fromkeys(COCONUT_JOBS, str(UUID(int=7))),
    "/jobs/": "987654321",
    "/upload/": str(UUID(int=7)),
    "/webhooks/deliveries/": "987654321",
    **{each.path.removesuffix("{name}"): "absent" for each in NAMED},
}
SHARED = ("/queues/", "/tenants/", "/keys/")
JOB = {
    "source": {"url": "https://media.example.com/a"},
    "outputs": [{"preset": "h264"}],
    "notificationUrl": "https://media.example.com/hook",
}


@dataclass(kw_only=True)
class Door:
    """A server that asks for keys, and the clock by which it remembers them."""

    api: Api
    store: Store
    now: float = 0.0

    async def key(self, *scopes: Scope, tenant: int = 1, good_for: timedelta | None = None) -> tuple[str, KeyId]:
        text = new_key()
        new = NewKey(
            tenant_id=TenantId(tenant),
            name="a",
            prefix=shown(text),
            digest=digest(text),
            scopes=frozenset(scopes),
            good_for=good_for,
        )
        return text, (await self.store.add_key(new)).id

    async def ask(self, key: str, method: str, path: str, **more: Any) -> tuple[int, dict[str, str], Any]:  # noqa: ANN401  # JSON
        """Status, headers, and the body without what is each answer's own."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.api.ask(method, path, headers=headers, **more) as response:
            told = await response.json() if "json" in response.content_type else await response.text()
            if isinstance(told, dict):
                for member in ("requestId", "at"):
                    told.pop(member, None)
            return response.status, dict(response.headers), told

    async def whole(self, key: str, method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, byte for byte but for its own id and time."""
        async with self.api.ask(method, path, headers={"Authorization": f"Bearer {key}"}) as response:
            id_ = response.headers["X-Request-Id"]
            headers = {name: value for name, value in response.headers.items() if value != id_ and name != "Date"}
            return response.status, headers, (await response.read()).replace(id_.encode(), b"")


@pytest.fixture
async def door(store: Store, tmp_path: Path) -> AsyncIterator[Door]:
    made: Door
    gate = KeyGate(store, clock=lambda: made.now)
    async with running(store, tmp_path, gate=gate, loopback_only=False) as api:
        made = Door(api=api, store=store)
        yield made


def filled(operation: Operation, name: str) -> str:
    named = operation.path.replace("{id}", name).replace("{name}", name).replace("{queue}", "encode")
    return re.sub(r"\{\w+\}", "0", named)


def example(operation: Operation) -> Any:  # noqa: ANN401  # JSON
    """A body that it takes."""
    return next(iter(examples.of(str(operation.body)).values()))["value"]


def assert_refused(operation: Operation, status: int, told: dict[str, str], ours: int, code: str) -> None:
    """As a problem; callers of another service are told in that one's words."""
    if operation.dialect is None:
        assert (status, told["code"]) == (ours, code), operation.path
    else:
        assert status == operation.dialect.status(ours), operation.path
        assert told["message"]


async def test_every_route_but_the_public_ones_asks_for_a_key(door: Door) -> None:
    """B1: what the router knows is what is walked here, the pages (`test_dashboard_door.py`), and their files."""
    pages = {(page.method, page.path.replace(":.+}", "}")) for page in PAGES} | {
        ("*", "/ui/{path}"),
        ("GET", "/static/{path}"),
    }
    assert door.api.routes == {(each.method, each.path) for each in EVERY} | pages
    assert {operation.operation_id for operation in EVERY if operation.scope is None} == PUBLIC
    for operation in EVERY:
        status, headers, told = await door.ask("", operation.method, filled(operation, "1"))
        if operation.scope is None:
            assert status != 401, operation.path
        else:
            assert_refused(operation, status, told, 401, "unauthorized")
            basic = ', Basic realm="encoder"' if operation.of_stores else ""
            assert headers["WWW-Authenticate"] == f'Bearer realm="encoder"{basic}'


@pytest.mark.parametrize("held", [(), (Scope.READ,), (Scope.WRITE,), (Scope.READ, Scope.WRITE)])
async def test_a_key_is_good_for_its_scopes_and_nothing_else(door: Door, held: Sequence[Scope]) -> None:
    """B4, B11"""
    key, _ = await door.key(*held)
    for operation in GUARDED:
        if operation.scope in held:
            continue
        status, headers, told = await door.ask(key, operation.method, filled(operation, "1"))
        assert_refused(operation, status, told, 403, "insufficient_scope")
        assert f"`{operation.scope}`" in (told["message"] if operation.dialect else told["detail"])
        assert f'scope="{operation.scope}"' in headers["WWW-Authenticate"]


async def test_each_scope_opens_its_operations(door: Door) -> None:
    key, _ = await door.key(*Scope)
    for operation in GUARDED:
        status, _, _ = await door.ask(key, operation.method, filled(operation, "1"))
        assert status not in {401, 403}, operation.path
        assert status < 500, operation.path


async def everything_of(door: Door, key: str) -> dict[str, str]:
    """A job that runs, with a log and a delivery, an upload, and one of all that a tenant names.

    What names each, by how the path begins.
    """
    _, _, job = await door.ask(key, "POST", "/jobs", json=JOB)
    _, _, upload = await door.ask(key, "POST", "/upload", json={"file_name": "a.mp4"})
    await door.store.mark(await work.claim_one(door.store), [work.change(0, OutputState.ENCODING, log="frame=1")])
    _, _, told = await door.ask(key, "GET", f"/webhooks/deliveries?job={job['id']}")
    for each in NAMED:
        assert (await door.ask(key, "PUT", filled(each, "ours"), json=example(each)))[0] in {200, 201}
    _, _, coconut = await door.ask(key, "POST", "/v2/jobs", json=COCONUT_JOB)
    _, _, transcoder = await door.ask(key, "POST", f"{TRANSCODER}/jobs", json=TRANSCODER_JOB)
    return {
        **dict.fromkeys(TRANSCODER_JOBS, transcoder["Job"]["Id"]),
        **dict.fromkeys(COCONUT_JOBS, coconut["id"]),
        "/jobs/": str(job["id"]),
        "/upload/": upload["file_id"],
        "/webhooks/deliveries/": str(told["deliveries"][0]["id"]),
        **{each.path.removesuffix("{name}"): "ours" for each in NAMED},
    }


async def test_what_is_another_tenants_is_answered_as_what_is_not_there(door: Door) -> None:
    """B5, B10: byte for byte."""
    (ours, _), (theirs, _) = await door.key(*Scope, tenant=1), await door.key(*Scope, tenant=2)
    there = await everything_of(door, ours)
    uuid = (await door.ask(ours, "GET", f"/jobs/{there['/jobs/']}"))[2]["uuid"]
    before = [(await door.ask(ours, "GET", path))[2] for path in shows(there)]
    assert {(await door.ask(ours, "GET", path))[0] for path in shows(there)} == {200}
    walked = set()
    for operation in GUARDED:
        if operation.path.startswith(SHARED):
            continue
        if "{id}" not in operation.path and "{name}" not in operation.path:
            assert "{" not in operation.path, "whose is it?"
            continue
        if operation in NAMED:  # whoever puts something makes one of its own
            assert (await door.ask(theirs, "PUT", filled(operation, "ours"), json=example(operation)))[0] in {200, 201}
            assert (await door.ask(theirs, "DELETE", filled(operation, "ours")))[0] == 204
            continue
        (begins,) = (each for each in ABSENT if operation.path.startswith(each))
        for name in (there[begins], *([uuid] if begins == "/jobs/" else [])):
            absent = UUID(int=7) if name == uuid else ABSENT[begins]
            found = await door.whole(theirs, operation.method, filled(operation, name))
            assert found == await door.whole(theirs, operation.method, filled(operation, str(absent)))
            assert found[0] == 404, operation.path
        walked.add(operation.operation_id)
    assert len(walked) >= 8
    assert [(await door.ask(ours, "GET", path))[2] for path in shows(there)] == before


def shows(there: dict[str, str]) -> Sequence[str]:
    """Where one's own things are seen."""
    job = there["/jobs/"]
    return (
        "/jobs",
        f"/jobs/{job}",
        f"/jobs/{job}/events",
        f"/jobs/{job}/outputs/0/log",
        f"/jobs/{job}/outputs/0/tail",
        f"/jobs/{job}/timeline",
        f"/upload/{there['/upload/']}/status",
        "/webhooks/deliveries",
        *(each.path.removesuffix("/{name}") for each in NAMED),
        *(f"{jobs}{there[jobs]}" for jobs in TRANSCODER_JOBS),
    )


async def test_what_a_body_or_a_query_names_is_looked_for_at_home_too(door: Door) -> None:
    """B5"""
    (ours, _), (theirs, _) = await door.key(*Scope, tenant=1), await door.key(*Scope, tenant=2)
    there = await everything_of(door, ours)
    for path, body in (("/probe", {}), ("/jobs", {"outputs": [{"preset": "h264"}]})):
        answers = [
            await door.ask(theirs, "POST", path, json={**body, "source": {"kind": "upload", "fileId": name}})
            for name in (there["/upload/"], ABSENT["/upload/"])
        ]
        assert [(status, told) for status, _, told in answers] == [(404, answers[1][2])] * 2
    assert (await door.ask(theirs, "GET", f"/webhooks/deliveries?job={there['/jobs/']}"))[0] == 404
    for name in (there["/presets/"], ABSENT["/presets/"]):
        status, _, told = await door.ask(theirs, "POST", "/jobs", json={**JOB, "outputs": [{"preset": name}]})
        assert (status, told["code"], "ours" in told["detail"]) == (422, "unknown_preset", False)


async def test_lists_and_counts_hold_only_what_is_ones_own(door: Door) -> None:
    """B5"""
    (ours, _), (theirs, _) = await door.key(*Scope, tenant=1), await door.key(*Scope, tenant=2)
    await everything_of(door, ours)
    assert (await door.ask(theirs, "GET", "/jobs"))[2]["jobs"] == []
    assert (await door.ask(theirs, "GET", "/webhooks/deliveries"))[2]["deliveries"] == []
    assert (await door.ask(theirs, "GET", "/dead"))[2]["groups"] == []
    counts = [(await door.ask(key, "GET", "/stats"))[2]["jobs"] for key in (ours, theirs)]
    assert [sum(each.values()) for each in counts] == [3, 0]


async def test_a_key_of_another_tenant_is_no_key_to_its_idempotency(door: Door) -> None:
    (ours, _), (theirs, _) = await door.key(*Scope, tenant=1), await door.key(*Scope, tenant=2)
    jobs = []
    for key in (ours, theirs):
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "same"}
        async with door.api.ask("POST", "/jobs", json=JOB, headers=headers) as response:
            assert response.status == 202
            jobs.append((await response.json())["id"])
    assert len(set(jobs)) == 2


async def test_a_revoked_key_is_out_within_the_time_that_is_promised(door: Door) -> None:
    """B3: a live stream ends with it."""
    key, number = await door.key(*Scope)
    job = (await door.ask(key, "POST", "/jobs", json=JOB))[2]["id"]
    headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
    async with door.api.ask("GET", f"/jobs/{job}/events", headers=headers) as stream:
        await stream.content.readline()
        await door.store.revoke_key(number)
        door.now += KNOWN_S - 0.1
        assert (await door.ask(key, "GET", "/jobs"))[0] == 200
        door.now += 0.1
        assert (await door.ask(key, "GET", "/jobs"))[0] == 401
        async with asyncio.timeout(30):
            await stream.read()


async def test_a_key_that_expires_is_out_within_the_same_time(door: Door) -> None:
    """B3"""
    key, _ = await door.key(*Scope, good_for=timedelta(seconds=0.5))
    assert (await door.ask(key, "GET", "/presets"))[0] == 200
    async with asyncio.timeout(10):
        while (await door.ask(key, "GET", "/presets"))[0] == 200:
            door.now += KNOWN_S
            await asyncio.sleep(0.05)
    assert (await door.ask(key, "GET", "/presets"))[2]["code"] == "unauthorized"


async def test_a_key_is_read_once_in_that_time_and_its_use_is_noted(door: Door) -> None:
    key, number = await door.key(*Scope)
    for _ in range(3):
        assert (await door.ask(key, "GET", "/presets"))[0] == 200
    (row,) = await door.store.keys()
    assert row.used_at is not None
    await door.store.revoke_key(number)
    assert (await door.ask(key, "GET", "/presets"))[0] == 200


async def test_a_key_that_many_use_is_read_again_once_for_all(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    key, _ = await door.key(*Scope)
    assert (await door.ask(key, "GET", "/presets"))[0] == 200
    read, looked = door.store.key, []

    async def slowly(hashed: bytes) -> KeyRow | None:
        looked.append(hashed)
        await asyncio.sleep(0.1)
        return await read(hashed)

    monkeypatch.setattr(door.store, "key", slowly)
    door.now += KNOWN_S
    asked = await asyncio.gather(*(door.ask(key, "GET", "/presets") for _ in range(20)))
    assert ({status for status, _, _ in asked}, len(looked)) == ({200}, 1)


@pytest.mark.parametrize(
    "words",
    [
        b"Bearer",
        b"Bearer \xff\xfe",
        "Bearer ключ".encode(),
        b"Bearer " + b"x" * 5000,
        b"Basic ZW5jOg==",
        b"enc_live_0",
        b"Bearer enc_live_" + b"0" * 49,
    ],
)
async def test_whatever_is_no_key_is_refused_in_the_same_words(door: Door, words: bytes) -> None:
    """B6"""
    good, _ = await door.key(*Scope)
    lines = b"GET /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: %s\r\n\r\n"
    answer = await door.api.raw(lines % words)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"is neither revoked nor expired" in answer
    _, _, text = words.partition(b" ")
    assert not text or text not in answer
    assert (await door.api.raw(lines % b"bearer %s" % good.encode())).startswith(b"HTTP/1.1 200 ")


async def test_a_key_beside_another_or_in_the_query_is_refused(door: Door) -> None:
    """B8, and what the parser itself refuses of B6."""
    key, _ = await door.key(*Scope)
    line = f"Authorization: Bearer {key}\r\n".encode()
    begin = b"GET /jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    for lines in (line + line, line.replace(b"enc_", b"e\0nc_"), line.replace(b"enc_", b"e" * 10_000)):
        assert re.match(rb"HTTP/1.[01] 4(00|31) ", await door.api.raw(begin + lines + b"\r\n"))
    status, _, told = await door.ask("", "GET", f"/jobs?access_token={key}")
    assert (status, key in str(told)) == (400, False)


async def test_no_key_is_written_down_nor_told_again(
    door: Door, dsn: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """B8, B9: neither one that is good nor one that is not, in no row, no answer and no line of the log."""
    caplog.set_level("DEBUG")
    (good, _), bad = await door.key(*Scope), new_key()
    await everything_of(door, good)
    told = [str(await door.ask(key, "GET", filled(each, "1"))) for key in (good, bad) for each in READS]
    told += [str(await door.ask("", "GET", f"/jobs?access_token={good}")), *map(str, await rows(dsn))]
    told += [*capfd.readouterr(), caplog.text]
    assert [text for text in told if good[9:] in text or bad[9:] in text] == []
    assert any(good[:13] in text for text in told), "its first characters are kept"


async def test_nobody_is_another_tenant_by_saying_so(door: Door) -> None:
    """B11"""
    (ours, _), (theirs, _) = await door.key(*Scope, tenant=1), await door.key(*Scope, tenant=2)
    job = (await everything_of(door, ours))["/jobs/"]
    for name in ("X-Tenant-Id", "X-Tenant", "X-Forwarded-User", "X-Forwarded-For", "X-Original-URL", "Forwarded"):
        headers = {"Authorization": f"Bearer {theirs}", name: "1"}
        async with door.api.ask("GET", f"/jobs/{job}", headers=headers) as response:
            assert response.status == 404, name


async def test_the_command_line_shows_its_key(door: Door) -> None:
    key, _ = await door.key(Scope.READ)
    assert (await encoder("jobs", url=door.api.url, ENCODER_API_KEY=key)).code == 0
    refused = await encoder("jobs", url=door.api.url)
    assert (refused.code, "unauthorized" in refused.err) == (3, True)


async def test_an_admin_makes_keys_and_revokes_them(door: Door) -> None:
    """B4: what is made opens, once shown and never again, until it is revoked."""
    admin, _ = await door.key(*Scope)
    status, _, made = await door.ask(admin, "POST", "/keys", json={"name": "shop", "tenant": 7, "days": 1})
    assert (status, made["tenant"], made["scopes"], made["live"]) == (201, 7, ["read", "write"], True)
    assert (await door.ask(made["key"], "GET", "/jobs"))[0] == 200
    (listed,) = [key for key in (await door.ask(admin, "GET", "/keys"))[2]["keys"] if key["id"] == made["id"]]
    assert listed | {"usedAt": None} == made | {"key": None}
    assert (await door.ask(admin, "DELETE", f"/keys/{made['id']}"))[0] == 204
    door.now += KNOWN_S
    assert (await door.ask(made["key"], "GET", "/jobs"))[0] == 401
    for absent in ("987654321", "0", "x", "9" * 30):
        assert (await door.ask(admin, "DELETE", f"/keys/{absent}"))[0] == 404


async def test_a_key_gives_only_scopes_that_it_has(door: Door) -> None:
    """B4: or whoever steers queues could read what all tenants have."""
    admin, _ = await door.key(Scope.ADMIN)
    for asked in ({"name": "a"}, {"name": "a", "scopes": ["read", "admin"]}):
        status, _, told = await door.ask(admin, "POST", "/keys", json=asked)
        assert (status, told["code"], told["errors"][0]["path"]) == (403, "insufficient_scope", "/scopes")
    assert (await door.ask(admin, "POST", "/keys", json={"name": "a", "scopes": ["admin"]}))[0] == 201


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({}, "/name", "missing_field"),
        ({"name": ""}, "/name", "out_of_range"),
        ({"name": "a\n"}, "/name", "invalid_text"),
        ({"name": "a", "scopes": []}, "/scopes", "out_of_range"),
        ({"name": "a", "scopes": ["root"]}, "/scopes/0", "invalid_value"),
        ({"name": "a", "scopes": ["read", "read"]}, "/scopes", "invalid_value"),
        ({"name": "a", "tenant": 0}, "/tenant", "out_of_range"),
        ({"name": "a", "days": 3651}, "/days", "out_of_range"),
        ({"name": "a", "key": "enc_live_mine"}, "/key", "unknown_field"),
    ],
)
async def test_a_key_that_is_asked_for_wrongly_is_not_made(door: Door, body: Any, path: str, code: str) -> None:  # noqa: ANN401  # JSON
    admin, _ = await door.key(*Scope)
    status, _, told = await door.ask(admin, "POST", "/keys", json=body)
    assert (status, [(fault["path"], fault["code"]) for fault in told["errors"]]) == (422, [(path, code)])
