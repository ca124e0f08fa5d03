"""The API as Python calls: thin, typed at the JSON's edge, patient with a server that is away or busy.

What may safely be sent twice is: reads, and creations under one `Idempotency-Key`. `Retry-After` is honoured. Live
events are resumed after the last one that was seen.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias
from urllib.parse import quote
from uuid import uuid4

import aiohttp

from encoder import __version__, errors
from encoder.cli import sse
from encoder.model.base import Json

Object: TypeAlias = dict[str, Json]
Sleep: TypeAlias = Callable[[float], Awaitable[None]]

MAX_TRIES = 4
MAX_WAIT_S = 30.0
NOT_DONE = frozenset({429, 503})  # the server says that it did nothing
BUSY = NOT_DONE | {408, 502, 504}

_PAUSE_S = 1.0  # before a stream is asked for again that the server has ended

# A whole answer may take long (a probe fetches its source first); a silent socket may not, but streams ping.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=300)


class Unreachable(errors.EncoderError):
    """No answer from the server, also after several tries."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{url} does not answer")
        self.url = url


class Refused(errors.EncoderError):
    """The server answered with a problem (RFC 9457). `problem` is its whole body."""

    def __init__(self, status: int, problem: Object, *, retry_after_s: float | None = None) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP {status}"))
        self.status = status
        self.problem = problem
        self.retry_after_s = retry_after_s

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, and whether it may be sent again when nobody knows what became of it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json = None
    headers: Mapping[str, str]
    repeatable: bool


class Client:
    """One server, one key. An async context manager; `sleep` is what waits between tries."""

    def __init__(self, url: str, key: str | None = None, *, sleep: Sleep = asyncio.sleep) -> None:
        self.url = url.rstrip("/")
        self._sleep = sleep
        self._headers = {"User-Agent": f"encoder/{__version__}"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def submit(self, job: Object, *, key: str | None = None) -> Object:
        """Posts a job under `key` (a new one if absent), so that a lost answer makes no second job."""
        return await self._send("POST", "/jobs", body=job, headers={"Idempotency-Key": key or str(uuid4())})

    async def plan(self, job: Object) -> Object:
        return await self._send("POST", "/jobs", {"dryRun": "true"}, body=job)

    async def probe(self, source: Object) -> Object:
        return await self._send("POST", "/probe", body={"source": source})

    async def job(self, job: str) -> Object:
        return await self._send("GET", f"/jobs/{job}")

    async def jobs(self, *, limit: int, **filters: str) -> AsyncGenerator[Object, None]:
        """The newest `limit` jobs that pass the filters, page by page."""
        async for job in self._pages("/jobs", "jobs", limit, filters):
            yield job

    async def cancel(self, job: str) -> Object:
        return await self._send("POST", f"/jobs/{job}/cancel")

    async def retry(self, job: str) -> Object:
        return await self._send("POST", f"/jobs/{job}/retry", repeatable=False)

    async def announce(self, file_name: str, size_bytes: int) -> Object:
        """Asks for an invitation to bring a file: in pieces, if the server knows of these."""
        file: Object = {"file_name": file_name, "size_bytes": size_bytes}
        try:
            # its job is sent by itself
            return await self._send("POST", "/upload", body={**file, "outputs": [], "protocol": "tus"})
        except Refused as refused:
            if refused.code != "unknown_field":
                raise
        return await self._send("POST", "/upload", body=file)  # a server from before there were pieces

    async def ingest_rules(self) -> list[Object]:
        return _objects((await self._send("GET", "/ingest/rules"))["rules"])

    async def put_ingest_rule(self, name: str, rule: Object) -> Object:
        return await self._send("PUT", f"/ingest/rules/{quote(name, safe='')}", body=rule)

    async def remove_ingest_rule(self, name: str) -> None:
        await self._send("DELETE", f"/ingest/rules/{quote(name, safe='')}", repeatable=False)

    async def presets(self) -> list[Object]:
        return _objects((await self._send("GET", "/presets"))["presets"])

    async def preset(self, name: str) -> Object:
        return await self._send("GET", f"/presets/{quote(name, safe='')}")

    async def put_preset(self, name: str, preset: Object) -> Object:
        return await self._send("PUT", f"/presets/{quote(name, safe='')}", body=preset)

    async def remove_preset(self, name: str) -> None:
        await self._send("DELETE", f"/presets/{quote(name, safe='')}", repeatable=False)

    async def workers(self) -> list[Object]:
        return _objects((await self._send("GET", "/workers"))["workers"])

    async def stats(self, **asked: str) -> Object:
        return await self._send("GET", "/stats", asked)

    async def pause(self, queue: str, because: str | None) -> Object:
        return await self._send("POST", f"/queues/{queue}/pause", {"because": because} if because else {})

    async def resume(self, queue: str) -> Object:
        return await self._send("POST", f"/queues/{queue}/resume")

    async def dead(self) -> list[Object]:
        return _objects((await self._send("GET", "/dead"))["groups"])

    async def redrive(self, limit: int, **chosen: str) -> Object:
        return await self._send("POST", "/dead/redrive", {**chosen, "limit": str(limit)}, repeatable=False)

    async def endpoints(self) -> list[Object]:
        return _objects((await self._send("GET", "/webhooks/endpoints"))["endpoints"])

    async def endpoint(self, name: str) -> Object:
        return await self._send("GET", f"/webhooks/endpoints/{quote(name, safe='')}")

    async def put_endpoint(self, name: str, endpoint: Object) -> Object:
        return await self._send("PUT", f"/webhooks/endpoints/{quote(name, safe='')}", body=endpoint, repeatable=False)

    async def rotate_endpoint(self, name: str, keep_hours: int) -> Object:
        path = f"/webhooks/endpoints/{quote(name, safe='')}/rotate"
        return await self._send("POST", path, {"keepHours": str(keep_hours)}, repeatable=False)

    async def remove_endpoint(self, name: str) -> None:
        await self._send("DELETE", f"/webhooks/endpoints/{quote(name, safe='')}", repeatable=False)

    async def test_endpoint(self, name: str) -> Object:
        return await self._send("POST", f"/webhooks/endpoints/{quote(name, safe='')}/test", repeatable=False)

    async def deliveries(self, *, limit: int, **filters: str) -> AsyncGenerator[Object, None]:
        """The newest `limit` deliveries that pass the filters, page by page."""
        async for delivery in self._pages("/webhooks/deliveries", "deliveries", limit, filters):
            yield delivery

    async def delivery(self, delivery: str) -> Object:
        return await self._send("GET", f"/webhooks/deliveries/{delivery}")

    async def replay(self, delivery: str) -> None:
        await self._send("POST", f"/webhooks/deliveries/{delivery}/replay")

    async def replay_all(self, limit: int, **chosen: str) -> Object:
        query = {**chosen, "limit": str(limit)}
        return await self._send("POST", "/webhooks/deliveries/replay", query, repeatable=False)

    async def events(self, job: str) -> AsyncGenerator[sse.Message, None]:
        """What happens to a job, from now until it ends. A stream that breaks is taken up where it broke."""
        async for message in self._followed(f"/jobs/{job}/events"):
            yield message  # the server ends the stream after the job's last event

    async def news(self) -> AsyncGenerator[sse.Message, None]:
        """What changes among all jobs, from now on."""
        while True:
            async for message in self._followed("/events"):
                yield message
            await self._sleep(_PAUSE_S)  # the server went away in order

    async def timeline(self, job: str, after: int) -> list[Object]:
        """What happened to a job after its event of this number."""
        return _objects((await self._send("GET", f"/jobs/{job}/events", {"after": str(after)}))["events"])

    async def _followed(self, path: str) -> AsyncGenerator[sse.Message, None]:
        last_id, failures = "", 0
        while True:
            try:
                async for message in self._stream(path, last_id):
                    last_id, failures = message.id or last_id, 0
                    yield message
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                failures += 1
                if failures == MAX_TRIES or (isinstance(error, Refused) and error.status not in BUSY):
                    raise self._told(error) from error
                pause_s = _pause(failures, error)
            else:
                return
            await self._sleep(pause_s)

    async def _pages(
        self, path: str, member: str, limit: int, filters: Mapping[str, str]
    ) -> AsyncGenerator[Object, None]:
        query = {**filters, "limit": str(min(limit, 200))}
        while limit > 0:
            page = await self._send("GET", path, query)
            for each in _objects(page[member])[:limit]:
                yield each
                limit -= 1
            if not page.get("nextCursor"):
                return
            query["cursor"] = str(page["nextCursor"])

    async def _stream(self, path: str, last_id: str) -> AsyncGenerator[sse.Message, None]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        async with self._session.get(self.url + path, headers=headers) as response:
            if not response.ok:
                raise await refusal(response)
            async for message in sse.messages(response.content.iter_any()):
                yield message

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Object:
        call = Call(
            method=method, path=path, query=query or {}, body=body, headers=headers or {}, repeatable=repeatable
        )
        tries = 1
        while True:
            try:
                return await self._once(call)
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                if tries == MAX_TRIES or not _may_repeat(call, error):
                    raise self._told(error) from error
                pause_s = _pause(tries, error)
            await self._sleep(pause_s)
            tries += 1

    async def _once(self, call: Call) -> Object:
        async with self._session.request(
            call.method, self.url + call.path, params=call.query, json=call.body, headers=call.headers
        ) as response:
            if not response.ok:
                raise await refusal(response)
            body = await response.read()
            return _object(body) if body else {}

    def _told(self, error: Exception) -> errors.EncoderError:
        if isinstance(error, Refused):
            return error
        return Unreachable(self.url)


def _may_repeat(call: Call, error: Exception) -> bool:
    if isinstance(error, Refused):
        return error.status in (BUSY if call.repeatable else NOT_DONE)
    return call.repeatable or isinstance(error, aiohttp.ClientConnectorError)  # then nothing was sent


def _pause(tries: int, error: Exception) -> float:
    """What the server asked for, or twice as long each time; spread, so that many callers do not come back as one."""
    if isinstance(error, Refused) and error.retry_after_s is not None:
        return min(MAX_WAIT_S, error.retry_after_s)
    return random.uniform(0.1, 0.2) * 2.0**tries  # noqa: S311  # no secret


async def refusal(response: aiohttp.ClientResponse) -> Refused:
    """What an answer says that is no success."""
    wait = response.headers.get("Retry-After", "")
    try:
        problem = _object(await response.read())
    except ValueError:  # a proxy's own page
        problem = {"status": response.status, "title": response.reason or "", "code": ""}
    return Refused(response.status, problem, retry_after_s=float(wait) if wait.isdecimal() else None)


def _object(body: bytes) -> Object:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004  # as json says of all that it cannot read
    return found


def _objects(found: Json) -> list[Object]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
