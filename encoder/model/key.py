"""Keys of the API, as text: how one is made, whether a text can be one, and what is kept of it."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from enum import StrEnum

_BEGINS = "enc_live_"  # so that scanners of source code know one
_ALPHABET = string.digits + string.ascii_letters
_RANDOM = 43  # characters of 62: 256 bits
_CHECK = 6  # in which 32 bits go
_SHOWN = len(_BEGINS) + 4
_FORM = re.compile(rf"{_BEGINS}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}")


class Scope(StrEnum):
    """What a key may do. None holds another: a key may do what its scopes name and nothing else."""

    READ = "read"  # see what belongs to its tenant
    WRITE = "write"  # make and change that
    ADMIN = "admin"  # see and steer what all tenants share: queues, workers, metrics; make keys, of scopes that it has


def new_key() -> str:
    """A key that nobody has: random characters, and a checksum over all before it."""
    text = _BEGINS + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return text + _checksum(text)


def is_key(text: str) -> bool:
    """Whether it has a key's form and checksum. No typing error passes, so none is worth a look into the database."""
    return _FORM.fullmatch(text) is not None and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def digest(key: str) -> bytes:
    """SHA-256: by it a key is found. One of 256 random bits cannot be guessed from it, so it needs no salt."""
    return hashlib.sha256(key.encode()).digest()


def shown(key: str) -> str:
    """Its first characters, by which its owner tells it from others."""
    return key[:_SHOWN]


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
