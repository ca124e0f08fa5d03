"""HTTP with the server: what may be tried again is, and a stream that breaks is taken up where it broke."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp

from encoder import __version__
from encoder.cli import sse
from encoder.cli.refused import BUSY, NOT_DONE, Foreign, Object, Refused, Unreachable
from encoder.model.base import Json

MAX_WAIT_S = 30.0
_HALF = rb"\ud"

# A whole answer may take long (a probe fetches its source first); a silent socket may not, but streams ping.
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request, and whether it may be sent again when nobody knows what became of it."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    headers: Mapping[str, str]
    repeatable: bool


class Exchange:
    """A session with one server. To be closed. `sleep` is what waits between the `tries`."""

    def __init__(self, url: str, key: str | None, *, sleep: Callable[[float], Awaitable[None]], tries: int) -> None:
        self._url = url
        self._sleep = sleep
        self._tries = tries
        headers = {"User-Agent": f"encoder/{__version__}"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers)

    async def close(self) -> None:
        await self._session.close()

    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Json,
        headers: Mapping[str, str],
        repeatable: bool,
    ) -> Object:
        """The JSON object of an answer; empty where it holds nothing.

        Raises:
            Refused: by the server.
            Unreachable: nobody answers.
            Foreign: somebody else does.
        """
        told = await self.text(method, path, query, body=body, headers=headers, repeatable=repeatable)
        try:
            return _object(told) if told else {}
        except ValueError as error:
            raise Foreign(self._url) from error

    async def text(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: Json = None,
        headers: Mapping[str, str],
        repeatable: bool,
    ) -> bytes:
        """As `send`, for an answer of any kind."""
        call = _Call(method=method, path=path, query=query, body=body, headers=headers, repeatable=repeatable)
        tries = 1
        while True:
            try:
                return await self._once(call)
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                if tries >= self._tries or not _may_repeat(call, error):
                    raise self._told(error) from error
                pause_s = _pause(tries, error)
            await self._sleep(pause_s)
            tries += 1

    async def followed(self, path: str) -> AsyncGenerator[sse.Message, None]:
        """A live stream, until the server ends it."""
        last_id, failures = "", 0
        while True:
            try:
                async for message in self._stream(path, last_id):
                    last_id, failures = message.id or last_id, 0
                    yield message
            except (Refused, aiohttp.ClientError, TimeoutError) as error:
                failures += 1
                if failures >= self._tries or (isinstance(error, Refused) and error.status not in BUSY):
                    raise self._told(error) from error
                pause_s = _pause(failures, error)
            else:
                return
            await self._sleep(pause_s)

    async def _stream(self, path: str, last_id: str) -> AsyncGenerator[sse.Message, None]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        async with self._session.get(self._url + path, headers=headers) as response:
            if not response.ok:
                raise await refusal(response)
            async for message in sse.messages(response.content.iter_any()):
                yield message

    async def _once(self, call: _Call) -> bytes:
        async with self._session.request(
            call.method, self._url + call.path, params=call.query, json=call.body, headers=call.headers
        ) as response:
            if not response.ok:
                raise await refusal(response)
            return await response.read()

    def _told(self, error: Exception) -> Refused | Unreachable:
        return error if isinstance(error, Refused) else Unreachable(self._url)


def _may_repeat(call: _Call, error: Exception) -> bool:
    if isinstance(error, Refused):
        return error.status in (BUSY if call.repeatable else NOT_DONE)
    if isinstance(error, aiohttp.InvalidURL):
        return False
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
    if _HALF in body.lower():  # of a character, which nobody can write
        found = json.loads(json.dumps(found, ensure_ascii=False).encode(errors="replace"))
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004  # as json says of all that it cannot read
    return found
