"""S3 and what speaks like it: where a bucket lies, who asks for it, and the connections to it."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.exceptions import ClientError

from encoder import errors
from encoder.net.http import Web
from encoder.net.s3_errors import status_of, translated
from encoder.net.s3_wire import S3Wire, Way
from encoder.net.side import Side

if TYPE_CHECKING:
    from aiobotocore.session import ClientCreatorContext
    from types_aiobotocore_s3.client import S3Client
    from types_aiobotocore_s3.type_defs import HeadObjectOutputTypeDef

T = TypeVar("T")

TRIES = 5
SILENCES = 2  # of those: who says nothing once may be slow, who does so twice costs more than the stage's next try
DEFAULT_REGION = "us-east-1"
SHA256 = "encoder-sha256"  # metadata of all objects that we make: of a large one, the ETag is no checksum

_LONGEST_PAUSE_S = 8.0
_ABSENT = frozenset({404})
_NOT_SEEN = frozenset({403, 404})  # whoever may not list is told the one for the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who asks. `token` comes with keys that were lent for a while."""

    id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where objects lie. All of it may be a caller's words, which have been checked.

    `endpoint` None: the server that the operator's environment names, else Amazon's. `keys` None: the operator's own,
    which go to no other server than these two. `own`: the operator wrote all of it, and no guard looks at it.
    """

    name: str
    region: str | None = None
    endpoint: str | None = None
    keys: Keys | None = None
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a server says of an object. `sha256`: of one that we made, and of no other."""

    size_bytes: int
    etag: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How objects are cut. S3 takes no part below 5 MiB but the last."""

    multipart_from_bytes: int = 100_000_000
    part_bytes: int = 16 * 1024 * 1024  # at least: there are no more than 9000
    piece_bytes: int = 8 * 1024 * 1024  # of a part of what comes piece by piece, each of which is held in memory
    window_bytes: int = 16 * 1024 * 1024  # of one request when reading; four of them wait for the reader at most


@dataclass(frozen=True, kw_only=True)
class S3Access:
    """The operator's side: environment, shared files and the machine's role, each read as every AWS tool does.

    `buckets`: those that these credentials serve for callers; None: any. `closed`: a bucket and the beginning of keys
    in it that they never serve, the platform's own storage. `pause_s`: the wait before a first repetition.
    """

    buckets: frozenset[str] | None = None
    closed: tuple[str, str] | None = None
    pause_s: float = 0.5
    sizes: Sizes = field(default_factory=Sizes)

    @cached_property
    def session(self) -> AioSession:
        """Keeps the credentials of a role until they are renewed, and what botocore knows of S3."""
        return AioSession()

    @cached_property
    def endpoint(self) -> str | None:
        """The server that the operator's environment or configuration file names in place of Amazon's."""
        named: str | None = ConfiguredEndpointProvider(
            full_config=self.session.full_config, scoped_config=self.session.get_scoped_config(), client_name="s3"
        ).provide()
        return named

    def serves(self, bucket: str, key: str) -> bool:
        """Whether a caller may have `key` by the operator's credentials."""
        if self.closed is not None and bucket == self.closed[0] and key.startswith(self.closed[1]):
            return False
        return self.buckets is None or bucket in self.buckets

    @property
    def region(self) -> str:
        """The operator's. botocore itself knows only the older of the two names that tools read."""
        return os.environ.get("AWS_REGION") or self.session.get_config_variable("region") or DEFAULT_REGION

    def open(self, bucket: Bucket, web: Web, side: Side) -> S3:
        """Connections to `bucket`; none is made yet."""
        return S3(self, bucket, web, side)

    def client(self, bucket: Bucket, web: Web, side: Side) -> ClientCreatorContext[S3Client]:
        endpoint, keys = bucket.endpoint or self.endpoint, bucket.keys
        # Amazon's own names are made of the caller's bucket and region: only the operator's server is beyond doubt
        doubtful = bucket.endpoint is not None or endpoint is None
        way = Way(web=web, guarded=doubtful and not bucket.own, away=side.away)
        return self.session.create_client(
            "s3",
            region_name=bucket.region or self.region,
            endpoint_url=endpoint,
            aws_access_key_id=keys.id if keys else None,
            aws_secret_access_key=keys.secret if keys else None,
            aws_session_token=keys.token if keys else None,
            config=_config(way, by_path=endpoint is not None),
        )


def _config(way: Way, *, by_path: bool) -> AioConfig:
    """Nothing of the caller's and of the environment's, but what S3's look-alikes all understand.

    Bodies are not signed but named by a signed Content-MD5; checksums of newer kinds are unknown to some.
    """
    return AioConfig(
        http_session_cls=partial(S3Wire, way),  # type: ignore[arg-type]  # whatever is called as a class and sends
        signature_version="s3v4",
        s3={"addressing_style": "path" if by_path else "auto", "payload_signing_enabled": False},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "total_max_attempts": 1},  # we repeat ourselves
        ignore_configured_endpoint_urls=True,
        proxies={},
    )


class S3:
    """Asks one bucket. Connections are made on first use and kept until `close`."""

    def __init__(self, access: S3Access, bucket: Bucket, web: Web, side: Side) -> None:
        self.bucket = bucket.name
        self.side = side
        self.sizes = access.sizes
        self._access = access
        self._open = partial(access.client, bucket, web, side)
        self._opening = asyncio.Lock()
        self._client: S3Client | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def ask(self, call: Callable[[S3Client], Awaitable[T]], *, tries: int = 1) -> T:
        """What `call` answers; repeated, `tries` times in all, while trying again may help; after a silence but once.

        A ClientError that is a case of its own is caught within `call`.

        Raises:
            errors.Permanent: what the side calls missing or refused, `address_not_allowed`, `tls_error`, …
            errors.Transient: what the side calls away, `timeout`, `integrity_error`.
        """
        silences = 0
        for trial in range(1, tries):
            try:
                return await self._once(call)
            except errors.Transient as failure:
                silences += failure.code == "timeout"
                if silences == SILENCES:
                    raise
                await self.pause(trial, failure)
        return await self._once(call)

    async def pause(self, trial: int, failure: errors.Transient) -> None:
        """Wait before what failed `trial` times is tried again, full jitter: what failed together comes back apart.

        Raises:
            errors.Transient: `failure` itself, for its server asks for more than is waited here.
        """
        asked_s = failure.retry_after_s or 0.0
        if asked_s > _LONGEST_PAUSE_S:
            raise failure
        most_s = min(_LONGEST_PAUSE_S, self._access.pause_s * 2.0**trial)
        await asyncio.sleep(max(asked_s, random.uniform(0, most_s)))  # noqa: S311  # no secret

    async def about(self, key: str, *, unseen: Collection[int] = _ABSENT) -> About | None:
        """What stands at `key`, as we need it. None and Raises as `head`."""
        told = await self.head(key, unseen=unseen)
        if told is None:
            return None
        metadata = {name.lower(): value for name, value in told["Metadata"].items()}
        etag = told.get("ETag", "").strip('"')
        return About(size_bytes=told["ContentLength"], etag=etag or None, sha256=metadata.get(SHA256))

    async def look(self, key: str) -> tuple[int, str | None] | None:
        """Size of what stands at `key`, and its SHA-256 if we made it; None where nothing does, or we may not look.

        So None proves nothing: it is no reason to believe that a write would replace nothing.

        Raises:
            errors.Transient: as `ask`.
        """
        seen = await self.about(key, unseen=_NOT_SEEN)
        return None if seen is None else (seen.size_bytes, seen.sha256)

    async def head(self, key: str, *, unseen: Collection[int] = _NOT_SEEN) -> HeadObjectOutputTypeDef | None:
        """All that is told of what stands at `key`; None where nothing does, or the server says one of `unseen`.

        Raises:
            errors.Permanent, errors.Transient: as `ask`.
        """

        async def head(client: S3Client) -> HeadObjectOutputTypeDef | None:
            try:
                return await client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if status_of(error) in unseen:
                    return None
                raise

        return await self.ask(head)

    async def _once(self, call: Callable[[S3Client], Awaitable[T]]) -> T:
        with translated(self.side):
            return await call(await self.client())

    async def client(self) -> S3Client:
        async with self._opening:
            if self._client is None:
                self._client = await self._open().__aenter__()
            return self._client
