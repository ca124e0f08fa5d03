"""Work of kind `notify`: tells a receiver of one event, at least once, always under the same id (G16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from encoder import errors
from encoder.log import get_logger
from encoder.model.secrets import is_veiled
from encoder.model.state import TaskState
from encoder.queue import settle
from encoder.queue.backoff import Uniform
from encoder.store.protocol import Store
from encoder.store.rows import DeliveryRow, DeliveryTry, Outcome, Settlement
from encoder.vault import Vault
from encoder.webhooks.schedule import Sent
from encoder.webhooks.send import Sender
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger

log = get_logger(__name__)

STATE_AFTER = {
    "delivered": (Outcome.DONE, TaskState.DONE),
    "pending": (Outcome.RETRIED, TaskState.SCHEDULED),
    "exhausted": (Outcome.FAILED, TaskState.FAILED),
    "gone": (Outcome.FAILED, TaskState.FAILED),
}


class Notify:
    """The handler of `notify` tasks."""

    def __init__(self, store: Store, vault: Vault, sender: Sender, *, uniform: Uniform) -> None:
        self._store = store
        self._uniform = uniform
        self._vault = vault
        self._sender = sender

    async def work(self, held: Held) -> Settlement | None:
        """Tell it; None when the claim is closed already, together with its delivery."""
        ledger = Ledger(self._store, held, uniform=self._uniform)
        row = await ledger.delivery()
        if row is None:
            return settle.cancelled()
        sent = await self._sent(row, tried=held.claim.attempt)
        await ledger.settle_delivery(sent.result, closing(sent))
        log.info("webhook.tried", delivery=row.id, state=sent.result.state, status=sent.result.status)
        return None

    async def _sent(self, row: DeliveryRow, *, tried: int) -> Sent:
        try:
            address = self._address(row)
        except errors.Permanent as failure:  # there is nobody to dial, now or later
            return Sent(result=DeliveryTry(state="exhausted", status=None, error=failure.code, answer=None))
        sent = await self._sender.send(
            url=address, webhook_id=row.webhook_id, body=row.body, tenant_id=row.tenant_id, tried=tried
        )
        # many servers repeat in their answer what they were asked for: of a secret address nothing is kept
        return sent if address == row.url else replace(sent, result=replace(sent.result, answer=None))

    def _address(self, row: DeliveryRow) -> str:
        """The whole address: what is secret in it was sealed with the job.

        Raises:
            errors.Permanent: `secrets_erased` before the receiver took the event, or `secret_unreadable`.
        """
        if not is_veiled(row.url):
            return row.url
        if row.sealed is None:
            raise errors.Permanent("secrets_erased", "The address was erased with the secrets of its job.")
        secrets = self._vault.open(row.sealed, tenant_id=row.tenant_id, job_uuid=row.job_uuid)
        return secrets.get("/notificationUrl", row.url)


def closing(sent: Sent) -> Settlement:
    """How the task ends with its delivery."""
    outcome, state = STATE_AFTER[sent.result.state]
    return Settlement(outcome=outcome, state=state, delay=timedelta(seconds=sent.delay_seconds))
