"""HTTP to addresses that callers wrote: every one of them is dialled here, guarded, and nowhere else."""

from __future__ import annotations

import math
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeAlias
from urllib.parse import urljoin

import aiohttp
import yarl
from multidict import CIMultiDict

from encoder import __version__, errors
from encoder.errors import Fault
from encoder.net.guard import Policy, Url, check_url
from encoder.net.resolve import GuardedResolver, Lookup, guarded_socket, system_lookup

MOST_HOPS = 5
READ_BUFFER_BYTES = 1024 * 1024

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REPEATING_REDIRECTS = frozenset({307, 308})  # the only ones after which a body is sent again as it was

# A body that can be sent more than once: a redirect asks for it again.
Body: TypeAlias = Callable[[], AsyncIterable[bytes | memoryview]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request. `headers` are the caller's and stay on the origin of `url`; `own` are ours and go everywhere."""

    method: str
    url: Url
    headers: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    hops: int = MOST_HOPS  # 0: an answer that redirects is handed back like any other
    answer_s: float | None = None  # how long an answer may take once the body is sent; None: `idle_s`


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The guarded way out. `tls` None: the system's certificates; nothing turns their check off."""

    policy: Policy = field(default_factory=Policy)
    lookup: Lookup = system_lookup
    tls: ssl.SSLContext | None = None
    connect_s: float = 10.0
    idle_s: float = 30.0  # nothing comes, nothing goes

    @asynccontextmanager
    async def ask(self, ask: Ask, *, away: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to `ask` after its redirects, whatever its status; the connection ends with the block.

        `away` is the code of the failure when the other side cannot be reached or breaks off, also inside the block.

        Raises:
            errors.Permanent: `address_not_allowed`, `redirect_not_allowed`, `too_many_redirects`, `tls_error`.
            errors.Transient: `away`, `timeout`.
        """
        async with self._session() as session:
            with translated(away):
                response = await self._follow(session, ask)
                try:
                    yield response
                finally:
                    response.close()  # never waits for the rest of either body

    def connector(self) -> aiohttp.TCPConnector:
        """What dials, and looks at each address as it does; not at one to which it has kept a connection."""
        return aiohttp.TCPConnector(
            resolver=GuardedResolver(self.policy, self.lookup),
            socket_factory=guarded_socket(self.policy),
            use_dns_cache=False,
            ssl=self.tls or True,
        )

    def _session(self) -> aiohttp.ClientSession:
        # a session per request: a pooled connection is one that no guard looks at again
        return aiohttp.ClientSession(
            connector=self.connector(),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"encoder/{__version__}", "Accept-Encoding": "identity", "Accept": "*/*"},
            trust_env=False,
            read_bufsize=READ_BUFFER_BYTES,
        )

    async def _follow(self, session: aiohttp.ClientSession, ask: Ask) -> aiohttp.ClientResponse:
        url = ask.url
        for hop in range(ask.hops + 1):
            with _a_hop_is_a_redirect(hop):
                response = await self._send(session, ask, url)
            if ask.hops == 0 or response.status not in _REDIRECTS:
                return response
            response.close()
            url = self._next(url, response, ask)
        raise errors.Permanent("too_many_redirects", f"{ask.url.host} redirects more than {ask.hops} times.")

    async def _send(self, session: aiohttp.ClientSession, ask: Ask, url: Url) -> aiohttp.ClientResponse:
        same = url.origin == ask.url.origin
        headers = CIMultiDict(ask.own)
        if same:
            headers.update(ask.headers)
        idle_s = ask.answer_s or self.idle_s
        return await session.request(
            ask.method,
            _on_the_wire(url),
            headers=headers,
            data=None if ask.body is None else ask.body(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self.connect_s, sock_read=idle_s),
            allow_redirects=False,
        )

    def _next(self, url: Url, response: aiohttp.ClientResponse, ask: Ask) -> Url:
        """Where a redirect leads, checked as if a caller had written it."""
        if ask.body is not None and response.status not in _REPEATING_REDIRECTS:
            raise _no_redirect(url, "would lose the body")
        location = response.headers.get("Location")
        if not location:
            raise _no_redirect(url, "names no address")
        target = check_url(urljoin(url.text, location), self.policy)
        if isinstance(target, Fault):
            raise _no_redirect(url, f"leads astray: {target.message}")
        if url.scheme == "https" and target.scheme == "http":
            raise _no_redirect(url, "leads from https to http")
        return target


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the other side asks us to wait; None if it says nothing that can be understood.

    `headers`: of its answer, found in any case or written small.
    """
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(http_date: str) -> float:
    try:
        moment = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError):
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _on_the_wire(url: Url) -> yarl.URL:
    """The very bytes that were checked: yarl must neither read nor mend them again."""
    path, mark, query = url.target.partition("?")
    return yarl.URL.build(
        scheme=url.scheme, host=url.host, port=url.port, path=path, query_string=query if mark else "", encoded=True
    )


def _no_redirect(url: Url, why: str) -> errors.Permanent:
    return errors.Permanent("redirect_not_allowed", f"The redirect of {url.host} {why.removesuffix('.')}.")


@contextmanager
def _a_hop_is_a_redirect(hop: int) -> Iterator[None]:
    """A name may turn out to be forbidden only when it is dialled; after a redirect, that is the redirect's fault."""
    try:
        yield
    except errors.Permanent as refused:
        if hop == 0 or refused.code != "address_not_allowed":
            raise
        raise errors.Permanent("redirect_not_allowed", refused.message) from refused


@contextmanager
def translated(away: str) -> Iterator[None]:
    """Say in our words what aiohttp says. A plain OSError is not ours: the block also writes to disks."""
    try:
        yield
    except aiohttp.ClientSSLError as error:
        raise errors.Permanent("tls_error", f"No trusted connection to {error.host}: {_reason(error)}.") from error
    except TimeoutError:  # `from None`: aiohttp's own words hold the whole address, with whatever is secret in it
        raise errors.Transient("timeout", "The other side did not answer in time.") from None
    except aiohttp.ClientConnectorError as error:
        raise errors.Transient(away, f"{error.host} cannot be reached: {_reason(error)}.") from error
    except aiohttp.ClientError as error:
        raise errors.Transient(away, f"The connection broke: {type(error).__name__}.") from None


def _reason(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):  # has no `os_error`, though its base has
        return getattr(error.certificate_error, "verify_message", "the certificate is not valid")
    return error.os_error.strerror or type(error.os_error).__name__
