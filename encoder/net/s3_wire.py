"""How botocore's requests go out: dialled as every other of ours, never redirected, their answers bounded."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import aiohttp
from aiobotocore.awsrequest import AioAWSResponse
from multidict import CIMultiDict
from yarl import URL

from encoder import errors
from encoder.net.http import READ_BUFFER_BYTES, Web, translated
from encoder.net.idle import Idle
from encoder.net.s3_body import Body

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.compat import HTTPHeaders

ANSWER_S = 300.0  # a server may put together a large object before it answers; the whole answer has as long again

_MOST_TOLD_BYTES = 16 * 1024 * 1024  # of an answer that is no object; a full page of a listing has 2 MB
_ERROR = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`guarded`: the server is one that a caller chose; else it is the operator's own, and no guard looks at it.

    `away`: the code of failures that may pass by themselves.
    """

    web: Web
    guarded: bool
    away: str

    def connector(self, verify: object) -> aiohttp.TCPConnector:
        """`verify`: what botocore read from `AWS_CA_BUNDLE`, which is the operator's as well."""
        if self.guarded:
            return self.web.connector()
        if isinstance(verify, str):
            return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=verify))
        return aiohttp.TCPConnector(ssl=self.web.tls or True)


class S3Wire:
    """Stands where botocore's own HTTP session would; what else botocore says at its making (`proxies`) is left out."""

    def __init__(self, way: Way, *, verify: object = None, **_left_out: object) -> None:
        self._way = way
        self._verify = verify
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, request: AWSPreparedRequest) -> AioAWSResponse:
        """Raises errors.Permanent and errors.Transient as `Web.ask` does, and what the request's own body raises."""
        with translated(self._way.away):
            body = request.body
            if not isinstance(body, Body):
                return await self._exchange(request, body)
            async with Idle(self._way.web.idle_s) as idle:
                try:
                    return await self._exchange(request, body.chunks(idle))
                except aiohttp.ClientError as error:
                    raise body.failure or error from error

    async def _exchange(self, request: AWSPreparedRequest, data: object) -> AioAWSResponse:
        response = await self._opened().request(
            request.method,
            URL(request.url, encoded=True),
            headers=_headers(request.headers),
            data=data,
            timeout=self._timeout(request.method),
            allow_redirects=False,
        )
        if request.stream_output and response.status < _ERROR:
            return _answer(response, response)
        return _answer(response, _Told(await self._told(response)))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._way.connector(self._verify),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers={"Content-Type"},
                auto_decompress=False,
                trust_env=False,
                read_bufsize=READ_BUFFER_BYTES,
            )
        return self._session

    def _timeout(self, method: str) -> aiohttp.ClientTimeout:
        web = self._way.web
        idle_s = web.idle_s if method in {"GET", "HEAD"} else max(web.idle_s, ANSWER_S)
        return aiohttp.ClientTimeout(total=None, sock_connect=web.connect_s, sock_read=idle_s)

    async def _told(self, response: aiohttp.ClientResponse) -> bytes:
        """All of an answer that is no object. Whoever says too much is not listened to."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await response.content.readexactly(_MOST_TOLD_BYTES)
        except TimeoutError:
            response.close()
            raise
        except asyncio.IncompleteReadError as whole:
            return whole.partial
        response.close()
        raise errors.Transient(self._way.away, "S3 answered with more than an answer holds.")


@dataclass(frozen=True, slots=True)
class _Told:
    """What botocore reads of an answer that has been read already."""

    data: bytes

    async def read(self) -> bytes:
        return self.data


def _headers(headers: HTTPHeaders) -> CIMultiDict[str]:
    items: Iterable[tuple[str, str | bytes]] = headers.items()  # the stubs know nothing of bytes among them
    sent = CIMultiDict((name, value.decode() if isinstance(value, bytes) else value) for name, value in items)
    sent.pop("Expect", None)  # not all servers know it, and aiohttp would wait for their word for ever
    sent["Accept-Encoding"] = "identity"
    return sent


def _answer(response: aiohttp.ClientResponse, raw: Any) -> AioAWSResponse:  # noqa: ANN401  # whatever has `read`
    headers = {name.decode().lower(): value.decode(errors="replace") for name, value in response.raw_headers}
    return AioAWSResponse(str(response.url), response.status, headers, raw)  # type: ignore[arg-type]  # any mapping
