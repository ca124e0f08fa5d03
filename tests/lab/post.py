"""The part of a worker that tells receivers, at the test's own pace: each round is one try of all that is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from encoder.model.ids import DEFAULT_TENANT
from encoder.net.http import Web
from encoder.store.protocol import Store
from encoder.store.rows import Claim
from encoder.vault import Vault
from encoder.webhooks.schedule import Sent
from encoder.webhooks.send import Sender
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger
from encoder.worker.notify import Notify
from tests.lab import work
from tests.lab.databases import run
from tests.lab.platform import WEBHOOK_SECRET
from tests.lab.wire import lab_web

_DUE = "UPDATE tasks SET run_at = created_at WHERE state = 'scheduled' AND kind = 'notify'"


@dataclass(kw_only=True)
class Post:
    """`vault`: that which sealed the addresses."""

    store: Store
    vault: Vault
    web: Web = field(default_factory=lab_web)
    sender: Sender = field(init=False)
    notify: Notify = field(init=False)

    def __post_init__(self) -> None:
        self.sender = Sender(self.web, secrets=[WEBHOOK_SECRET], uniform=_middle)
        self.notify = Notify(self.store, self.vault, self.sender, uniform=_middle)

    async def tell_all(self, *, most: int = 50) -> int:
        """One try of what is due; of how many."""
        claims = await work.claim(self.store, queue="io", limit=most)
        for claim in claims:
            await self.tell(claim)
        return len(claims)

    async def tell(self, claim: Claim) -> None:
        """As a worker does with one claim."""
        held = Held(claim, sent_at=monotonic())
        settlement = await self.notify.work(held)
        if settlement is not None:
            await Ledger(self.store, held, uniform=_middle).settle(settlement)

    async def send(self, url: str) -> Sent | None:
        """One webhook that nobody asked for."""
        sent = await self.sender.send(
            tenant_id=DEFAULT_TENANT, url=url, webhook_id="evt_0", body="{}", secrets=[WEBHOOK_SECRET], tried=1
        )
        return sent if isinstance(sent, Sent) else None

    async def hurry(self, dsn: str) -> None:
        """What waits for its next try is due."""
        await run(dsn, _DUE)
        await self.store.due()


async def send(url: str, *, webhook_id: str, body: str, secret: str) -> Sent:
    """One webhook, once, signed by `secret`."""
    sender = Sender(lab_web(), secrets=[])
    sent = await sender.send(
        tenant_id=DEFAULT_TENANT, url=url, webhook_id=webhook_id, body=body, secrets=[secret], tried=1
    )
    assert isinstance(sent, Sent)
    return sent


def _middle(low: float, high: float) -> float:
    return (low + high) / 2
