"""Tells one receiver of one event, once."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import ClientResponse

from encoder import errors
from encoder.errors import Fault
from encoder.model.ids import TenantId
from encoder.net.guard import Url, check_url
from encoder.net.http import Ask, Web, retry_after_s
from encoder.webhooks import sign
from encoder.webhooks.hosts import Host, Hosts
from encoder.webhooks.schedule import Answer, Sent, judge

TOTAL_S = 15.0
LONG_S = 5.0  # a try that ends without an answer after so long has held up others
PATIENCE_S = 0.05  # for a turn at a host: whoever waits longer takes a slot from other receivers
READ_BYTES = 64 * 1024
KEPT_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """Nothing was tried: others keep the host busy. `after_s`: when there should be a turn for it."""

    after_s: float


class Sender:
    """`secrets`: the operator's, newest first; all of them sign. `uniform`: random within two bounds.

    Raises errors.Unfit for a secret that is none.
    """

    def __init__(
        self,
        web: Web,
        *,
        secrets: Sequence[str],
        total_s: float = TOTAL_S,
        patience_s: float = PATIENCE_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        uniform: Callable[[float, float], float] = random.uniform,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._web = web
        self._secrets = [sign.checked(secret) for secret in secrets]
        self._total_s = total_s
        self._patience_s = patience_s
        self._now = now
        self._uniform = uniform
        self._clock = clock
        self._hosts = Hosts(clock)

    def secrets(self, tenant_id: TenantId) -> Sequence[str]:
        """The operator's, as this tenant has them: they sign for the receivers of single jobs."""
        return [sign.tenant_secret(secret, tenant_id) for secret in self._secrets]

    async def send(
        self, *, tenant_id: TenantId, url: str, webhook_id: str, body: str, secrets: Sequence[str], tried: int
    ) -> Sent | Later:
        """Try number `tried` (from 1) to deliver `body`, signed by each of `secrets`, and what follows from it.

        A host that was silent too often is not dialled for a while: the try counts, as one that got no answer. Never
        raises for the receiver.
        """
        target = check_url(url, self._web.policy)
        if isinstance(target, Fault):
            answer = Answer(error=target.code)
        elif self._hosts.lets_alone(tenant_id, _host(target), a_try_s=self._total_s):
            answer = Answer(error="receiver_silent")
        else:
            line = self._hosts.line(_host(target))
            try:
                async with asyncio.timeout(0 if line.is_full else self._patience_s):
                    await line.turns.acquire()
            except TimeoutError:
                return Later(after_s=line.book())
            began = self._clock()
            try:
                answer = await self._tell(target, webhook_id, body, secrets)
            finally:
                line.took(self._clock() - began)
                line.turns.release()
            self._note(tenant_id, _host(target), answer, took_s=self._clock() - began)
        return judge(answer, tried=tried, jitter=self._uniform(-1, 1))

    def _note(self, tenant_id: TenantId, host: Host, answer: Answer, *, took_s: float) -> None:
        if answer.status is not None:
            self._hosts.heard(tenant_id, host)
        elif took_s >= min(LONG_S, self._total_s):
            self._hosts.silent(tenant_id, host)

    async def _tell(self, url: Url, webhook_id: str, body: str, secrets: Sequence[str]) -> Answer:
        own = sign.headers(secrets, webhook_id=webhook_id, at=self._now(), body=body)
        raw = body.encode()
        own |= {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        heard = Answer(error="timeout")
        try:
            async with asyncio.timeout(self._total_s):
                ask = Ask(method="POST", url=url, own=own, body=lambda: _once(raw), hops=0)
                async with self._web.ask(ask, away="receiver_unavailable") as response:
                    # a status is an answer, though its text may be endless
                    heard = Answer(status=response.status, retry_after_s=retry_after_s(response.headers))
                    text = await _read(response)
                    return Answer(status=heard.status, retry_after_s=heard.retry_after_s, text=text)
        except TimeoutError:
            return heard
        except errors.Failure as failure:
            return heard if heard.status is not None else Answer(error=failure.code)


def _host(url: Url) -> Host:
    return url.host, url.port


async def _once(raw: bytes) -> AsyncIterator[bytes]:
    yield raw


async def _read(response: ClientResponse) -> str:
    """The beginning of what was said, as text that any database takes."""
    kept, size = b"", 0
    while size < READ_BYTES:
        chunk = await response.content.read(READ_BYTES - size)
        if not chunk:
            break
        size += len(chunk)
        kept += chunk[: KEPT_BYTES - len(kept)]
    return kept.decode(errors="replace").replace("\0", "")
