"""Jobs over HTTP and a real database: taken in, listed, found, cancelled, tried again, deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from encoder import errors
from encoder.api.links import links
from encoder.model.ids import DEFAULT_TENANT, OutputId
from encoder.model.result import Delivered
from encoder.net.s3 import S3Access
from encoder.storage.s3 import Room, S3Storage
from encoder.store.postgres import PostgresStore
from encoder.store.postgres.pool import Pool
from encoder.store.rows import JobRow
from encoder.store.verbs.queues import Queues
from tests.lab import work
from tests.lab.api import Api, running
from tests.lab.wire import lab_web

JOB: dict[str, Any] = {
    "source": {"kind": "https", "url": "https://media.example.com/in.mov", "headers": {"Authorization": "S3cret"}},
    "outputs": [{"preset": "h264", "width": 1280, "height": 720}, {"preset": "vp9"}],
    "metadata": {"orderId": "42"},
    "tags": ["trailer"],
}


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def test_a_job_is_accepted_and_shown_as_it_was_asked_without_its_secrets(api: Api) -> None:
    async with api.ask("POST", "/jobs", json=JOB) as response:
        told = await response.json()
        assert response.status == 202
        assert response.headers["Location"] == f"/jobs/{told['id']}"
        assert told == {"id": told["id"], "uuid": told["uuid"], "status": "queued"}
    shown = await api.get(f"/jobs/{told['id']}")
    assert shown == await api.get(f"/jobs/{told['uuid']}") == await api.get(f"/jobs/{told['uuid'].upper()}")
    assert (shown["status"], shown["run"], shown["name"], shown["progress"]) == ("queued", 1, "in.mov", 0)
    assert (shown["metadata"], shown["tags"]) == (JOB["metadata"], JOB["tags"])
    assert shown["source"]["headers"] == {"Authorization": "***"}
    assert shown["waitingFor"]["reason"] == "slot"
    assert [output["spec"]["container"] for output in shown["outputs"]] == ["mp4", "webm"]
    assert "S3cret" not in str(shown)


async def test_a_job_tells_how_it_is_asked_for_again(api: Api) -> None:
    """What it answers is refused as long as its secrets are not said again, and then makes the same job."""
    accepted = await api.submit(JOB)
    told = await api.get(f"/jobs/{accepted['uuid']}/request")
    assert "S3cret" not in str(told)
    assert told["secrets"] == [{"path": "/source/headers/Authorization", "variable": "SOURCE_HEADERS_AUTHORIZATION"}]
    assert '"Authorization": "$(_json "$SOURCE_HEADERS_AUTHORIZATION")"' in told["curl"]
    status, refused = await api.told("POST", "/jobs", told["body"])
    assert (status, [fault["path"] for fault in refused["errors"]]) == (422, ["/source/headers/Authorization"])
    told["body"]["source"]["headers"]["Authorization"] = "S3cret"
    again = await api.submit(told["body"])
    shown = [await api.get(f"/jobs/{each['id']}") for each in (accepted, again)]
    assert shown[0]["outputs"] == shown[1]["outputs"]
    assert all(shown[0][member] == shown[1][member] for member in ("source", "metadata", "tags", "priority"))


async def test_a_queue_that_nobody_made_known_is_refused_with_those_that_are(api: Api) -> None:
    await api.parts.store.hello(work.new_worker(queues=("gpu", "io")))
    for queue, dry in (("scratch", "false"), ("scratch", "true"), ("io", "false")):
        async with api.ask("POST", "/jobs", params={"dryRun": dry}, json=JOB | {"queue": queue}) as response:
            told = await response.json()
            assert (response.status, told["code"]) == (422, "unknown_queue")
        (fault,) = told["errors"]
        assert fault["path"] == "/queue"
        if queue == "scratch":
            assert fault["message"].startswith("must be one of encode, gpu:")
    assert (await api.get("/jobs"))["jobs"] == []


async def test_a_job_shows_its_queue_and_that_no_worker_takes_from_it(api: Api) -> None:
    worker = work.new_worker(queues=("gpu",))
    await api.parts.store.hello(worker)
    accepted = await api.submit(JOB | {"queue": "gpu"})
    shown = await api.get(f"/jobs/{accepted['id']}")
    assert (shown["queue"], shown["waitingFor"]["reason"]) == ("gpu", "slot")
    assert "no live worker" not in shown["waitingFor"]["detail"]
    await api.parts.store.bye(worker.id)
    shown = await api.get(f"/jobs/{accepted['id']}")
    assert shown["waitingFor"]["detail"].startswith("no live worker takes from `gpu`")
    assert (await api.get("/jobs"))["jobs"] == [shown]


async def test_a_job_without_a_queue_costs_no_look_at_those_that_are_known(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Queues, "known_queues")
    accepted = await api.submit(JOB)
    assert (await api.get(f"/jobs/{accepted['id']}"))["queue"] == "encode"


async def test_lists_have_the_shape_of_a_single_job(api: Api) -> None:
    accepted = await api.submit(JOB)
    page = await api.get("/jobs")
    assert page == {"jobs": [await api.get(f"/jobs/{accepted['id']}")], "nextCursor": None}


async def test_what_is_unsafe_about_a_place_is_told_as_soon_as_the_job_is_there(api: Api) -> None:
    secret: dict[str, Any] = {"username": "ann", "password": "S3cret"}
    ftp: dict[str, Any] = {"host": "ftp.example.com", "path": "out.mp4"}
    source: dict[str, Any] = {"kind": "sftp", "host": "ssh.example.com", "path": "in.mov"}
    outputs = [
        {"preset": "h264", "destination": {"kind": "ftp"} | ftp | secret},
        {"preset": "h264", "destination": {"kind": "ftps"} | ftp | secret | {"path": "tls.mp4"}},
        {"preset": "h264", "destination": {"kind": "ftp"} | ftp | {"path": "nobody.mp4"}},
        {"preset": "h264"},
    ]
    accepted = await api.submit({"source": source | secret, "outputs": outputs})
    shown = await api.get(f"/jobs/{accepted['id']}")
    assert [output["warnings"] for output in shown["outputs"][1:]] == [[], [], []]
    (in_the_clear,) = shown["outputs"][0]["warnings"]
    assert in_the_clear["code"] == "password_in_the_clear"
    assert "ftp.example.com" in in_the_clear["message"]
    unchecked, again = shown["warnings"]
    assert (unchecked["code"], again) == ("host_key_unchecked", in_the_clear)
    assert "ssh.example.com" in unchecked["message"]
    assert "S3cret" not in str(shown)
    assert "ann" not in str(shown["warnings"])
    assert (await api.get("/jobs"))["jobs"] == [shown]


async def test_a_server_whose_key_is_given_is_not_warned_of(api: Api) -> None:
    sftp = {"kind": "sftp", "host": "ssh.example.com", "path": "in.mov", "hostKey": f"SHA256:{'A' * 43}"}
    accepted = await api.submit(JOB | {"source": sftp})
    assert (await api.get(f"/jobs/{accepted['id']}"))["warnings"] == []


async def stored(api: Api, outputs: int) -> JobRow:
    """A job whose outputs lie in the storage."""
    accepted = await api.submit(JOB)
    row = await api.parts.store.job(DEFAULT_TENANT, accepted["uuid"])
    assert row is not None
    uris = [f"storage:jobs/{row.uuid}/{number}.mp4" for number in range(outputs)]
    made = (Delivered(uri=uri, size_bytes=1, sha256="0" * 64) for uri in uris)
    return replace(
        row,
        outputs=tuple(replace(row.outputs[0], id=OutputId(number), delivered=each) for number, each in enumerate(made)),
    )


async def test_many_links_leave_others_their_turn(api: Api) -> None:
    """N2: each is signed, and a page may hold ten thousand."""
    linking = asyncio.create_task(links(api.parts, await stored(api, 100)))
    turns = 0
    while not linking.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(linking.result()) == 100
    assert turns > 50


async def test_a_job_is_shown_though_its_links_cannot_be_signed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    bucket = S3Storage(S3Access(), lab_web(), Room(bucket="lab"))
    with pytest.raises(errors.Transient, match="storage_unavailable"):
        await bucket.link("jobs/a/0.mp4", expires=datetime.now(UTC), file_name="a")
    assert await links(replace(api.parts, storage=bucket), await stored(api, 2)) == {}


async def test_pages_are_whole_and_disjoint_while_new_jobs_arrive(api: Api) -> None:
    ids = [(await api.submit(JOB))["id"] for _ in range(7)]
    seen, cursor = [], ""
    while True:
        page = await api.get(f"/jobs?limit=3{cursor}")
        seen += [job["id"] for job in page["jobs"]]
        await api.submit(JOB)
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert seen == sorted(ids, reverse=True)


async def test_jobs_are_found_by_state_tag_text_and_time(api: Api) -> None:
    first = await api.submit(JOB)
    second = await api.submit(JOB | {"tags": ["other"]})
    await api.submit(JOB | {"source": {"url": "https://media.example.com/holiday.mp4"}, "tags": []})
    async with api.ask("POST", f"/jobs/{second['id']}/cancel") as response:
        assert response.status == 202
    created = (await api.get(f"/jobs/{first['id']}"))["createdAt"]

    async def found(query: str) -> list[int]:
        return [job["id"] for job in (await api.get(f"/jobs?{query}"))["jobs"]]

    assert await found("status=cancelled") == [second["id"]]
    assert len(await found("status=cancelled,queued")) == len(await found("status=cancelled&status=queued")) == 3
    assert await found("tag=trailer") == [first["id"]]
    assert len(await found("q=holiday")) == 1
    assert await found(f"q={first['uuid']}") == [first["id"]]
    assert await found(f"createdBefore={created}") == []
    assert len(await found(f"createdAfter={created}")) == 3


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=1e9",
        "limit=٣",
        "limit=1&limit=2",
        "limit=",
        "status=done",
        "status=",
        "q=",
        "q=%00",
        "tag=" + "x" * 201,
        "createdAfter=yesterday",
        "createdAfter=2026-01-01T00:00:00",
        "createdAfter=0001-01-01T00:00:00%2B14:00",
        "createdBefore=9999-12-31T23:59:59-14:00",
        "statsu=queued",
        "dryRun=true",
    ],
)
async def test_a_wrong_query_is_malformed(api: Api, query: str) -> None:
    """A6 and A19"""
    async with api.ask("GET", f"/jobs?{query}") as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_query")


async def test_jobs_are_listed_by_preset_code_and_text_until_that_takes_too_long(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = await api.submit(JOB)
    for query, found in (
        ("preset=vp9", 1),
        ("preset=av1", 0),
        ("code=source_truncated", 0),
        ("q=ORDERID", 1),
        ("q=orderid&preset=h264&status=queued", 1),
    ):
        assert [job["id"] for job in (await api.get(f"/jobs?{query}"))["jobs"]] == [accepted["id"]][:found], query

    async def endless(*_: object, **limits: float) -> None:
        raise errors.TooLong(f"after {limits['most_s']} s")

    monkeypatch.setattr(Pool, "search", endless)
    async with api.ask("GET", "/jobs?q=nowhere") as response:
        told = await response.json()
        assert (response.status, told["code"]) == (400, "too_much_to_search")
        assert "Narrow the time" in told["detail"]


async def test_each_wrong_parameter_is_named(api: Api) -> None:
    long = "x" * 41
    async with api.ask("GET", f"/jobs?statsu=queued&zzz=1&{long}=1&%0a=1&limit=0") as response:
        told = [fault["message"].partition(" known here; ") for fault in (await response.json())["errors"]]
    known = "known are `status`, `q`, `tag`, `preset`, `code`, `createdAfter`, `createdBefore`, `limit`, `cursor`."
    unnamed = ("A query parameter is not", " known here; ", known)
    assert told == [
        ("`statsu` is not", " known here; ", "did you mean `status`?"),
        ("`zzz` is not", " known here; ", known),
        unnamed,
        unnamed,
        ("`limit` must be a whole number from 1 to 200.", "", ""),
    ]
    async with api.ask("GET", "/queues?all=1") as response:
        assert (await response.json())["detail"] == "`all` is not known here; no query parameter is."


async def test_a_cursor_is_good_for_its_own_question_only(api: Api) -> None:
    """A19"""
    for _ in range(3):
        await api.submit(JOB)
    cursor = (await api.get("/jobs?limit=1&tag=trailer"))["nextCursor"]
    again = await api.get(f"/jobs?limit=2&tag=trailer&cursor={cursor}")  # the page's size may change
    assert len(again["jobs"]) == 2
    flipped = cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]
    for query in (f"cursor={cursor}", f"tag=other&cursor={cursor}", f"tag=trailer&cursor={flipped}", "cursor=AAAA"):
        async with api.ask("GET", f"/jobs?{query}") as response:
            assert (response.status, (await response.json())["code"]) == (400, "invalid_cursor")


async def test_fifty_equal_posts_at_once_make_one_job(api: Api) -> None:
    """A17"""
    answers = await asyncio.gather(*(api.submit(JOB, key="order-42") for _ in range(50)))
    assert len({str(answer) for answer in answers}) == 1
    assert len((await api.get("/jobs"))["jobs"]) == 1


async def test_a_key_stands_for_one_body_however_it_is_written(api: Api) -> None:
    """A17"""
    first = await api.submit(JOB, key="order-42")
    same = dict(reversed(JOB.items()))
    async with api.ask("POST", "/jobs", json=same, headers={"Idempotency-Key": '"order-42"'}) as response:
        assert (response.status, await response.json()) == (202, first)
        assert response.headers["Idempotency-Replayed"] == "true"
    async with api.ask(
        "POST", "/jobs", json=JOB | {"priority": 1}, headers={"Idempotency-Key": "order-42"}
    ) as response:
        assert (response.status, (await response.json())["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", '""', "k" * 256, "ключ", "a\tb"])
async def test_a_wrong_key_is_malformed(api: Api, key: str) -> None:
    """A17"""
    async with api.ask("POST", "/jobs", json=JOB, headers={"Idempotency-Key": key}) as response:
        assert (response.status, (await response.json())["code"]) == (400, "invalid_header")
    assert (await api.get("/jobs"))["jobs"] == []


async def test_the_key_of_a_deleted_job_makes_no_second_one(api: Api) -> None:
    first = await api.submit(JOB, key="order-42")
    async with api.ask("DELETE", f"/jobs/{first['id']}") as response:
        assert response.status == 204
    assert await api.submit(JOB, key="order-42") == first | {"status": "cancelled"}
    assert (await api.get("/jobs"))["jobs"] == []


async def test_a_refused_body_keeps_no_key(api: Api) -> None:
    async with api.ask("POST", "/jobs", json={}, headers={"Idempotency-Key": "k"}) as response:
        assert response.status == 422
    await api.submit(JOB, key="k")


async def test_a_client_that_resets_before_the_answer_finds_its_job_again(api: Api) -> None:
    """A18"""
    body = b'{"source":{"url":"https://media.example.com/a"},"outputs":[{"preset":"h264"}]}'
    about = ("Host: 127.0.0.1", "Content-Type: application/json", "Idempotency-Key: k", f"Content-Length: {len(body)}")
    head = "\r\n".join(("POST /jobs HTTP/1.1", *about, "", ""))
    _, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(head.encode() + body)
    await writer.drain()
    writer.transport.abort()
    again = {"source": {"url": "https://media.example.com/a"}, "outputs": [{"preset": "h264"}]}
    accepted = await api.submit(again, key="k")
    assert [job["id"] for job in (await api.get("/jobs"))["jobs"]] == [accepted["id"]]


async def test_a_queued_job_is_cancelled_at_once_and_only_once(api: Api) -> None:
    accepted = await api.submit(JOB)
    async with api.ask("POST", f"/jobs/{accepted['uuid']}/cancel") as response:
        assert (response.status, (await response.json())["status"]) == (202, "cancelled")
    async with api.ask("POST", f"/jobs/{accepted['id']}/cancel") as response:
        assert (response.status, (await response.json())["code"]) == (409, "job_ended")
    shown = await api.get(f"/jobs/{accepted['id']}")
    assert [shown["progress"], *(output["progress"] for output in shown["outputs"])] == [None, None, None]


async def test_a_retry_is_a_new_run_of_a_job_that_did_not_complete(api: Api) -> None:
    accepted = await api.submit(JOB)
    async with api.ask("POST", f"/jobs/{accepted['id']}/retry") as response:
        assert (response.status, (await response.json())["code"]) == (409, "nothing_to_retry")
    await api.ask("POST", f"/jobs/{accepted['id']}/cancel")
    async with api.ask("POST", f"/jobs/{accepted['id']}/retry") as response:
        assert (response.status, (await response.json())["status"]) == (202, "queued")
    assert (await api.get(f"/jobs/{accepted['id']}"))["run"] == 2


async def test_a_deleted_job_is_gone_with_what_the_storage_held_of_it(api: Api) -> None:
    accepted, other = await api.submit(JOB), await api.submit(JOB)
    kept = api.storage._root / "jobs"
    for job in (accepted, other):
        (kept / job["uuid"]).mkdir(parents=True)
        (kept / job["uuid"] / "0.mp4").write_bytes(b"made")
    async with api.ask("DELETE", f"/jobs/{accepted['id']}") as response:
        assert (response.status, await response.read()) == (204, b"")
    for path in ("", "/events", "/timeline", "/outputs/0/log", "/outputs/0/tail"):
        async with api.ask("GET", f"/jobs/{accepted['id']}{path}") as response:
            assert response.status == 404
    async with api.ask("DELETE", f"/jobs/{accepted['id']}") as response:
        assert response.status == 404
    assert [folder.name for folder in kept.iterdir()] == [other["uuid"]]


@pytest.mark.parametrize("ref", ["0", "9" * 18, "9" * 19, "1.5", "-1", "abc", "%00", "1;drop", str(UUID(int=1)), "٣"])
async def test_what_names_no_job_is_not_found(api: Api, ref: str) -> None:
    paths = (
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/timeline"),
        ("DELETE", ""),
        ("POST", "/cancel"),
        ("POST", "/retry"),
    )
    for method, path in paths:
        async with api.ask(method, f"/jobs/{ref}{path}") as response:
            assert (response.status, (await response.json())["code"]) == (404, "not_found")


async def test_what_is_absent_is_named(api: Api) -> None:
    job = (await api.submit(JOB))["id"]
    for path, named in (
        ("/jobs/99", "no such job"),
        (f"/jobs/{job}/outputs/2/log", "no such output"),
        (f"/jobs/{job}/outputs/x/log", "no such output"),
        (f"/jobs/{job}/outputs/0/log", "no log"),
        (f"/jobs/{job}/outputs/2/tail", "no such output"),
        (f"/jobs/{job}/outputs/0/tail", "no log"),
        ("/webhooks/deliveries?job=99", "no such job"),
        ("/nothing", "nothing at this path"),
        ("/static/other.css", "no such file"),
    ):
        async with api.ask("GET", path) as response:
            told = await response.json()
        assert (response.status, told["code"]) == (404, "not_found")
        assert named in told["detail"], path
    async with api.ask("POST", "/webhooks/deliveries/99/replay") as response:
        assert "no such delivery" in (await response.json())["detail"]


async def test_a_refused_job_leaves_no_row(api: Api) -> None:
    """A13"""
    for extra in ("status", "tenantId", "attempts", "sorce"):
        async with api.ask("POST", "/jobs", json=JOB | {extra: 1}) as response:
            told = await response.json()
            assert (response.status, told["code"]) == (422, "unknown_field")
            assert [fault["path"] for fault in told["errors"]] == [f"/{extra}"]
    assert (await api.get("/jobs"))["jobs"] == []


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"source": {"url": "http://10.0.0.1/a"}}, "/source/url", "address_not_allowed"),
        ({"source": {"url": "http://media.example.com:22/a"}}, "/source/url", "port_not_allowed"),
        ({"source": {"kind": "file", "path": "/etc/passwd"}}, "/source/path", "path_not_allowed"),
        ({"notificationUrl": "http://127.0.0.1/"}, "/notificationUrl", "address_not_allowed"),
        (
            {"outputs": [{"preset": "h264", "destination": {"url": "http://[::1]/a"}}]},
            "/outputs/0/destination/url",
            "address_not_allowed",
        ),
    ],
)
async def test_the_operators_rules_hold_for_every_place(api: Api, change: dict[str, Any], path: str, code: str) -> None:
    async with api.ask("POST", "/jobs", json=JOB | change) as response:
        told = await response.json()
        assert (response.status, [(fault["path"], fault["code"]) for fault in told["errors"]]) == (422, [(path, code)])


async def test_a_source_that_cannot_be_looked_at_is_told_with_its_code(api: Api) -> None:
    for path, body in (("/probe", {"source": JOB["source"]}), ("/jobs?dryRun=true", JOB)):
        async with api.ask("POST", path, json=body) as response:
            told = await response.json()
            assert (response.status, told["code"], told["detail"]) == (422, "source_not_found", "It is not there.")
    assert (await api.get("/jobs"))["jobs"] == []
