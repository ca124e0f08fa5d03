"""Keeps a job's secrets: AES-256-GCM under a data key per job, which any of the operator's keys can open.

A sealed blob: version (1 byte), the data key as the first of the operator's keys wrapped it (nonce 12, key 32,
tag 16), the secrets as JSON under the data key (nonce 12, text, tag 16). Tenant and job are authenticated with both
parts, so that a blob moved to another row does not open. Rotation wraps the data key anew; the secrets stay as they
are.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encoder import errors
from encoder.model.ids import TenantId

_VERSION = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_WRAPPED_BYTES = _NONCE_BYTES + _KEY_BYTES + 16


def new_key() -> str:
    """A key for `ENCODER_SECRET_KEYS`: 256 random bits as base64url."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


class Vault:
    """`keys`: the operator's, newest first. The first seals, all open.

    Raises errors.Unfit for no key, or one that `new_key` could not have made.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise errors.Unfit("there is no secret key")
        self._keys = [AESGCM(_read_key(text)) for text in keys]

    def seal(self, secrets: Mapping[str, str], *, tenant_id: TenantId, job_uuid: UUID) -> bytes | None:
        """The blob for the job's row; None when there is nothing to hide."""
        if not secrets:
            return None
        about = _about(tenant_id, job_uuid)
        data_key = AESGCM.generate_key(bit_length=8 * _KEY_BYTES)
        sealed = _encrypt(AESGCM(data_key), msgspec.json.encode(dict(secrets)), about + b"secrets")
        return _VERSION + _encrypt(self._keys[0], data_key, about + b"key") + sealed

    def open(self, blob: bytes, *, tenant_id: TenantId, job_uuid: UUID) -> dict[str, str]:
        """The secrets in `blob`.

        Raises:
            errors.Permanent: `secret_unreadable`; no key fits, or the blob was changed or belongs to another job.
        """
        about = _about(tenant_id, job_uuid)
        data_key, sealed = self._unwrapped(blob, about)
        plain = _decrypt(AESGCM(data_key), sealed, about + b"secrets")
        if plain is None:
            raise _unreadable()
        return msgspec.json.decode(plain, type=dict[str, str])

    def rewrap(self, blob: bytes, *, tenant_id: TenantId, job_uuid: UUID) -> bytes | None:
        """The same secrets, opened by the first key alone; None where they are so already. Raises as `open`."""
        about = _about(tenant_id, job_uuid)
        if _decrypt(self._keys[0], blob[1 : 1 + _WRAPPED_BYTES], about + b"key") is not None:
            return None
        data_key, sealed = self._unwrapped(blob, about)
        return _VERSION + _encrypt(self._keys[0], data_key, about + b"key") + sealed

    def _unwrapped(self, blob: bytes, about: bytes) -> tuple[bytes, bytes]:
        """The data key, and what it seals."""
        wrapped, sealed = blob[1 : 1 + _WRAPPED_BYTES], blob[1 + _WRAPPED_BYTES :]
        if blob[:1] != _VERSION:
            raise _unreadable()
        for key in self._keys:
            data_key = _decrypt(key, wrapped, about + b"key")
            if data_key is not None:
                return data_key, sealed
        raise _unreadable()


def _about(tenant_id: TenantId, job_uuid: UUID) -> bytes:
    return f"encoder:{tenant_id}:{job_uuid}:".encode()


def _encrypt(key: AESGCM, plain: bytes, about: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, about)


def _decrypt(key: AESGCM, sealed: bytes, about: bytes) -> bytes | None:
    try:
        return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        return None


def _read_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise errors.Unfit(f"a secret key is {_KEY_BYTES} random bytes as base64url")
    return key


def _unreadable() -> errors.Permanent:
    return errors.Permanent("secret_unreadable", "No key opens the job's secrets.")
