"""A receiver of webhooks. It keeps each request as it came, and believes only what the published library verifies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from encoder.model.ids import DEFAULT_TENANT
from encoder.webhooks.sign import tenant_secret
from tests.lab.platform import WEBHOOK_SECRET
from tests.lab.wire import Exchange, Request, Script, Server


@dataclass(frozen=True, kw_only=True)
class Told:
    """One webhook as it arrived. `genuine`: it was signed by the lab's platform for its first tenant, just then."""

    request: Request
    body: bytes
    genuine: bool

    @property
    def id(self) -> str:
        return self.request.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """The event. Raises WebhookVerificationError if it is not from who holds `secret`."""
        event: dict[str, Any] = Webhook(secret).verify(self.body, dict(self.request.headers))
        return event


def _is_genuine(request: Request, body: bytes) -> bool:
    """Asked on arrival: the library believes no message that is older than five minutes."""
    try:
        Webhook(tenant_secret(WEBHOOK_SECRET, DEFAULT_TENANT)).verify(body, dict(request.headers))
    except WebhookVerificationError:
        return False
    return True


@dataclass(kw_only=True)
class Hook(Server):
    """`answers`: scripts or statuses for the first webhooks, in order; later ones are answered by the script of their
    path, or taken with 200.
    """

    told: list[Told] = field(default_factory=list)
    answers: list[int | Script] = field(default_factory=list)

    async def script(self, exchange: Exchange) -> None:
        body = await exchange.body()
        self.told.append(Told(request=exchange.request, body=body, genuine=_is_genuine(exchange.request, body)))
        path = exchange.request.target.partition("?")[0]
        answer = self.answers.pop(0) if self.answers else self.scripts.get(path, 200)
        if isinstance(answer, int):
            await exchange.answer(answer)
        else:
            await answer(exchange)
