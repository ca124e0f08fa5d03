"""What is told of a job while it runs and when it has ended: an item of a table of DynamoDB.

Two containers may run one job: a network that breaks, a node that is given up. So each write says what must still be
true: nothing replaces `COMPLETED` but another `COMPLETED`, and only the newest attempt tells of its own end.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from encoder import errors
from encoder.batch.ending import Ending
from encoder.batch.order import Table
from encoder.log import get_logger
from encoder.net.s3_errors import code_of

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from types_aiobotocore_dynamodb.client import DynamoDBClient

log = get_logger(__name__)

PROCESSING, COMPLETED, FAILED = "PROCESSING", "COMPLETED", "FAILED"

_BUSY = frozenset(
    {"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "Throttling"}
)
_REFUSED = "ConditionalCheckFailedException"
_CONFIG = AioConfig(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_OPEN = "attribute_not_exists(#status) OR #status <> :completed"
_NEWEST = "#attempt = :mine AND #status = :processing"
_NAME = re.compile(r"#(\w+)")
_OF_AN_END = ("completed_at", "failed_at", "interrupted_at", "code", "message")
_OF_A_RESULT = ("key", "size", "sha256", "seconds")


class StatusAway(errors.EncoderError):
    """The table cannot be reached, or refuses us."""


class StatusBusy(errors.EncoderError):
    """The table has too much to do, also after several tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Of a job that is done. `seconds`: what the attempt took; None: found done, by whom nobody knows."""

    key: str
    size_bytes: int
    sha256: str
    seconds: float | None = None


class Status(Protocol):
    """Where the status of one job is told. All raise StatusAway and StatusBusy."""

    async def begin(self, *, codec: str, host: str) -> Result | None:
        """A new attempt is under way; or the job is done already, with this result."""

    async def completed_by_another(self) -> Result | None:
        """What a copy of us has brought to its end, if one has."""

    async def complete(self, result: Result, *, codec: str) -> Result | None:
        """It is done. A result that another copy told before stays, and is returned."""

    async def replace(self, told: Result, result: Result, *, codec: str) -> None:
        """What was told is no longer what stands: now it is `result`."""

    async def fail(self, ending: Ending) -> None: ...

    async def interrupt(self) -> None:
        """The attempt was ended before its work was done."""


class Untold:
    """Nobody keeps the status: there is no table."""

    async def begin(self, *, codec: str, host: str) -> Result | None: ...

    async def completed_by_another(self) -> Result | None: ...

    async def complete(self, result: Result, *, codec: str) -> Result | None: ...

    async def replace(self, told: Result, result: Result, *, codec: str) -> None: ...

    async def fail(self, ending: Ending) -> None: ...

    async def interrupt(self) -> None: ...


@asynccontextmanager
async def opened(session: AioSession, table: Table | None) -> AsyncIterator[Status]:
    """The status of a job, while the block lasts.

    Raises:
        errors.Unfit: what the environment says of AWS cannot be read.
    """
    if table is None:
        yield Untold()
        return
    try:
        making = session.create_client("dynamodb", region_name=table.region, config=_CONFIG)
        client = await making.__aenter__()
    except (BotoCoreError, ValueError) as error:
        raise errors.Unfit(f"The environment names no way to DynamoDB: {error}") from None
    try:
        yield Item(client, table)
    finally:
        await client.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Of an item. `counted`: as a new attempt."""

    told: Mapping[str, str | int | float]
    gone: tuple[str, ...] = ()
    counted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.told, *self.gone, *(("attempt",) if self.counted else ()))

    @property
    def values(self) -> dict[str, Any]:
        told = {f":new_{name}": _value(value) for name, value in self.told.items()}
        return {**told, ":one": {"N": "1"}} if self.counted else told

    @property
    def parameters(self) -> dict[str, Any]:
        """The change itself, as DynamoDB has it."""
        words = ["SET " + ", ".join(f"#{name} = :new_{name}" for name in self.told)]
        words += ["REMOVE " + ", ".join(f"#{name}" for name in self.gone)] if self.gone else []
        words += ["ADD #attempt :one"] if self.counted else []
        return {"UpdateExpression": " ".join(words)}


class Item:
    """The item of one job. What others keep in it stays."""

    def __init__(self, client: DynamoDBClient, table: Table) -> None:
        self._client = client
        self._where: dict[str, Any] = {"TableName": table.name, "Key": {"job_id": {"S": table.job_id}}}
        self._attempt: str | None = None

    async def begin(self, *, codec: str, host: str) -> Result | None:
        told = {"status": PROCESSING, "started_at": _now(), "host": host, "codec": codec}
        change = Change(told=told, gone=(*_OF_AN_END, *_OF_A_RESULT), counted=True)
        made = await self._write(change, only=_OPEN)
        if made is None:
            return await self.completed_by_another()
        self._attempt = made["attempt"]["N"]
        return None

    async def completed_by_another(self) -> Result | None:
        with _translated():
            answer = await self._client.get_item(**self._where, ConsistentRead=True)
        item: Mapping[str, Any] = answer.get("Item", {})
        if item.get("status", {}).get("S") != COMPLETED:
            return None
        return Result(
            key=item.get("key", {}).get("S", ""),
            size_bytes=int(_number(item, "size") or 0),
            sha256=item.get("sha256", {}).get("S", ""),
            seconds=_number(item, "seconds"),
        )

    async def complete(self, result: Result, *, codec: str) -> Result | None:
        if await self._write(_done(result, codec), only=_OPEN) is None:
            return await self.completed_by_another()
        return None

    async def replace(self, told: Result, result: Result, *, codec: str) -> None:
        only = "#status <> :completed OR #sha256 = :told"
        await self._write(_done(result, codec), only=only, also={":told": {"S": told.sha256}})

    async def fail(self, ending: Ending) -> None:
        told = {"status": FAILED, "failed_at": _now(), "code": ending.code, "message": ending.short}
        if self._attempt is None:  # what cannot even begin overrules nobody who has
            only = "attribute_not_exists(#status) OR NOT #status IN (:completed, :processing)"
            await self._write(Change(told=told), only=only)
        else:
            await self._last(told)

    async def interrupt(self) -> None:
        if self._attempt is not None:
            await self._last({"interrupted_at": _now()})

    async def _last(self, told: Mapping[str, str | int | float]) -> None:
        """What the attempt says of its own end, unless a newer one is under way."""
        await self._write(Change(told=told), only=_NEWEST, also={":mine": {"N": self._attempt}})

    async def _write(
        self, change: Change, *, only: str, also: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any] | None:
        """Make a change where the condition `only` holds: what the item is then, or None."""
        with _translated():
            try:
                answer = await self._client.update_item(
                    **self._where,
                    **change.parameters,
                    ConditionExpression=only,
                    ExpressionAttributeNames={f"#{name}": name for name in (*change.names, *_NAME.findall(only))},
                    ExpressionAttributeValues={**change.values, **_values_of(only), **(also or {})},
                    ReturnValues="ALL_NEW",
                )
            except ClientError as error:
                if code_of(error) != _REFUSED:
                    raise
                log.info("status.overtaken", condition=only)
                return None
        return answer.get("Attributes", {})


def _values_of(condition: str) -> dict[str, Any]:
    return {f":{each.lower()}": {"S": each} for each in (COMPLETED, PROCESSING) if f":{each.lower()}" in condition}


def _done(result: Result, codec: str) -> Change:
    told: dict[str, str | int | float] = {
        "status": COMPLETED,
        "completed_at": _now(),
        "codec": codec,
        "key": result.key,
        "size": result.size_bytes,
        "sha256": result.sha256,
    }
    if result.seconds is not None:
        told["seconds"] = result.seconds
    return Change(told=told, gone=tuple(name for name in _OF_AN_END if name not in told))


def _value(value: str | float) -> dict[str, str]:
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


def _number(item: Mapping[str, Any], name: str) -> float | None:
    told = item.get(name, {}).get("N")
    return None if told is None else float(told)


def _now() -> str:
    """UTC to the millisecond, as ISO 8601 and RFC 3339 have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@contextmanager
def _translated() -> Iterator[None]:
    """What DynamoDB refuses, in our words; of its own only the code."""
    try:
        yield
    except ClientError as error:
        busy = code_of(error) in _BUSY
        raise (StatusBusy if busy else StatusAway)(f"DynamoDB answered {code_of(error)}.") from None
    except (BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError) as error:
        raise StatusAway(f"DynamoDB does not answer: {type(error).__name__}.") from None
