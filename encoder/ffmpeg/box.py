"""The box that every process enters before it touches media. Linux only.

Run as `python -I -S box.py WORD… -- COMMAND…`: it takes from itself whatever the command shall not have, then becomes
the command. Words are `name=value` (see `words`). Each ffmpeg waits for this file, so it imports only what costs
nothing (`typing` alone would double its 10 ms) and nothing outside the standard library.

The walls: its own death when its parent dies, no new privileges, resource limits, first in line for the
out-of-memory killer, and Landlock: reads what is named, writes into one folder, no TCP. docs/why/security.md says what
each stands against.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence

ENTRY_FAILED = 120  # our exit code when the box could not be entered; ffmpeg never uses it
SOURCE_FD = 3

LIMITS = {
    "core": resource.RLIMIT_CORE,
    "cpu": resource.RLIMIT_CPU,  # seconds
    "fsize": resource.RLIMIT_FSIZE,  # bytes, of each file
    "data": resource.RLIMIT_DATA,  # bytes of private memory
    "nofile": resource.RLIMIT_NOFILE,
    "nproc": resource.RLIMIT_NPROC,  # counts all threads of the user, not of the box alone
}

# Landlock's rights, linux/landlock.h
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1, 2, 4, 8, 16, 32
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE = 1 << 7, 1 << 8, 1 << 13, 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_DEVICE = _READ_FILE | _WRITE_FILE | 1 << 15  # and its commands
_RUN = _EXECUTE | _READ_FILE | _READ_DIR
_WORK = (
    _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | _MAKE_REG | _MAKE_DIR | _REMOVE_FILE | _REMOVE_DIR | _REFER
)  # no links, sockets, pipes or devices

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # system calls, the same on every architecture
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25

_libc = ctypes.CDLL(None, use_errno=True)


def words(
    *,
    parent: int,
    source: int | None = None,
    limits: Mapping[str, int] | None = None,
    read: Iterable[object] = (),
    write: Iterable[object] = (),
    devices: Iterable[object] = (),
    landlock: bool = True,
) -> list[str]:
    """What to say to the box. `parent`: the process whose death ends the command; `source`: a descriptor that becomes
    number 3; `read`: files and folders to read and run; `write`: folders to work in; `devices`: to
    read, write and command. Paths that are not there are left out.
    """
    said = [f"parent={parent}"]
    said += [] if source is None else [f"source={source}"]
    said += [f"{name}={value}" for name, value in (limits or {}).items()]
    if landlock:
        said += ["landlock=1", *(f"read={path}" for path in read), *(f"write={path}" for path in write)]
        said += [f"device={path}" for path in devices]
    return said


def heard(said: Sequence[str]) -> dict[str, list[str]]:
    """The words by name."""
    named: dict[str, list[str]] = {}
    for word in said:
        name, _, value = word.partition("=")
        named.setdefault(name, []).append(value)
    return named


def landlock_abi() -> int:
    """The version of Landlock that this kernel offers to us; 0: none (too old, switched off, hidden by seccomp)."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)))


def tie_to_parent(named: Mapping[str, list[str]]) -> None:
    """Die with it. A part of `harden`, for who has much to load before."""
    # a parent that died before this line sends no signal any more: look, after asking for it
    _libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != int(named["parent"][0]):
        os._exit(ENTRY_FAILED)


def harden(named: Mapping[str, list[str]]) -> None:
    """All walls but Landlock, which must wait until the program has loaded what it needs."""
    tie_to_parent(named)
    _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for name, number in LIMITS.items():
        if name in named:
            _limit(number, int(named[name][0]))
    _die_first()
    os.umask(0o077)
    if "source" in named:
        _move(int(named["source"][0]), SOURCE_FD)
    # Python ignores these two, and a program inherits what is ignored
    for number in (_SIGPIPE, _SIGXFSZ):
        _libc.signal(number, None)


def confine(named: Mapping[str, list[str]]) -> None:
    """Landlock, for good. Does nothing unless the words ask for it.

    Raises:
        OSError: it was asked for and does not stand.
    """
    if "landlock" not in named:
        return
    abi = landlock_abi()
    ruleset = _check(_libc.syscall(_CREATE_RULESET, *_sized(_handled(abi)), 0))
    rights = _file_rights(abi)
    for path in named.get("read", ()):
        _allow(ruleset, path, _RUN & rights)
    for path in named.get("write", ()):
        _allow(ruleset, path, _WORK & rights)
    for path in named.get("device", ()):
        _allow(ruleset, path, _DEVICE & rights)
    _allow(ruleset, "/dev/null", (_READ_FILE | _WRITE_FILE) & rights)
    _check(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _limit(number: int, value: int) -> None:
    hard = resource.getrlimit(number)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(number, (soft, soft))


def _die_first() -> None:
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:  # noqa: PTH123  # pathlib is slow to load
            score.write("800")
    except OSError:
        pass  # a /proc that may not be written costs us only the order of dying


def _move(descriptor: int, to: int) -> None:
    os.dup2(descriptor, to)
    if descriptor != to:
        os.close(descriptor)


def _file_rights(abi: int) -> int:
    bits = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
    return (1 << bits) - 1


def _handled(abi: int) -> bytes:
    """struct landlock_ruleset_attr: all file rights; from 4: no TCP; from 6: no signal, no abstract socket outside."""
    fields = [_file_rights(abi)]
    fields += [0b11] if abi >= 4 else []  # noqa: PLR2004  # versions of the interface
    fields += [0b11] if abi >= 6 else []  # noqa: PLR2004
    return struct.pack(f"={len(fields)}Q", *fields)


def _sized(attribute: bytes) -> tuple[bytes, ctypes.c_size_t]:
    return attribute, ctypes.c_size_t(len(attribute))


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112  # pathlib is slow to load
            rights &= _OF_FILES | _DEVICE
        _check(_libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, place), 0))
    finally:
        os.close(place)


def _check(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return answer


def main(argv: Sequence[str]) -> None:
    cut = argv.index("--")
    named, command = heard(argv[:cut]), [*argv[cut + 1 :]]
    try:
        harden(named)
        confine(named)
        os.execv(command[0], command)  # noqa: S606  # no shell: that is the point
    except (OSError, ValueError) as error:
        sys.stderr.write(f"box: {error}\n")
        sys.exit(ENTRY_FAILED)


if __name__ == "__main__":
    main(sys.argv[1:])
