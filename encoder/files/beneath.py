"""Opens files beneath a folder: no `..`, no link on the way, nothing but regular files.

The way is walked folder by folder with `O_NOFOLLOW`, so nobody can swap a part of it for a link between a check and
the use. The folder itself may be reached by links: the operator named it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def open_folder(root: Path, way: PurePosixPath, *, make: bool = False) -> int:
    """A descriptor of the folder `way` beneath `root`. `make`: create the folders that are missing.

    Raises OSError; ELOOP or ENOTDIR where a part of the way is a link or no folder.
    """
    if way.is_absolute() or ".." in way.parts:
        raise OSError(errno.ELOOP, "leads out of the folder")
    here = os.open(root, _FOLDER)
    for part in way.parts:
        with closing(here):
            if make:
                _make(part, here)
            here = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=here)
    return here


def open_file(root: Path, way: PurePosixPath) -> int:
    """A descriptor for reading the regular file `way` beneath `root`. Raises OSError; EINVAL for other things."""
    with closing(open_folder(root, way.parent)) as parent:
        # O_NONBLOCK: a named pipe would else wait for its writer
        file = os.open(way.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "is not a regular file")
    return file


def refuses(error: OSError) -> bool:
    """Whether `error` means a link, something that is no folder on the way, or no regular file at its end."""
    return error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.ENXIO}


@contextmanager
def closing(descriptor: int) -> Iterator[int]:
    """Close `descriptor` at the end of the block."""
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _make(part: str, parent: int) -> None:
    try:
        os.mkdir(part, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)
