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
PATIENCE_S = 0.05  # for a turn at a host: whoever waits longer takes a slot from other receivers
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
        patience_s: float = PATIENCE_S,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._web = web
        self._secrets = [sign.checked(secret) for secret in secrets]
        self._total_s = total_s
        self._patience_s = patience_s
        self._now = now
        self._uniform = uniform
        self._hosts: WeakValueDictionary[tuple[str, int], asyncio.Semaphore] = WeakValueDictionary()

    def secrets(self, tenant_id: TenantId) -> Sequence[str]:
        """The operator's, as this tenant has them: they sign for the receivers of single jobs."""
        return [sign.tenant_secret(secret, tenant_id) for secret in self._secrets]

    async def send(self, *, url: str, webhook_id: str, body: str, secrets: Sequence[str], tried: int) -> Sent | None:
        """Try number `tried` (from 1) to deliver `body`, signed by each of `secrets`, and what follows from it.

        None where others kept its host busy: nothing was tried. Never raises for the receiver.
        """
        target = check_url(url, self._web.policy)
        if isinstance(target, Fault):
            answer = Answer(error=target.code)
        else:
            turn = self._turn(target)
            try:
                async with asyncio.timeout(self._patience_s):
                    await turn.acquire()
            except TimeoutError:
                return None
            try:
                answer = await self._tell(target, webhook_id, body, secrets)
            finally:
                turn.release()
        return judge(answer, tried=tried, jitter=self._uniform(-1, 1))

    def _turn(self, url: Url) -> asyncio.Semaphore:
        """A slow receiver holds up no others."""
        return self._hosts.setdefault((url.host, url.port), asyncio.Semaphore(PER_HOST))

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
