"""As whom the server runs: it refuses root, so root starts it as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from encoder import errors

_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}  # by preference; Docker grants only the second


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user to run as. `prefix` stands before the command, `drop` goes to the call that starts the process."""

    uid: int
    gid: int
    prefix: tuple[str, ...] = ()
    dropped: bool = False

    def own(self, path: Path) -> None:
        """Make `path` the user's."""
        if self.uid != path.stat().st_uid:
            os.chown(path, self.uid, self.gid)

    @property
    def drop(self) -> dict[str, object]:
        """Arguments of `subprocess` that change the user; none where the prefix does it, or nobody has to."""
        if not self.dropped or self.prefix:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def choose(folder: Path, *, reads: Iterable[Path]) -> Identity:
    """Who runs the server of `folder` and may read `reads`: ourselves, or for root an unprivileged user.

    Raises:
        errors.StoreUnavailable: root may not hand the rights on that the user needs.
    """
    if os.geteuid() != 0:
        return Identity(uid=os.geteuid(), gid=os.getegid())
    uid, gid = _user(folder)
    closed = [path for path in (folder, *reads) if not _may_enter(path, uid, gid)]
    prefix = _keeping_a_key(uid, gid, closed[0]) if closed else ()
    return Identity(uid=uid, gid=gid, prefix=prefix, dropped=True)


def _user(folder: Path) -> tuple[int, int]:
    """The owner of what is there already; for a new folder `postgres`, else `nobody`."""
    if folder.exists() and (owner := folder.stat()).st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user.pw_uid, user.pw_gid
    raise errors.StoreUnavailable("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")


def _may_enter(path: Path, uid: int, gid: int) -> bool:
    return all(_may_search(parent, uid, gid) for parent in path.resolve().parents)


def _may_search(folder: Path, uid: int, gid: int) -> bool:
    found = folder.stat()
    bit = 0o100 if found.st_uid == uid else 0o010 if found.st_gid == gid else 0o001
    return bool(found.st_mode & bit)


def _keeping_a_key(uid: int, gid: int, closed: Path) -> tuple[str, ...]:
    """Drop to the user but keep the right to walk through closed folders: a clone in /root is the usual case.

    Nobody's folders are opened for it, as chmod would.
    """
    setpriv, capability = shutil.which("setpriv"), _permitted()
    if setpriv is None or capability is None:
        raise errors.StoreUnavailable(
            f"the embedded PostgreSQL runs as user {uid}, which may not enter {closed}: choose a data folder that "
            "every user may enter, start as another user than root, or set ENCODER_DATABASE_URL"
        )
    kept = f"+{capability}"
    return (
        setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups",
        f"--inh-caps={kept}", f"--ambient-caps={kept}",
        "--securebits=+no_setuid_fixup",  # else access(2), by which initdb finds its programs, forgets the right
        "--",
    )  # fmt: skip


def _permitted() -> str | None:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    held = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapPrm"))
    return next((name for name, bit in _CAPABILITIES.items() if held >> bit & 1), None)
