"""A file that is written beside its name, so that nothing half-written ever stands there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def create(part: str, folder: int) -> BinaryIO:
    """The new file `part`, unbuffered; one of that name that lies there is removed. Raises OSError."""
    with suppress(FileNotFoundError):  # an earlier try of the same attempt
        os.unlink(part, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(part, flags, 0o666, dir_fd=folder), "wb", buffering=0)


@contextmanager
def removed_if_it_stays(part: str, folder: int) -> Iterator[None]:
    """Whatever ends the block, `part` is gone: renamed, or removed."""
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)


def is_full(error: OSError) -> bool:
    """Whether `error` means that the disk, or the share of it that we may have, is used up."""
    return error.errno in _FULL
