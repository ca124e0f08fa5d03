"""Reads what is told of objects from a queue of SQS, beside the calls of an API process.

A message is deleted when its jobs stand, and not before. What cannot be taken comes again after the queue's visibility
timeout, and what comes too often goes where the queue's own policy sends it. Any number of processes may read a queue.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import AsyncExitStack
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from encoder import errors
from encoder.api.body import read_json
from encoder.api.ingest import Intake
from encoder.log import get_logger
from encoder.net.s3_errors import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiobotocore.session import AioSession, ClientCreatorContext
    from types_aiobotocore_sqs.client import SQSClient
    from types_aiobotocore_sqs.type_defs import MessageTypeDef

log = get_logger(__name__)

WAIT_S = 20  # for a message: as long as SQS lets anybody wait
AT_ONCE = 10  # messages: as many as SQS hands out
PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # after a failure, and after many
_ANSWER_S = 20
_REGION = re.compile(r"sqs(?:-fips)?\.([a-z0-9-]+)\.")
_AWAY = (BotoCoreError, ResponseParserError, aiohttp.ClientError, OSError)


class _Fate(Enum):
    """What became of a message."""

    DONE = auto()  # it was taken, or never can be
    LEFT = auto()  # something stands in its way, and perhaps in that of no other
    AWAY = auto()  # what stands in its way stands in that of all


def _may_go_on(fates: Sequence[_Fate]) -> bool:
    """Whether there is no reason to wait with the next ones: one rule that is refused must not slow those of others."""
    return _Fate.AWAY not in fates and (_Fate.DONE in fates or not fates)


class QueueReader:
    """`region`: of a queue whose address names none. Server and credentials are the operator's."""

    def __init__(
        self,
        session: AioSession,
        url: str,
        intake: Intake,
        *,
        region: str,
        uniform: Callable[[float, float], float],
    ) -> None:
        self._session = session
        self._url = url
        self._intake = intake
        self._region = region
        self._uniform = uniform

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`. What was handed out by then is taken in first.

        Raises:
            errors.Unfit: the operator's own configuration of AWS cannot be read.
        """
        async with AsyncExitStack() as stack:
            try:
                sqs = await stack.enter_async_context(self._client())
            except BotoCoreError as error:
                raise errors.Unfit(f"ENCODER_INGEST_SQS_URLS: {error}") from error
            await self._read(sqs, stop)

    async def _read(self, sqs: SQSClient, stop: asyncio.Event) -> None:
        stopped = asyncio.ensure_future(stop.wait())
        pause_s = 0.0
        try:
            while not stop.is_set():
                reading = asyncio.ensure_future(self._some(sqs))
                await asyncio.wait({reading, stopped}, return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():  # what was on its way to us comes again
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
                    break
                messages = reading.result()
                fates = (
                    [_Fate.AWAY] if messages is None else await asyncio.gather(*(self._take(sqs, m) for m in messages))
                )
                pause_s = 0.0 if _may_go_on(fates) else min(LONGEST_PAUSE_S, max(PAUSE_S, 2 * pause_s))
                if pause_s:
                    await asyncio.wait({stopped}, timeout=self._uniform(pause_s / 2, pause_s))
        finally:
            stopped.cancel()

    async def _some(self, sqs: SQSClient) -> Sequence[MessageTypeDef] | None:
        """The next messages; None where there may be some, but they could not be had, or nothing be done with them.

        Each look at a message counts towards the queue's own limit: none is taken in hand while the database is away.
        """
        try:
            await self._intake.parts.store.ping()
            answer = await sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=WAIT_S)
        except ClientError as error:
            log.warning("ingest.queue_refused", queue=self._url, code=code_of(error))
            return None
        except (*_AWAY, errors.StoreUnavailable) as error:
            log.warning("ingest.queue_away", queue=self._url, reason=type(error).__name__)
            return None
        except Exception:  # nobody thought of it: the API beside us goes on all the same
            log.exception("ingest.queue_defect", queue=self._url)
            return None
        return answer.get("Messages", [])

    async def _take(self, sqs: SQSClient, message: MessageTypeDef) -> _Fate:
        told = {"queue": self._url, "message": message.get("MessageId")}
        try:
            raw = message.get("Body", "").encode("utf-8", "replace")
            await self._intake.take(await asyncio.to_thread(read_json, raw))
        except errors.Rejected as refused:
            codes = [fault.code for fault in refused.faults]
            log.warning("ingest.left", codes=codes, **told)
            if "queue_full" in codes:
                return _Fate.AWAY
            return _Fate.LEFT if "ingest_incomplete" in codes else _Fate.DONE
        except errors.StoreUnavailable as error:
            log.warning("ingest.left", reason=str(error), **told)
            return _Fate.AWAY
        except Exception:  # a defect in one message must not keep us from the others
            log.exception("ingest.defect", **told)
            return _Fate.DONE
        try:
            await sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.get("ReceiptHandle", ""))
        except (*_AWAY, ClientError) as error:  # it comes again, and makes nothing twice
            log.warning("ingest.not_deleted", reason=type(error).__name__, **told)
        return _Fate.DONE

    def _client(self) -> ClientCreatorContext[SQSClient]:
        parts = urlsplit(self._url)
        found = _REGION.match(parts.netloc)
        return self._session.create_client(
            "sqs",
            region_name=found[1] if found else self._region,
            endpoint_url=f"{parts.scheme}://{parts.netloc}",
            config=AioConfig(read_timeout=WAIT_S + _ANSWER_S, connect_timeout=10, retries={"total_max_attempts": 2}),
        )
