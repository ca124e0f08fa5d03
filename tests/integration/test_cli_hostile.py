"""A server that others fill, or one that is hostile itself: whatever its texts hold, a terminal obeys none of it."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from click.testing import CliRunner

from encoder.cli import root

# ends of lines, C0 and C1 controls, a link, the marks that turn text round, what hides, half a character, rich's markup
EVIL = "\x1b[2J\x1b]8;;http://x\x07\x9b31m\r\n\u202e\u2066\u200b\u2028\U000e0041\ud83d[link=x][red]/"
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ud800-\udfff\U000e0041]")
_TIME = "2026-11-30T02:00:00+00:00"
# what a client decides by: another text would be an answer of another release
_KEPT = {"status", "createdAt", "startedAt", "finishedAt", "lastBeatAt", "seenAt", "firstAt", "lastAt", "since"}

PROBLEM = {"code": "output_invalid", "message": "m", "class": "permanent", "retryable": False, "check": "c"}
OUTPUT = {
    "id": 0,
    "status": "failed",
    "spec": {"preset": "p", "destination": {"kind": "sftp", "host": "h", "path": "p"}},
    "plan": {"renditions": [{"name": "720p", "video": {"codec": "h264"}}]},
    "stage": "encoding",
    "worker": "w",
    "lastBeatAt": _TIME,
    "uri": "storage:x",
    "url": "http://h/x",
    "sha256": "s",
    "warnings": [{"code": "w", "message": "m"}],
    "error": PROBLEM,
}
JOB = {
    "id": 1,
    "uuid": "u",
    "status": "failed",
    "name": "n",
    "queue": "q",
    "source": {"kind": "s3", "bucket": "b", "path": "p"},
    "createdAt": _TIME,
    "startedAt": _TIME,
    "finishedAt": _TIME,
    "waitingFor": {"reason": "r", "detail": "d"},
    "warnings": [{"code": "w", "message": "m"}],
    "outputs": [OUTPUT],
    "error": {**PROBLEM, "code": "other"},
}
QUEUE = {"queue": "q", "pausedSince": "t", "pausedBecause": "b"}
DELIVERY = {"id": 1, "status": "exhausted", "createdAt": _TIME, "type": "t", "endpoint": "e", "error": "e"}
ANSWERS: dict[str, Any] = {
    "/jobs": {"jobs": [JOB, {**JOB, "id": 2, "status": "queued", "error": None}], "nextCursor": None},
    "/jobs/1": JOB,
    "/jobs/1/outputs/0/log": "log",
    "/workers": {
        "workers": [
            {"host": "h", "version": "v", "queues": ["q"], "seenAt": _TIME, "running": [{"jobId": 1, "stage": "s"}]}
        ]
    },
    "/troubles/all": {"troubles": [{"message": "m"}]},
    "/stats": {"jobs": {"s": 1}, "queues": [QUEUE]},
    "/dead": {"groups": [{"code": "c", "class": "c", "advice": "a", "firstAt": _TIME, "lastAt": _TIME, "jobs": 1}]},
    "/presets": {"presets": [{"name": "n", "about": "a", "builtIn": True}]},
    "/presets/p": {"members": {"a": "b"}},
    "/ingest/rules": {"rules": [{"name": "n", "source": {"bucket": "b", "prefix": "p"}, "enabled": True}]},
    "/webhooks/endpoints": {"endpoints": [{"name": "n", "url": "u", "format": "f", "events": ["e"], "enabled": True}]},
    "/webhooks/deliveries": {"deliveries": [DELIVERY], "nextCursor": None},
    "/queues/q/pause": QUEUE,
}
COMMANDS = (
    "jobs",
    "job 1",
    "watch 1",
    "log 1",
    "workers",
    "stats",
    "dead",
    "presets list",
    "presets show p",
    "ingest rules",
    "webhooks endpoints",
    "webhooks deliveries",
    "pause q",
    "job 2",
)


def _poisoned(value: Any) -> Any:  # noqa: ANN401  # JSON
    if isinstance(value, dict):
        return {name: each if name in _KEPT else _poisoned(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_poisoned(each) for each in value]
    return EVIL + value if isinstance(value, str) else value


async def _answer(request: web.Request) -> web.StreamResponse:
    found = ANSWERS.get(request.path)
    if isinstance(found, str):
        return web.Response(body=_poisoned(found).encode(errors="surrogatepass"))
    problem = {"code": "c", "detail": "d", "errors": [{"path": "p", "message": "m"}]}
    told = _poisoned(found or problem)
    return web.json_response(told, status=200 if found else 418)  # halves of characters go as `\ud83d`


@pytest.mark.parametrize("command", COMMANDS)
async def test_nothing_that_a_server_says_is_obeyed_by_a_terminal(command: str) -> None:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", _answer)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        done = await asyncio.to_thread(CliRunner().invoke, root, [*command.split(), "--url", url])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "[link=x][red]" in done.output
    assert _OBEYED.findall(done.output) == []
