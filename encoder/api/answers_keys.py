"""What the API tells of its keys. Every member is always there; `null`: there is none."""

from __future__ import annotations

from datetime import datetime

from encoder.model.base import Record
from encoder.model.ids import KeyId, TenantId


class KeyAnswer(Record):
    """`prefix`: its first characters. `key`: all of it, shown when it is made and never again. `live`: it opens."""

    id: KeyId
    tenant: TenantId
    name: str
    prefix: str
    scopes: tuple[str, ...]
    live: bool
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    key: str | None


class KeysAnswer(Record):
    keys: tuple[KeyAnswer, ...]
