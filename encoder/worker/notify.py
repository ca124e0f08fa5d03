"""Work of kind `notify`: tells a receiver of one event, at least once, always under the same id (G16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from encoder import errors, tracing
from encoder.log import bind, get_logger
from encoder.metrics import transfer
from encoder.model.secrets import is_veiled
from encoder.model.state import TaskState
from encoder.queue import settle, tally
from encoder.queue.backoff import Uniform
from encoder.store.protocol import Store
from encoder.store.rows import Claim, DeliveryRow, DeliveryTry, Outcome, Settled, Settlement
from encoder.vault import Vault
from encoder.webhooks.schedule import Sent
from encoder.webhooks.send import Later, Sender
from encoder.worker.held import Held
from encoder.worker.ledger import Ledger

log = get_logger(__name__)

LEAST_PAUSE_S = 1.0

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
        """Tell it; None when the claim is closed already, together with its delivery.

        A host that is busy with others leaves the slot to other receivers: its telling is put off.
        """
        ledger = Ledger(self._store, held, uniform=self._uniform)
        row = await ledger.delivery()
        if row is None:
            return settle.cancelled()
        bind(job_uuid=str(row.job_uuid))
        sent = await self._told(row, held.claim)
        if isinstance(sent, Later):
            return settle.left_to_others(after_s=self._uniform(0.5, 1.0) * max(LEAST_PAUSE_S, sent.after_s))
        await ledger.settle_delivery(sent.result, closing(sent))
        tally.count(held.claim, closing(sent), Settled(task_state=closing(sent).state))
        transfer.webhook_attempts.of(sent.result.state).inc()
        if sent.result.state == "exhausted":
            transfer.webhook_exhausted.of().inc()
        log.info("webhook.tried", delivery=row.id, state=sent.result.state, status=sent.result.status)
        return None

    async def _told(self, row: DeliveryRow, claim: Claim) -> Sent | Later:
        """As a trace of its own. The receiver is a stranger: none of its headers goes along."""
        facts = {"encoder.delivery": row.id, "encoder.tenant": row.tenant_id, "encoder.attempt": claim.attempt}
        with tracing.attempt("notify", tracing.Kind.CLIENT, facts, after=row.traceparent):
            sent = await self._sent(row, tried=claim.attempt)
            if isinstance(sent, Sent):
                if sent.result.status is not None:
                    tracing.note({"http.response.status_code": sent.result.status})
                if sent.result.state != "delivered":
                    tracing.failed(sent.result.error or str(sent.result.status))
        return sent

    async def _sent(self, row: DeliveryRow, *, tried: int) -> Sent | Later:
        try:
            address, secrets = self._of_endpoint(row) if row.receiver else self._of_job(row)
        except errors.Permanent as failure:  # there is nobody to dial, now or later
            return Sent(result=DeliveryTry(state="exhausted", status=None, error=failure.code, answer=None))
        sent = await self._sender.send(
            tenant_id=row.tenant_id,
            url=address,
            webhook_id=row.webhook_id,
            body=row.body,
            secrets=secrets,
            tried=tried,
        )
        # many servers repeat in their answer what they were asked for: of a secret address nothing is kept
        if isinstance(sent, Later) or address == row.url:
            return sent
        return replace(sent, result=replace(sent.result, answer=None))

    def _of_job(self, row: DeliveryRow) -> tuple[str, Sequence[str]]:
        """The whole address that a job named, what is secret in it sealed with the job; and the operator's secrets.

        Raises:
            errors.Permanent: `secrets_erased` before the receiver took the event, or `secret_unreadable`.
        """
        secrets = self._sender.secrets(row.tenant_id)
        if not is_veiled(row.url):
            return row.url, secrets
        if row.sealed is None or row.job_uuid is None:
            raise errors.Permanent("secrets_erased", "The address was erased with the secrets of its job.")
        hidden = self._vault.open(row.sealed, tenant_id=row.tenant_id, job_uuid=row.job_uuid)
        return hidden.get("/notificationUrl", row.url), secrets

    def _of_endpoint(self, row: DeliveryRow) -> tuple[str, Sequence[str]]:
        """The address of an endpoint as it stands now, and its own secrets.

        Raises:
            errors.Permanent: `endpoint_removed`, `endpoint_disabled`, `secret_unreadable`.
        """
        endpoint = row.endpoint
        if endpoint is None:
            raise errors.Permanent("endpoint_removed", "The endpoint was removed before it took the event.")
        if not endpoint.enabled:
            raise errors.Permanent("endpoint_disabled", "The endpoint was disabled before it took the event.")
        opened = [
            self._vault.open(sealed, tenant_id=row.tenant_id, job_uuid=endpoint.uuid)
            for sealed in (endpoint.sealed_url, *endpoint.secrets)
        ]
        return opened[0]["url"], [each["secret"] for each in opened[1:]]


def closing(sent: Sent) -> Settlement:
    """How the task ends with its delivery."""
    outcome, state = STATE_AFTER[sent.result.state]
    return Settlement(outcome=outcome, state=state, delay=timedelta(seconds=sent.delay_seconds))
