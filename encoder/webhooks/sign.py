"""Signs webhooks as the Standard Webhooks specification says (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from standardwebhooks import Webhook

from encoder import errors
from encoder.model.ids import DEFAULT_TENANT, TenantId

PREFIX = "whsec_"

_FEWEST_BYTES, _MOST_BYTES = 24, 64  # the specification's
_DERIVED_BYTES = 32


def new_secret() -> str:
    """One that nobody has: 256 random bits."""
    return PREFIX + base64.b64encode(os.urandom(_DERIVED_BYTES)).decode()


def checked(secret: str) -> str:
    """`secret` itself.

    Raises:
        errors.Unfit: it is no `whsec_` and base64 of 24 to 64 bytes.
    """
    try:
        size = len(base64.b64decode(secret.removeprefix(PREFIX).encode(), validate=True))
    except (binascii.Error, UnicodeEncodeError):
        size = 0
    if not secret.startswith(PREFIX) or not _FEWEST_BYTES <= size <= _MOST_BYTES:
        raise errors.Unfit(f"a webhook secret is {PREFIX} and base64 of {_FEWEST_BYTES} to {_MOST_BYTES} random bytes")
    return secret


def tenant_secret(secret: str, tenant_id: TenantId) -> str:
    """The secret of one tenant. The first has the operator's own; with a shared one, any could forge another's."""
    if tenant_id == DEFAULT_TENANT:
        return secret
    root = base64.b64decode(secret.removeprefix(PREFIX))
    derived = HKDF(algorithm=SHA256(), length=_DERIVED_BYTES, salt=None, info=f"encoder webhook {tenant_id}".encode())
    return PREFIX + base64.b64encode(derived.derive(root)).decode()


def headers(secrets: Sequence[str], *, webhook_id: str, at: datetime, body: str) -> dict[str, str]:
    """What goes with `body`, sent at `at` (aware): signed by each of `secrets`, so that they can be exchanged."""
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(webhook_id, at, body) for secret in secrets),
    }
