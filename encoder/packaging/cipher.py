"""AES-128 as HLS has it (RFC 8216, 4.3.2.4): each segment whole, one key for the package, a vector for each segment.

`init.mp4` stays readable: its EXT-X-MAP stands before the first EXT-X-KEY. I-frames cannot be fetched by their bytes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from encoder.model.base import replace
from encoder.packaging.boxes import broken
from encoder.packaging.track import Written

METHOD = "AES-128"
_BLOCK_BYTES = 16
_BLOCK_BITS = 8 * _BLOCK_BYTES
_READ_BYTES = 1 << 20


class Lock(NamedTuple):
    """What opens one segment."""

    key: bytes
    vector: bytes


def new_key() -> bytes:
    return secrets.token_bytes(_BLOCK_BYTES)


def locked(folder: Path, track: Written, key: bytes) -> Written:
    """The track with its segments encrypted where they lie. `folder`: of the track."""
    segments = []
    for segment in track.segments:
        lock, path = Lock(key, secrets.token_bytes(_BLOCK_BYTES)), folder / segment.name
        path.write_bytes(_encrypted(path.read_bytes(), lock))
        size = path.stat().st_size
        segments.append(replace(segment, vector=lock.vector.hex(), size_bytes=size, i_frames=()))
    return replace(track, segments=tuple(segments))


def unlocked(file: BinaryIO, lock: Lock) -> BinaryIO:
    """What is in an encrypted file, as a file in memory.

    Raises:
        errors.Permanent: `output_invalid`, the key does not open it.
    """
    decryptor = Cipher(AES128(lock.key), CBC(lock.vector)).decryptor()
    unpadder = PKCS7(_BLOCK_BITS).unpadder()
    clear = os.fdopen(os.memfd_create("segment"), "w+b")
    try:
        for part in _parts(file, decryptor):
            clear.write(unpadder.update(part))
        clear.write(unpadder.finalize())
        clear.flush()
    except ValueError as error:
        clear.close()
        raise broken("its key does not open it") from error
    clear.seek(0)
    return clear


def _parts(file: BinaryIO, decryptor: CipherContext) -> Iterator[bytes]:
    while part := file.read(_READ_BYTES):
        yield decryptor.update(part)
    yield decryptor.finalize()


def _encrypted(data: bytes, lock: Lock) -> bytes:
    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(AES128(lock.key), CBC(lock.vector)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
