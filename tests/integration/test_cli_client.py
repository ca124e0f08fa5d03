"""The client against a server that says what the test has written down for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from encoder.cli import crowd, follow, upload
from encoder.cli.board import Board
from encoder.cli.client import MAX_TRIES, Client
from encoder.cli.exchange import MAX_WAIT_S
from encoder.cli.refused import Foreign, Object, Refused, Unreachable
from encoder.cli.sse import Message

Answer = Callable[[web.Request], web.StreamResponse]


@dataclass
class Script:
    """Answers in order, the last one again and again; keeps what it was asked."""

    answers: Sequence[Answer]
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    slept_s: list[float] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        return self.answers[min(len(self.requests), len(self.answers)) - 1](request)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)


@asynccontextmanager
async def _served(*answers: Answer, key: str | None = None) -> AsyncIterator[tuple[Client, Script]]:
    script = Script(answers)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", script.handle)
    async with TestServer(app) as server, Client(str(server.make_url("")), key, sleep=script.sleep) as client:
        yield client, script


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return lambda _: web.json_response(body, status=status, headers=headers)


def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


def _events(text: str) -> Answer:
    return lambda _: web.Response(text=text, content_type="text/event-stream")


async def test_a_lost_answer_is_asked_for_again_under_the_same_key() -> None:
    async with _served(_cut, _cut, _json({"id": 7}, 202)) as (client, script):
        assert await client.submit({"source": {}}) == {"id": 7}
    keys = {request.headers["Idempotency-Key"] for request in script.requests}
    assert len(script.requests) == 3
    assert len(keys) == 1
    assert set(script.bodies) == {b'{"source": {}}'}


async def test_each_job_has_a_key_of_its_own_unless_one_is_given() -> None:
    async with _served(_json({"id": 7}, 202)) as (client, script):
        for key in (None, None, "mine"):
            await client.submit({}, key=key)
    first, second, third = (request.headers["Idempotency-Key"] for request in script.requests)
    assert first != second
    assert third == "mine"


async def test_retry_after_is_honoured_up_to_a_limit() -> None:
    busy = {"code": "draining"}
    answers = [_json(busy, 503, {"Retry-After": wait}) for wait in ("2", "9999")]
    async with _served(*answers, _json({"id": 1})) as (client, script):
        assert await client.job("1") == {"id": 1}
    assert script.slept_s == [2, MAX_WAIT_S]


async def test_pauses_grow_when_the_server_names_none() -> None:
    async with _served(_json({}, 502)) as (client, script):
        with pytest.raises(Refused):
            await client.job("1")
    assert len(script.requests) == MAX_TRIES
    assert script.slept_s == sorted(script.slept_s)
    assert script.slept_s[-1] > 2 * script.slept_s[0]


async def test_a_refusal_is_not_repeated_and_keeps_its_problem() -> None:
    problem = {"code": "unknown_field", "errors": [{"path": "/outputs/0/widht"}]}
    async with _served(_json(problem, 422)) as (client, script):
        with pytest.raises(Refused) as caught:
            await client.submit({})
    assert len(script.requests) == 1
    assert (caught.value.status, caught.value.code, caught.value.problem) == (422, "unknown_field", problem)


async def test_a_foreign_error_page_is_a_refusal_too() -> None:
    async with _served(lambda _: web.Response(status=404, text="<html>nginx")) as (client, _):
        with pytest.raises(Refused, match="Not Found"):
            await client.job("1")


async def test_an_answer_that_is_lost_is_not_asked_for_again_where_that_could_do_it_twice() -> None:
    async with _served(_cut) as (client, script):
        with pytest.raises(Unreachable):
            await client.retry("1")
    assert len(script.requests) == 1


async def test_what_the_server_says_it_did_not_do_is_always_asked_again() -> None:
    async with _served(_json({}, 503), _json({"id": 1}, 202)) as (client, script):
        assert await client.retry("1") == {"id": 1}
    assert len(script.requests) == 2


async def test_jobs_are_read_page_by_page_until_the_limit() -> None:
    pages = (
        _json({"jobs": [{"id": 3}, {"id": 2}], "nextCursor": "c"}),
        _json({"jobs": [{"id": 1}], "nextCursor": None}),
    )
    async with _served(*pages) as (client, script):
        assert [job["id"] async for job in client.jobs(limit=1000, status="failed")] == [3, 2, 1]
    first, second = (request.query for request in script.requests)
    assert first == {"status": "failed", "limit": "200"}
    assert second == {"status": "failed", "limit": "200", "cursor": "c"}


async def test_no_more_jobs_are_read_than_were_asked_for() -> None:
    async with _served(_json({"jobs": [{"id": 3}, {"id": 2}], "nextCursor": "c"})) as (client, script):
        assert [job["id"] async for job in client.jobs(limit=2)] == [3, 2]
    assert len(script.requests) == 1


async def test_the_key_goes_with_every_request() -> None:
    async with _served(_json({"id": 1}), key="enc_live_x") as (client, script):
        await client.job("1")
    assert script.requests[0].headers["Authorization"] == "Bearer enc_live_x"


async def test_a_broken_stream_is_taken_up_after_the_last_event_that_was_seen() -> None:
    def breaks(request: web.Request) -> web.StreamResponse:
        assert request.transport
        body = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n"
        request.transport.write(body + b"id: 4\ndata: a\n\ndata: progress\n\n")
        request.transport.close()
        return web.Response()

    async with _served(breaks, _events("id: 5\ndata: b\n\n")) as (client, script):
        seen = [message.data async for message in client.events("1")]
    assert seen == ["a", "progress", "b"]
    assert [request.headers.get("Last-Event-ID") for request in script.requests] == [None, "4"]


async def test_the_end_of_the_stream_is_the_end() -> None:
    async with _served(_events("id: 1\ndata: a\n\n")) as (client, script):
        assert [message.id async for message in client.events("1")] == ["1"]
    assert len(script.requests) == 1


_JOB = {"id": 1, "uuid": "u", "createdAt": "2026-01-01T00:00:00Z", "outputs": []}


async def test_a_follower_stays_while_the_server_is_restarted_and_says_so_once() -> None:
    absent = [_cut] * (2 * MAX_TRIES)  # more than one call tries
    told: list[str] = []
    answers = (_json({**_JOB, "status": "running"}), *absent, _json({**_JOB, "status": "completed"}))
    async with _served(*answers) as (client, _):
        following = follow.patiently(client, "1", lambda error: told.append(str(error)), patience_s=60)
        assert [answer["status"] async for answer in following] == ["running", "completed"]
        assert told == [f"{client.url} does not answer"]


async def test_a_follower_gives_up_when_its_patience_ends() -> None:
    async with _served(_cut) as (client, _):
        with pytest.raises(Unreachable, match=r"does not answer$"):
            _ = [answer async for answer in follow.patiently(client, "1", lambda _: None, patience_s=0)]


async def test_a_follower_has_no_patience_with_a_job_that_is_not_there() -> None:
    async with _served(_json({"code": "not_found"}, 404)) as (client, script):
        with pytest.raises(Refused):
            _ = [answer async for answer in follow.patiently(client, "1", lambda _: None, patience_s=60)]
    assert len(script.requests) == 1


async def test_a_stream_that_never_comes_back_is_told() -> None:
    async with _served(_cut) as (client, script):
        with pytest.raises(Unreachable):
            _ = [message async for message in client.events("1")]
    assert len(script.slept_s) == MAX_TRIES - 1


async def test_whoever_stores_an_upload_is_shown_no_key_and_sent_just_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "in.mov"
    path.write_bytes(bytes(range(256)) * 3000)
    told: list[int] = []
    async with _served(_json({}), key="S3nt1nel") as (client, script):
        invitation: Object = {
            "upload_url": f"{client.url}/bucket/a%20b%2Fc?signature=x%2By",
            "method": "PUT",
            "headers": {"Content-Type": "video/mp4", "If-None-Match": "*"},
        }
        await upload.bring(path, invitation, told.append)
    (request,) = script.requests
    assert request.raw_path == "/bucket/a%20b%2Fc?signature=x%2By"
    assert "Authorization" not in request.headers
    assert (request.headers["Content-Length"], request.headers["If-None-Match"]) == (str(256 * 3000), "*")
    assert script.bodies == [path.read_bytes()]
    assert sum(told) == 256 * 3000


_HERE = {"Content-Type": "text/html"}


@pytest.mark.parametrize("body", ["<html>", "[]", '{"presets": 7}', "{}"])
async def test_whoever_answers_otherwise_than_the_api_is_told_apart(body: str) -> None:
    async with _served(lambda _: web.Response(text=body, headers=_HERE)) as (client, _):
        with pytest.raises(Foreign, match=r"is not the API of Encoder"):
            await client.presets()


@pytest.mark.parametrize("name", ["a/../b", "a?b#c", "ü %2F"])
async def test_a_name_is_one_part_of_the_path_whatever_stands_in_it(name: str) -> None:
    async with _served(_json(_JOB)) as (client, script):
        await client.job(name)
    (request,) = script.requests
    assert request.raw_path == f"/jobs/{quote(name, safe='')}"


async def test_a_stream_that_is_lost_is_told_to_whoever_waits_for_news() -> None:
    ear = follow._Ear(asyncio.Queue())
    async with _served(_events("event: hello\ndata: {}\n\n"), _json({}, 404)) as (client, _):
        listening = asyncio.create_task(ear.listen(client))
        async with asyncio.timeout(10):
            assert [(await ear.heard.get()).event for _ in range(2)] == ["hello", "lost"]
        assert not ear.live
        listening.cancel()


async def test_a_ctrl_c_that_comes_with_a_message_is_not_lost() -> None:
    for steps in range(6):
        ear = follow._Ear(asyncio.Queue())
        waiting = asyncio.create_task(follow._told(ear, Board(), 5.0))
        await asyncio.sleep(0.01)
        ear.heard.put_nowait(Message(event="hello"))
        for _ in range(steps):
            await asyncio.sleep(0)
        if waiting.cancel():  # else it had ended before
            with pytest.raises(asyncio.CancelledError):
                await waiting


async def test_where_no_stream_comes_through_jobs_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the server was away meanwhile: that is said, and that it is back."""
    monkeypatch.setattr(follow, "POLL_S", 0.02)
    monkeypatch.setattr(follow, "GAP_S", 0.01)
    told: list[bool] = []
    page = [{"jobs": [{**_JOB, "status": status}], "nextCursor": None} for status in ("queued", "completed")]
    states = [_json(page[0]), *[_cut] * (2 * MAX_TRIES), _json(page[1])]  # aiohttp tries once more by itself

    def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/events":
            return web.Response(status=404, text="a proxy that knows no streams")
        return states.pop(0)(request) if len(states) > 1 else states[0](request)

    seen: list[str] = []
    async with asyncio.timeout(10), _served(answer) as (client, _):
        look = crowd.listed(client, 5, {})
        async with aclosing(follow.boards(client, look, lambda error: told.append(error is not None))) as boards:
            async for board in boards:
                seen += [job.status for job in board]
                if "completed" in seen:
                    break
    assert seen[0] == "queued"
    assert told == [True] * (len(told) - 1) + [False]
    assert len(told) > 1
