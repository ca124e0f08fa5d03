"""What must hold of a platform when all is quiet, and what at every moment (V1–V12 of docs/why/reliability.md)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.lab.databases import ask, asking, connections
from tests.lab.hook import Hook
from tests.lab.invariants import ALWAYS, QUIET, found, violations
from tests.lab.platform import SECRET_KEY, WEBHOOK_SECRET, Platform
from tests.lab.processes import children, working_in
from tests.lab.rgw import Bucket
from tests.lab.witness import heard, testimony

QUIET_S = 20.0
NOTICED_S = 5.0
MOST_CONNECTIONS = 12  # of a role: its pool, its heart, its ear
_LARGEST_LOG_BYTES = 4 * 1024 * 1024


async def audit(
    platform: Platform,
    *,
    delivered: Path | None = None,
    hook: Hook | None = None,
    bucket: Bucket | None = None,
    patience_s: float = QUIET_S,
) -> None:
    """Raise AssertionError, naming each invariant that is broken, once all is quiet.

    `delivered`: whether bytes are looked at. `hook`: who was told of every job. `bucket`: where outputs went.
    `patience_s`: how long what is broken may still come right by itself.
    """
    await _quiet(platform, patience_s)
    broken = await violations(platform.dsn, ALWAYS, QUIET)
    broken += await testimony(platform.dsn)
    broken += [*_processes(platform), *_files(platform), *_secrets(platform)]
    broken += await _connections(platform, min(patience_s, NOTICED_S))
    if delivered is not None:
        broken += await _deliveries(platform)
    if hook is not None:
        broken += await _told(platform, hook)
    if bucket is not None:
        broken += [f"V6 an upload is open: {key}" for key in bucket.open_uploads()]
    assert not broken, "\n".join(broken)


async def _quiet(platform: Platform, patience_s: float) -> None:
    """Wait until nothing is to be done any more, while somebody is there who does it: a lease may have to run out."""
    until = time.monotonic() + patience_s
    while any(role.process.returncode is None for role in platform.roles) and time.monotonic() < until:
        if not (await violations(platform.dsn, QUIET) or [*_processes(platform), *_files(platform)]):
            return
        await asyncio.sleep(0.1)


async def rows(dsn: str) -> None:
    """As `audit`, of what must hold of the rows whatever happens meanwhile."""
    async with asking(dsn) as answers:
        broken = [*await found(answers, ALWAYS), *await heard(dsn, answers)]
    assert not broken, "\n".join(broken)


def _processes(platform: Platform) -> Iterator[str]:
    for command in working_in(platform.scratch):
        yield f"V8 still alive: {command[:200]}"
    for role in platform.roles:
        for name, state in children(role.process.pid):
            if state == "Z" and role.process.returncode is None:
                yield f"V8 a zombie of {role.log.stem}: {name}"


def _files(platform: Platform) -> Iterator[str]:
    for path in platform.folder.rglob("*.part*"):
        if "evidence" not in path.parts:  # goes with the job
            yield f"V6 half-written: {path}"
    for path in platform.scratch.glob("*/*"):
        if path.name != "lock":
            yield f"V9 left in scratch: {path}"
    temporary = platform.environment().get("TMPDIR", "")
    if temporary.startswith(str(platform.folder)):
        for path in Path(temporary).iterdir():
            yield f"V9 left in temp: {path}"
    for role in platform.roles:
        with suppress(OSError):
            if "/dev/shm/" in Path(f"/proc/{role.process.pid}/maps").read_text():
                yield f"V9 {role.log.stem} keeps shared memory"


def _secrets(platform: Platform) -> Iterator[str]:
    """V10: the platform's own keys, which every test plants. Those of callers: `tests/lab/sentinel.py`."""
    for role in platform.roles:
        with suppress(FileNotFoundError):
            said = role.log.read_bytes()[-_LARGEST_LOG_BYTES:].decode(errors="replace")
            if SECRET_KEY in said or WEBHOOK_SECRET in said:
                yield f"V10 {role.log.stem} tells a key of the platform"


async def _connections(platform: Platform, patience_s: float) -> list[str]:
    """V11, as a bound; that nothing leaks is seen over many jobs, in the soak. Servers notice deaths a little later."""
    alive = sum(role.process.returncode is None for role in platform.roles)
    until = time.monotonic() + patience_s
    while (there := await connections(platform.dsn)) > alive * MOST_CONNECTIONS:
        if time.monotonic() >= until:
            return [f"V11 {there} connections of {alive} roles"]
        await asyncio.sleep(0.1)
    return []


async def _told(platform: Platform, hook: Hook) -> list[str]:
    """V7: what is delivered was received, and what was received is signed."""
    forged = [f"V7 received, but not signed: {told.id}" for told in hook.told if not told.genuine]
    heard = {told.id for told in hook.told}
    delivered = await ask(platform.dsn, "SELECT webhook_id FROM webhook_deliveries WHERE state = 'delivered'")
    return forged + [f"V7 delivered, but never received: {id_}" for (id_,) in delivered if id_ not in heard]


async def _deliveries(platform: Platform) -> list[str]:
    """V5: each uploaded output stands whole at its `file:` or storage name, and nothing stands beside it."""
    uploaded = await ask(platform.dsn, _UPLOADED)
    wrong: list[str] = []
    expected: dict[Path, int] = {}
    for job_id, position, text in uploaded:
        stands = json.loads(text)
        kind, _, name = stands["uri"].partition(":")
        path = platform.storage / name if kind == "storage" else Path(name.removeprefix("//"))
        if kind in {"storage", "file"} and _digest(path) != stands["sha256"]:
            wrong.append(f"V5 job {job_id} output {position}: other bytes at {path}")
        if kind == "storage":
            expected[path.parent] = expected.get(path.parent, 0) + 1
    for folder, count in expected.items():
        if len([each for each in folder.iterdir() if each.name != "evidence"]) > count:
            wrong.append(f"V5 more than its outputs in {folder}")
    return wrong


_UPLOADED = """
    SELECT o.job_id, o.position, o.delivered
    FROM job_outputs o JOIN jobs j ON j.id = o.job_id WHERE o.state = 'uploaded' AND j.deleted_at IS NULL"""


def _digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's list of files as `sha256sum` writes it; empty where nothing is."""
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    listed = "".join(f"{_digest(file)}  {name}\n" for name, file in sorted(files.items()))
    return hashlib.sha256(listed.encode()).hexdigest()
