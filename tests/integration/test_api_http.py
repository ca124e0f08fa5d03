"""The API as an HTTP server: what it refuses and how, limits, guard, headers. Every error is a problem."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from encoder import errors
from encoder.api import examples, server
from encoder.api.body import IDLE_S
from encoder.api.operations import Operation
from encoder.api.routes import operations
from encoder.api.scrape import Scrape
from encoder.errors import CATALOGUE
from encoder.model.base import Json, from_json
from encoder.model.place import pointer
from encoder.queue.fitness import Fitness
from encoder.store.postgres import PostgresStore
from tests.lab import crowd as crowds
from tests.lab.api import Api, running
from tests.lab.numbers import Growth, Numbers

GOOD = {"source": {"url": "https://media.example.com/a"}, "outputs": [{"preset": "h264"}]}
JSON = {"Content-Type": "application/json"}

_nobody: Any = None  # nothing is asked of it
EVERY = operations(Scrape(_nobody))
STREAM = "/ui/stream"  # of pages: it begins whatever the database does, and has no end
BY_ROUTE = {(each.method, each.path): each for each in EVERY}
OTHERS = {each.path for each in EVERY if each.dialect}  # they answer as another service does
# JSON, by the class of it
TAKING = [(each, each.body) for each in EVERY if each.body and "/" not in each.body and each.path not in OTHERS]


def filled(template: str) -> str:
    return re.sub(r"\{\w+\}", "1", template)


@pytest.fixture
async def api(store: PostgresStore, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as up:
        yield up


async def problem(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The body of a problem, its form checked."""
    told: dict[str, Any] = json.loads(await response.read())
    assert response.content_type == "application/problem+json"
    assert set(told) == {"type", "title", "status", "detail", "code", "errors", "requestId"}
    assert told["status"] == response.status == CATALOGUE[told["code"]].status
    assert told["type"] == f"/docs/errors#{told['code']}"
    assert told["requestId"] == response.headers["X-Request-Id"]
    return told


async def is_told(response: aiohttp.ClientResponse, operation: Operation, *codes: str) -> bool:
    """Whether it is refused with one of `codes`, in the form that callers of this operation read."""
    if operation.dialect is None:
        told = await problem(response)
        return (response.status, told["code"]) in {(CATALOGUE[code].status, code) for code in codes}
    assert response.content_type == "application/json"
    from_json(operation.dialect.refusal, await response.json())
    return response.status in {operation.dialect.status(CATALOGUE[code].status or 0) for code in codes}


async def refused(
    api: Api, body: bytes | AsyncIterator[bytes], headers: dict[str, str] | None = None
) -> tuple[int, str]:
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    async with api.ask("POST", "/jobs", data=data, headers=JSON | (headers or {})) as response:
        told = await problem(response)
        return response.status, told["code"]


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 20_000, b'{"a":NaN}', b'{"a":1e400}', b"1" * 5000, b"\xff"])
async def test_a_body_that_is_no_json_is_malformed(api: Api, body: bytes) -> None:
    """A1, A2, A3, A4"""
    assert await refused(api, body) == (400, "invalid_json")


async def test_a_member_twice_and_text_without_a_form_are_refused_with_their_place(api: Api) -> None:
    """A5, A6"""
    body = rb'{"source":{"url":"https://h.example/\u0000"},"source":{},"tags":["\ud800"],"outputs":[{"preset":"h264"}]}'
    async with api.ask("POST", "/jobs", data=body, headers=JSON) as response:
        told = await problem(response)
    assert {(fault["path"], fault["code"]) for fault in told["errors"]} == {
        ("/source", "duplicate_key"),
        ("/tags/0", "invalid_text"),
    }


def texts(part: Json, *way: str | int) -> Iterator[tuple[str | int, ...]]:
    """Where each text of some JSON stands."""
    if isinstance(part, str):
        yield way
    elif isinstance(part, (dict, list)):
        members = part.items() if isinstance(part, dict) else enumerate(part)
        for token, member in members:
            yield from texts(member, *way, token)


def with_text(part: Any, way: tuple[str | int, ...], text: str) -> Any:  # noqa: ANN401  # JSON
    """The same with another text in one place."""
    if not way:
        return text
    changed = part.copy()
    changed[way[0]] = with_text(part[way[0]], way[1:], text)
    return changed


@pytest.mark.parametrize("wrong", ["\0", "\ud800"])
async def test_no_text_is_without_a_form(api: Api, wrong: str) -> None:
    """A6: each text of each example that the document gives, of every operation that takes JSON."""
    tried = 0
    for operation, example in [(each, shown["value"]) for each, body in TAKING for shown in examples.of(body).values()]:
        for way in texts(example):
            body = with_text(example, way, f"a{wrong}b")
            async with api.ask(operation.method, filled(operation.path), json=body) as response:
                assert await is_told(response, operation, "invalid_text"), operation
                if operation.dialect is None:
                    faults = (await problem(response))["errors"]
                    assert [(fault["path"], fault["code"]) for fault in faults] == [(pointer(*way), "invalid_text")]
            tried += 1
    assert tried > 50


@pytest.mark.parametrize("wrong", ["a%00b", "a%20"])
async def test_no_name_in_a_path_brings_a_server_error(api: Api, wrong: str) -> None:
    """A6: nor does one that ends in a blank mean another. It failed with names of ingest rules, and of pipelines."""
    for operation in EVERY:
        if "{" in operation.path and not operation.body:
            async with api.ask(operation.method, re.sub(r"\{\w+\}", wrong, operation.path)) as response:
                assert response.status in {400, 404, 405, 409, 412, 422}, operation


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/octet-stream"],
)
async def test_other_media_types_are_not_taken(api: Api, media_type: str) -> None:
    """A7"""
    assert await refused(api, json.dumps(GOOD).encode(), {"Content-Type": media_type}) == (
        415,
        "unsupported_media_type",
    )


async def test_a_body_without_a_type_or_in_utf_16_is_not_taken(api: Api) -> None:
    """A7"""
    head = b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
    assert b"415 Unsupported" in await api.raw(head)
    assert await refused(api, json.dumps(GOOD).encode("utf-16")) == (415, "unsupported_media_type")


async def _pieces(count: int) -> AsyncIterator[bytes]:
    yield b'{"metadata":"'
    for _ in range(count):
        yield b"x" * 65536


async def test_a_large_body_is_refused_in_either_framing_and_the_connection_closed(api: Api) -> None:
    """A8"""
    assert await refused(api, b" " * 2_000_000) == (413, "body_too_large")
    assert await refused(api, _pieces(32)) == (413, "body_too_large")
    head = (
        b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{"
    )
    assert (await api.raw(head)).startswith(b"HTTP/1.1 413 ")


async def test_a_large_inline_source_is_taken_and_a_large_job_around_it_is_not(api: Api) -> None:
    """A16, where it is too long"""
    data = "QUJD" * 1_000_000
    body = json.dumps(GOOD | {"source": {"kind": "inline", "data": data}})
    async with api.ask("POST", "/jobs", data=io.BytesIO(body.encode()), headers=JSON) as response:
        assert response.status == 202
    body = json.dumps(GOOD | {"source": {"kind": "inline", "data": data}, "metadata": {"a": "x" * 1_100_000}})
    assert await refused(api, body.encode()) == (413, "body_too_large")
    longest = json.dumps(GOOD | {"source": {"kind": "inline", "data": "QUJD" * 4_300_000}})
    assert await refused(api, longest.encode()) == (413, "body_too_large")


async def test_a_body_is_refused_by_every_operation_that_takes_none(api: Api) -> None:
    async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    asked = [each for each in EVERY if not (each.body or any(parameter.required for parameter in each.query))]
    assert len(asked) > 20
    for operation in asked:
        path = re.sub(r"\{\w+\}", "encode", operation.path)
        async with api.ask(operation.method, path, json={"because": 7}) as response:
            assert response.status == 400, operation
            assert operation.method == "HEAD" or await is_told(response, operation, "unexpected_body")
    async with api.ask("POST", "/queues/encode/pause", data=chunks(b"{}")) as response:
        assert (await problem(response))["code"] == "unexpected_body"
    for nothing in (b"", chunks()):
        async with api.ask("POST", "/queues/encode/pause", data=nothing, headers=JSON) as response:
            assert response.status == 200


async def test_a_compressed_body_is_measured_by_what_comes_out(api: Api) -> None:
    """A9"""
    zipped = gzip.compress(json.dumps(GOOD).encode())
    async with api.ask("POST", "/jobs", data=zipped, headers=JSON | {"Content-Encoding": "gzip"}) as response:
        assert response.status == 202
    bomb = gzip.compress(b'{"a":"' + b"x" * 50_000_000)
    for operation, _ in TAKING:
        headers = JSON | {"Content-Encoding": "gzip"}
        async with api.ask(operation.method, filled(operation.path), data=bomb, headers=headers) as response:
            assert await is_told(response, operation, "body_too_large"), operation
    assert await refused(api, b"no gzip at all", {"Content-Encoding": "gzip"}) == (400, "invalid_json")
    assert await refused(api, zipped, {"Content-Encoding": "snappy"}) == (415, "content_encoding_not_allowed")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"])
async def test_a_wrong_method_is_told_the_right_ones(api: Api, method: str) -> None:
    async with api.ask(method, "/jobs") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,POST")
        if method != "HEAD":
            assert (await problem(response))["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/jobs/", "//jobs", "/static/..%2f..%2fetc/passwd", "/static/..%252f..%252fetc/passwd",
     "/static/../views.py", "/static/views.py", "/outputs/..;/", "/docs/", "/storage/", "/jobs/1/outputs/../log"],
)  # fmt: skip
async def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    """G5 of security.md"""
    answer = await api.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"404 Not Found" in head.splitlines()[0]
    assert json.loads(body)["code"] == "not_found"


GARBAGE = [
    b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: a miracle\r\n\r\n",
    b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: a miracle\r\n\r\n",
    b"BREW /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
    b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nX : b\r\n\r\n",
    b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nA: b\r\n c\r\n\r\n",
    b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -2\r\n\r\n{}",
    b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /" + b"a" * 99000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: /" + b"a" * 9000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X" * 9000 + b": a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(200)) + b"\r\n",
]


@pytest.mark.parametrize("data", GARBAGE)
async def test_what_the_parser_refuses_is_a_problem_too_and_ends_the_connection(api: Api, data: bytes) -> None:
    """A10, H2"""
    answer = await api.raw(data)
    head, _, body = answer.partition(b"\r\n\r\n")
    told = json.loads(body)
    too_long = "uri_too_long" if data.startswith(b"GET /aaa") else "headers_too_large"
    assert told["code"] == (too_long if len(data) > 1000 else "invalid_header")
    assert told["status"] == CATALOGUE[told["code"]].status
    assert f" {told['status']} ".encode() in head.splitlines()[0]
    assert b"application/problem+json" in head
    assert b"\r\nServer: encoder\r\n" in head
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in head
    assert not any(word in answer for word in (b"Python", b"aiohttp"))


async def test_a_connect_to_nothing_is_answered(api: Api) -> None:
    """A10: it was not, and its connection stayed open."""
    answer = await api.raw(b"CONNECT \r\n\r\nConnection: close\r\n\r\n")
    assert answer.startswith((b"HTTP/1.1 403 ", b"HTTP/0.9 403 ", b"HTTP/1.0 403 ")), answer[:80]


async def test_a_chunk_that_is_none_is_malformed(api: Api) -> None:
    """A10"""
    head = b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    assert b" 400 Bad Request\r\n" in await api.raw(head + b"\r\nzz\r\n{}\r\n0\r\n\r\n")


async def test_slow_headers_are_cut_off_and_idle_connections_are_kept(
    store: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A12"""
    monkeypatch.setattr(server, "HEADERS_S", 0.2)
    async with running(store, tmp_path) as api:
        assert await api.raw(b"GET /livez HTTP/1.1\r\nHost: 127.") == b""
        assert await api.raw(b"") == b""
        reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
        for _ in range(2):
            writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"}")
            with pytest.raises(TimeoutError):  # the connection outlives the limit that holds for headers
                await asyncio.wait_for(reader.read(1), 0.5)
        writer.write(b"GET /livez")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_a_connection_that_is_idle_for_long_is_closed(
    store: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A12"""
    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.2)
    async with running(store, tmp_path) as api:
        answer = await api.raw(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_crowd_that_dawdles_holds_up_nobody_and_is_sent_away(
    store: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A12, at ten times its speed: half of it says its headers byte by byte, half stalls in its body.

    Without a limit on either it would stay for good. `python -m tests.lab.crowd` does it at the real one.
    """
    assert (server.HEADERS_S, IDLE_S) == (10, 30)
    monkeypatch.setattr(server, "HEADERS_S", 1.0)
    monkeypatch.setattr("encoder.api.body.IDLE_S", 1.0)
    about = b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    async with running(store, tmp_path) as api:
        crowd = [
            asyncio.create_task(
                crowds.byte_by_byte(api.port, about, each_s=0.1) if number % 2 else api.raw(about + b"\r\n{")
            )
            for number in range(200)
        ]
        await asyncio.sleep(0.2)
        async with asyncio.timeout(1.0):
            assert (await api.get("/livez"))["status"] == "ok"
        assert not any(slow.done() for slow in crowd)
        async with asyncio.timeout(3):
            await asyncio.gather(*crowd[1::2])  # whoever dripped on would have stayed for ten
        answers = await asyncio.gather(*crowd)
    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 408 ", b""] * 100


async def test_a_body_that_stalls_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A12"""
    monkeypatch.setattr("encoder.api.body.IDLE_S", 0.1)
    head = b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    answer = await api.raw(head)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_timeout"' in answer


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Host": "evil.test"}, "host_not_allowed"),
        ({"Host": "127.0.0.1.evil.test"}, "host_not_allowed"),
        ({"Host": "127.0.0.1@evil.test"}, "host_not_allowed"),
        ({"Host": "10.0.0.1"}, "host_not_allowed"),
        ({"Host": "[::ffff:10.0.0.1]"}, "host_not_allowed"),
        ({"Host": ""}, "host_not_allowed"),
        ({"Origin": "http://evil.test"}, "origin_not_allowed"),
        ({"Origin": "null"}, "origin_not_allowed"),
        ({"Origin": "http://127.0.0.1:1"}, "origin_not_allowed"),
    ],
)
async def test_an_open_server_is_open_to_its_own_machine_only(api: Api, headers: dict[str, str], code: str) -> None:
    """B12, H6"""
    for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/"), ("GET", "/livez"), ("GET", "/nothing")):
        async with api.ask(method, path, headers=headers) as response:
            assert (response.status, (await problem(response))["code"]) == (403, code)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_others_changes_nothing_though_it_names_no_origin(api: Api, site: str) -> None:
    """What of H3 is not a login's: whoever follows a link to us may read, and no more."""
    job = (await api.submit(GOOD))["id"]
    for method, path in (("POST", "/queues/encode/pause"), ("POST", f"/jobs/{job}/cancel"), ("DELETE", f"/jobs/{job}")):
        async with api.ask(method, path, headers={"Sec-Fetch-Site": site}) as response:
            assert (response.status, (await problem(response))["code"]) == (403, "origin_not_allowed")
    async with api.ask("GET", f"/ui/jobs/{job}", headers={"Sec-Fetch-Site": site}) as response:
        assert response.status == 200
    async with api.ask("POST", f"/jobs/{job}/cancel", headers={"Sec-Fetch-Site": "same-origin"}) as response:
        assert response.status == 202


@pytest.mark.parametrize(
    "target", ["//evil.test", "/\\evil.test", "javascript:alert(1)", "%0d%0aLocation:%20//evil.test"]
)
async def test_nothing_leads_elsewhere(api: Api, target: str) -> None:
    """H4: no route of the API redirects, and pages only to others of ours, whatever they are asked to lead to."""
    routes = [template for method, template in api.routes if method == "GET" and template != STREAM]
    for path in (target, *(f"{filled(template)}?next={target}" for template in routes)):
        line = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        head = (await api.raw(line.encode())).partition(b"\r\n\r\n")[0]
        assert re.match(rb"HTTP/1\.[01] [2345]", head), path
        leads = re.findall(rb"\nlocation: *([^\r\n]*)", head.lower())
        assert all(path.startswith("/ui/") and re.fullmatch(rb"/(?![/\\]).*", to) for to in leads), path


async def test_a_target_in_absolute_form_is_judged_by_its_own_host(api: Api) -> None:
    for target, status in (("http://evil.test/jobs", b" 403 "), ("http://127.0.0.1/jobs", b" 200 ")):
        answer = await api.raw(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        assert status in answer.splitlines()[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:80", "[::1]:8080", "127.1.2.3:1"])
async def test_the_machines_own_names_are_let_in(api: Api, host: str) -> None:
    async with api.ask("GET", "/livez", headers={"Host": host, "Origin": f"http://{host}"}) as response:
        assert response.status == 200


async def test_a_server_that_is_not_open_leaves_names_to_its_proxy(store: PostgresStore, tmp_path: Path) -> None:
    async with (
        running(store, tmp_path, loopback_only=False) as api,
        api.ask("GET", "/livez", headers={"Host": "encoder.example.com"}) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://evil.test", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://encoder.example.com", "Sec-Fetch-Site": "same-origin"}, 400),  # whatever a proxy calls us
        ({"Origin": "https://encoder.example.com"}, 400),
        ({}, 400),
    ],
)
async def test_a_page_of_others_sends_no_form_to_a_server_that_needs_no_key(
    store: PostgresStore, tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    """A7, H3: there are doors that take JSON under types for which no browser asks. It failed with 400 for all."""
    forms = {"/v2/jobs": "application/x-www-form-urlencoded", "/ingest/s3": "text/plain"}
    async with running(store, tmp_path, loopback_only=False, public_host="encoder.example.com") as api:
        for path, media_type in forms.items():
            sent = {"Host": "127.0.0.1:8080", "Content-Type": media_type, **headers}
            async with api.ask("POST", path, headers=sent, data=b"{") as response:
                assert response.status == status, path


GUARDS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Server": "encoder",
    "X-Content-Type-Options": "nosniff",
}


def is_page(headers: Mapping[str, str]) -> bool:
    return headers.get("Content-Type", "").startswith("text/html")


def check_guards(headers: Mapping[str, str]) -> None:
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "; frame-ancestors 'none'" in policy
    assert {name: headers[name] for name in GUARDS} == GUARDS
    # with `no-referrer` a browser says `Origin: null` of a page's own forms
    assert headers["Referrer-Policy"] in {"no-referrer", *(["same-origin"] if is_page(headers) else [])}
    assert len(headers["X-Request-Id"]) == 32
    assert headers["Cache-Control"] in {"no-store", "max-age=3600"}
    assert headers["Cache-Control"] == "no-store" or headers["Content-Type"].startswith(("text/css", "text/javascript"))


async def test_every_answer_carries_the_same_guards(api: Api) -> None:
    """H2: every route that there is, and what they refuse."""
    calls = {(method, filled(template)) for method, template in api.routes}
    calls |= {
        ("GET", path) for path in ("/", "/static/encoder.css", "/docs/ui/start.js", "/nothing", "/storage/x?expires=1")
    }
    for method, path in sorted(calls | {("PUT", "/jobs"), ("BREW", "/jobs")}):
        async with api.ask(method, path) as response:
            check_guards(response.headers)
    async with api.ask("POST", "/jobs", data=io.BytesIO(b" " * 2_000_000), headers=JSON) as response:
        assert response.status == 413
        check_guards(response.headers)


@dataclass
class Broken:
    """A database that fails in some way at every verb."""

    error: Exception

    def __getattr__(self, _verb: str) -> Any:  # noqa: ANN401  # stands for any
        async def fail(*_args: object, **_more: object) -> None:
            raise self.error

        return fail


async def failing(api: Api) -> set[str]:
    """The routes that fail; each in our own form, and no answer tells how."""
    fails = set()
    bodies = {(each.method, each.path): next(iter(examples.of(body).values()))["value"] for each, body in TAKING}
    for method, template in sorted(api.routes - {("GET", STREAM)}):
        async with api.ask(method, filled(template), json=bodies.get((method, template))) as response:
            text = await response.text()
            check_guards(response.headers)
            assert not any(word in text for word in ("SELECT", "Runtime", "Traceback", "/encoder/", "postgresql:"))
            if response.status == 500:
                operation = BY_ROUTE.get((method, template))
                assert await is_told(response, operation, "internal_error") if operation else "internal_error" in text
                fails.add(template)
    return fails


async def test_a_bug_of_ours_tells_nothing_but_an_id(tmp_path: Path) -> None:
    """A22: whatever route it is in."""
    broken: Any = Broken(RuntimeError("SELECT secret FROM /opt/encoder; postgresql://u:p@h"))
    with capture_logs() as logged:
        async with running(broken, tmp_path) as api:
            fails = await failing(api)
    assert {"/jobs", "/jobs/{id}", "/jobs/{id}/cancel", "/", "/stats", "/upload", "/workers"} <= fails
    assert {line["event"] for line in logged} == {"request.failed"}


async def test_while_the_database_is_away_calls_are_told_when_to_come_back(tmp_path: Path) -> None:
    """K1"""
    away: Any = Broken(errors.StoreUnavailable("away"))
    async with running(away, tmp_path) as api:
        calls = (("GET", "/jobs", None), ("GET", "/jobs/1", None), ("POST", "/jobs", GOOD), ("GET", "/workers", None))
        for method, path, body in calls:
            async with api.ask(method, path, json=body) as response:
                assert (response.status, (await problem(response))["code"]) == (503, "database_unavailable")
                assert int(response.headers["Retry-After"]) <= 6
        for path, status in (("/livez", 200), ("/readyz", 503), ("/health", 503), ("/metrics", 200)):
            async with api.ask("GET", path) as response:
                assert response.status == status
        async with api.ask("GET", "/readyz") as response:
            assert [reason["code"] for reason in (await response.json())["reasons"]] == ["database_unavailable"]


async def test_a_database_that_hangs_makes_the_server_unready(tmp_path: Path) -> None:
    class Hanging(Broken):
        async def ping(self) -> None:
            await asyncio.Event().wait()

    hanging: Any = Hanging(RuntimeError())
    async with running(hanging, tmp_path) as api, api.ask("GET", "/readyz") as response:
        assert response.status == 503


async def test_readiness_ends_when_the_server_is_to_stop(api: Api) -> None:
    assert (await api.get("/readyz"))["status"] == "ok"
    api.parts.stopping.set()
    for path in ("/readyz", "/readyz?scope=local"):
        async with api.ask("GET", path) as response:
            assert (response.status, (await response.json())["reasons"][0]["code"]) == (503, "draining")
            assert response.headers["Retry-After"] == "5"
    async with api.ask("GET", "/livez") as response:
        assert response.status == 200


async def test_connections_end_with_an_answer_before_the_server_goes(api: Api) -> None:
    """A connection that is kept, and closed when the next request is on its way, loses that request."""
    request = b"GET /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(request)
    assert b"close" not in (await reader.readuntil(b"\r\n\r\n")).lower()
    api.parts.stopping.set()
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert b"HTTP/1.1 200" in answer
    assert b"connection: close" in answer.lower()
    writer.close()


async def test_liveness_is_that_of_the_workers_too(store: PostgresStore, tmp_path: Path) -> None:
    still = Fitness(store=store, stopping=asyncio.Event(), beats=lambda: False)
    async with running(store, tmp_path, fitness=still) as api, api.ask("GET", "/livez") as response:
        assert (response.status, (await response.json())["reasons"][0]["code"]) == (503, "heart_stopped")


async def test_a_source_that_is_only_away_is_told_when_to_come_back(store: PostgresStore, tmp_path: Path) -> None:
    class Away:
        async def inspect(self, _source: object) -> None:
            raise errors.Transient("source_unavailable", "The source does not answer.", retry_after_s=7)

    async with (
        running(store, tmp_path, inspector=Away()) as api,
        api.ask("POST", "/probe", json={"source": GOOD["source"]}) as response,
    ):
        told = json.loads(await response.read())
        assert (response.status, told["code"], response.headers["Retry-After"]) == (503, "source_unavailable", "7")


async def test_a_queue_is_paused_with_its_reason_and_resumed(api: Api) -> None:
    async with api.ask("POST", "/queues/encode/pause", params={"because": "the driver"}) as response:
        assert (response.status, (await response.json())["pausedBecause"]) == (200, "the driver")
    await api.submit(GOOD)
    waits = (await api.get("/jobs/1"))["waitingFor"]
    assert waits["reason"] == "paused"
    assert waits["detail"].endswith(": the driver")
    async with api.ask("POST", "/queues/encode/resume") as response:
        queue = await response.json()
    assert (queue["waiting"], queue["pausedSince"], queue["pausedBecause"]) == (1, None, None)
    assert (await api.get("/jobs/1"))["waitingFor"]["reason"] == "slot"
    for path in ("/queues/nobody/resume", "/queues/nobody/pause", "/queues/%20/pause", "/queues/%00/resume"):
        async with api.ask("POST", path) as response:
            assert (response.status, (await response.json())["detail"]) == (
                404,
                "There is no such queue; known are encode, io.",
            )
    assert await api.parts.store.known_queues() == ["encode", "io"]


async def test_requests_are_counted_by_template_and_queues_by_state(api: Api) -> None:
    seen = Growth("encoder_http_requests_total", method="GET", route="/jobs/{id}", code="200")
    missed = Growth("encoder_http_requests_total", method="GET", route="other", code="404")
    taken = Growth("encoder_jobs_submitted_total", result="accepted")
    await api.submit(GOOD)
    await api.get("/jobs/1")
    async with api.ask("GET", "/nothing/at/all") as response:
        assert response.status == 404
    async with api.ask("GET", "/metrics") as response:
        numbers = Numbers(await response.text())
    assert (seen.now, missed.now, taken.now) == (1, 1, 1)
    assert numbers.sum("encoder_queue_tasks", queue="encode", state="ready") == 1
    assert numbers.sum("encoder_queue_wanted_slots", queue="encode") == 1
    assert "_created" not in numbers.text


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["source", "outputs", "kind", "url", "preset", "clip", "width"]) | st.text(), inner
        )
    ),
    max_leaves=12,
)
PLACES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["http", "file", "inline"]) | JSONS}, optional={"url": JSONS | st.text()}
)
NEARLY = st.fixed_dictionaries(
    {"source": PLACES | JSONS, "outputs": st.lists(st.dictionaries(st.text(), JSONS) | JSONS, max_size=2)},
    optional={
        "metadata": JSONS,
        "tags": JSONS,
        "priority": JSONS,
        "queue": JSONS,
        "notificationUrl": JSONS | st.text(),
    },
)


async def test_no_bytes_and_no_json_bring_a_server_error(api: Api) -> None:
    """One server, many bodies: hypothesis chooses them in a thread, the loop posts them."""
    loop = asyncio.get_running_loop()

    async def post(body: bytes) -> int:
        async with api.ask("POST", "/jobs", data=body, headers=JSON) as response:
            if response.status >= 400:
                await problem(response)
            status: int = response.status
            return status

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=200) | (JSONS | NEARLY).map(lambda value: json.dumps(value).encode()))
    def try_all(body: bytes) -> None:
        assert asyncio.run_coroutine_threadsafe(post(body), loop).result(20) < 500

    await asyncio.to_thread(try_all)
