"""Tells one receiver of one event, once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from weakref import WeakValueDictionary

from aiohttp import ClientResponse

from encoder import errors
from encoder.errors import Fault
from encoder.model.ids import TenantId
from encoder.net.guard import Url, check_url
from encoder.net.http import Ask, Web, retry_after_s
from encoder.webhooks import sign
from encoder.webhooks.schedule import Answer, Sent, judge

TOTAL_S = 15.0
PER_HOST = 4
READ_BYTES = 64 * 1024
KEPT_BYTES = 1024


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
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._web = web
        self._secrets = [sign.checked(secret) for secret in secrets]
        self._total_s = total_s
        self._now = now
        self._uniform = uniform
        self._hosts: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()

    async def send(self, *, url: str, webhook_id: str, body: str, tenant_id: TenantId, tried: int) -> Sent:
        """Try number `tried` (from 1) to deliver `body`, and what follows from it. Never raises for the receiver."""
        target = check_url(url, self._web.policy)
        if isinstance(target, Fault):
            answer = Answer(error=target.code)
        else:
            async with self._turn(target):
                answer = await self._tell(target, webhook_id, body, tenant_id)
        return judge(answer, tried=tried, jitter=self._uniform(-1, 1))

    def _turn(self, url: Url) -> asyncio.Semaphore:
        """A slow receiver holds up no others, whoever else waits for it."""
        return self._hosts.setdefault((url.host, url.port), asyncio.Semaphore(PER_HOST))

    async def _tell(self, url: Url, webhook_id: str, body: str, tenant_id: TenantId) -> Answer:
        secrets = [sign.tenant_secret(secret, tenant_id) for secret in self._secrets]
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
