"""SFTP to servers that callers name: one SSH connection to one of them, and its transfers.

Needs asyncssh (the extra `sftp`). Nothing of the machine's own SSH counts here: no agent, keys, settings, known hosts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import asyncssh

from encoder import errors
from encoder.log import get_logger
from encoder.net.dial import dial
from encoder.net.http import Web
from encoder.net.retrieval import Facts, Retrieval
from encoder.net.sftp_site import Site
from encoder.net.side import Side

log = get_logger(__name__)

READ_BYTES = 1024 * 1024

_AHEAD = 8  # blocks that are asked for, or sent, before the first of them is answered
_CLOSE_S = 1.0
# AES-GCM first: ChaCha20, which asyncssh would choose, costs several times as much
_CIPHERS = [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
]
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_REFUSED = (
    asyncssh.PermissionDenied,
    asyncssh.KeyExchangeFailed,
    asyncssh.ChannelOpenError,  # no SFTP for us
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPOpUnsupported,
    asyncssh.SFTPInvalidFilename,
    asyncssh.SFTPWriteProtect,
)

T = TypeVar("T")


class Sftp:
    """A connection to a server, for any number of transfers. Whoever has it closes it.

    Everything here raises:
        errors.Permanent: `address_not_allowed`, `host_key_mismatch`, and those of `side`.
        errors.Transient: `timeout`, and the one of `side`.
    """

    def __init__(self, site: Site, web: Web, side: Side) -> None:
        self._site = site
        self._web = web
        self._side = side
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    async def begin(self) -> None:
        """Connect, look at the server's key, and log in."""
        with self._translated():
            self._connection = await self._connect()
            async with asyncio.timeout(self._web.idle_s):
                self._client = await self._connection.start_sftp_client()

    @property
    def broken(self) -> bool:
        return self._connection is None or self._connection.is_closed()

    async def close(self) -> None:
        """At once; never raises."""
        if self._connection is not None:
            self._abort()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._connection.wait_closed()

    async def size(self, path: str) -> int | None:
        """None: nothing is there, or the server does not tell."""
        with self._translated(), suppress(*_MISSING):
            async with asyncio.timeout(self._web.idle_s):
                return (await self._sftp.stat(path)).size
        return None

    @asynccontextmanager
    async def retrieving(self, path: str, *, offset: int, version: str | None) -> AsyncIterator[Retrieval]:
        """The file from `offset` on where it still is `version`, else from its first byte.

        It is whole when what the server told of it at first still holds at the end: somebody may write into it.
        """
        with self._translated():
            async with asyncio.timeout(self._web.idle_s):
                file = await self._sftp.open(path, "rb")
                facts = _facts(await file.stat())
        start = offset if version is not None and version == facts.version else 0
        async with aclosing(self._chunks(file, start, facts)) as chunks:
            yield Retrieval(facts=facts, offset=start, chunks=chunks)

    async def store(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Make `chunks` the file `path`, and the folders that it lacks. If it fails, some of it may be there."""
        with self._translated():
            async with asyncio.timeout(self._web.idle_s):
                file = await self._create(path)
        at = 0
        async with _Window[int](self._web.idle_s, self._abort) as window:
            async for chunk in chunks:
                with self._translated():
                    await window.room()
                window.add(file.write(chunk, at))
                at += len(chunk)
            with self._translated():
                await window.rest()
                async with asyncio.timeout(self._web.idle_s):
                    await file.close()

    async def replace(self, path: str, final: str) -> None:
        """Rename `path` to `final`, whatever stands there."""
        with self._translated():
            async with asyncio.timeout(self._web.idle_s):
                try:
                    await self._sftp.posix_rename(path, final)
                except asyncssh.SFTPOpUnsupported:  # not OpenSSH: renames only to what is not there
                    with suppress(*_MISSING):
                        await self._sftp.remove(final)
                    await self._sftp.rename(path, final)

    async def remove(self, path: str) -> None:
        """No error where nothing is."""
        with self._translated(), suppress(*_MISSING):
            async with asyncio.timeout(self._web.idle_s):
                await self._sftp.remove(path)

    def _abort(self) -> None:
        if self._connection is not None:
            self._connection.abort()

    @property
    def _sftp(self) -> asyncssh.SFTPClient:
        if self._client is None:
            raise errors.Defect("the connection has not begun")
        return self._client

    async def _connect(self) -> asyncssh.SSHClientConnection:
        for algorithms in self._site.host_key.offers:
            try:
                return await self._log_in(algorithms)
            except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):  # it may have one of another kind
                if self._site.host_key.fingerprint is None:
                    raise
        message = f"{self._site.host.name} has another host key than the one that was given."
        raise errors.Permanent("host_key_mismatch", message)

    async def _log_in(self, algorithms: Sequence[str]) -> asyncssh.SSHClientConnection:
        site = self._site
        sock = await dial(site.host.name, site.host.port, self._web, away=self._side.away)
        try:
            async with asyncio.timeout(self._web.idle_s):
                return await asyncssh.connect(
                    host=site.host.name,
                    port=site.host.port,
                    sock=sock,
                    config=None,
                    client_factory=lambda: _Judge(site),
                    known_hosts=([], [], []),  # the judge decides; nothing at all would mean the machine's own
                    server_host_key_algs=list(algorithms),
                    x509_trusted_certs=None,
                    username=site.username,
                    password=site.password,
                    client_keys=None if site.private_key is None else [site.private_key],
                    agent_path=None,
                    encryption_algs=_CIPHERS,
                    compression_algs=["none"],
                )
        except BaseException:
            sock.close()  # asyncssh may not have come so far as to take it over
            raise

    async def _create(self, path: str) -> asyncssh.SFTPClientFile:
        try:
            return await self._sftp.open(path, "wb")
        except _MISSING:
            await self._sftp.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
            return await self._sftp.open(path, "wb")

    async def _chunks(self, file: asyncssh.SFTPClientFile, start: int, facts: Facts) -> AsyncGenerator[bytes, None]:
        at, end = start, facts.size_bytes
        async with _Window[bytes](self._web.idle_s, self._abort) as window:
            while True:
                while not window.full and (end is None or at < end):
                    count = READ_BYTES if end is None else min(READ_BYTES, end - at)
                    window.add(file.read(count, at))
                    at += count
                if window.empty:
                    break
                with self._translated():
                    chunk = await window.first()
                if not chunk:
                    break
                yield chunk
        await self._require_same(file, facts)

    async def _require_same(self, file: asyncssh.SFTPClientFile, facts: Facts) -> None:
        with self._translated():
            async with asyncio.timeout(self._web.idle_s):
                now = _facts(await file.stat())
        if now != facts:
            raise errors.Transient(self._side.away, "The file changed while it was read.")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        name = self._site.host.name
        try:
            yield
        except _MISSING as error:
            raise errors.Permanent(self._side.missing, f"{name} has no such file.") from error
        except _REFUSED as error:
            raise errors.Permanent(self._side.refused, f"{name} refuses: {type(error).__name__}.") from None
        except TimeoutError:
            raise errors.Transient("timeout", f"{name} did not answer in time.") from None
        except (asyncssh.Error, OSError) as error:  # `from None`: a server's own words may repeat what we told it
            raise errors.Transient(
                self._side.away, f"The connection to {name} broke: {type(error).__name__}."
            ) from None


async def connected(site: Site, web: Web, side: Side) -> Sftp:
    """A connection that has begun."""
    sftp = Sftp(site, web, side)
    try:
        await sftp.begin()
    except BaseException:
        await sftp.close()
        raise
    return sftp


@asynccontextmanager
async def visit(site: Site, web: Web, side: Side) -> AsyncIterator[Sftp]:
    """A connection for the block."""
    sftp = await connected(site, web, side)
    try:
        yield sftp
    finally:
        await sftp.close()


class _Judge(asyncssh.SSHClient):
    """Decides about the key of the server."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def validate_host_public_key(self, host: str, _addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        fingerprint = key.get_fingerprint()
        if self._site.host_key.fingerprint is None:
            log.warning("sftp.host_key_unchecked", server=host, port=port, fingerprint=fingerprint)
            return True
        return fingerprint == self._site.host_key.fingerprint


class _Window(Generic[T]):
    """Calls that are under way side by side, a few at a time; their results come in the order in which they began.

    None is ever cancelled: asyncssh would leave a part of it behind, to fail when nobody listens any more. At the end
    they have a moment to end; `give_up` then makes them.
    """

    def __init__(self, idle_s: float, give_up: Callable[[], None]) -> None:
        self._idle_s = idle_s
        self._give_up = give_up
        self._running: deque[asyncio.Future[T]] = deque()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_CLOSE_S)
            if late:
                self._give_up()
            await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def full(self) -> bool:
        return len(self._running) >= _AHEAD

    @property
    def empty(self) -> bool:
        return not self._running

    def add(self, call: Coroutine[Any, Any, T]) -> None:
        self._running.append(asyncio.ensure_future(call))

    async def first(self) -> T:
        done, _ = await asyncio.wait([self._running[0]], timeout=self._idle_s)
        if not done:
            raise TimeoutError
        return await self._running.popleft()

    async def room(self) -> None:
        """Wait until one more may be added."""
        while self.full:
            await self.first()

    async def rest(self) -> None:
        """Wait for all."""
        while not self.empty:
            await self.first()


def _facts(attributes: asyncssh.SFTPAttrs) -> Facts:
    return Facts(size_bytes=attributes.size, changed=attributes.mtime)
