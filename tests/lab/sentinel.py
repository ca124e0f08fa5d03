"""Looks everywhere for a word that may stand nowhere, while the platform works and afterwards."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from encoder.api.routes import operations
from encoder.api.scrape import Scrape
from tests.lab.command import encoder
from tests.lab.databases import is_mysql, rows
from tests.lab.hook import Hook
from tests.lab.platform import Platform
from tests.lab.processes import below

SSE = "text/event-stream"
WORD = "S3NT1NEL"  # in every secret that the lab plants, but for those that a server chose

_nobody: Any = None  # nothing is asked of it
_EVERY = operations(Scrape(_nobody))
# what may be read without naming anything, but for streams: they do not end
LISTS = [each.path for each in _EVERY if each.method == "GET" and "{" not in each.path and each.answers[200][0] != SSE]

_LARGEST_BYTES = 4 * 1024 * 1024  # of a file that is read; larger ones are media
_EACH_S = 0.02
_AROUND = 40  # bytes beside a find that are shown


def forms(word: str) -> set[bytes]:
    """How `word` may be written where somebody put it into something else."""
    texts = {word, quote(word), quote(word, safe=""), quote_plus(word), json.dumps(word)[1:-1]}
    plain = {text.encode() for text in texts}
    return plain | {text.hex().encode() for text in plain} | set(_in_base64(word.encode()))


def _in_base64(data: bytes) -> Iterator[bytes]:
    """What of base64 depends on `data` alone, whatever stands before and behind it."""
    for before, shared in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\0" * before + data)
        whole = text[shared : len(text) - (0, 3, 2)[(before + len(data)) % 3]]
        yield from (whole, whole.translate(bytes.maketrans(b"+/", b"-_")))


@dataclass(kw_only=True)
class Watch:
    """`seen`: where one of `words` stood. `children`: the commands of the processes that the platform started."""

    platform: Platform
    words: tuple[str, ...]
    seen: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)
    _versions: dict[Path, tuple[int, int]] = field(default_factory=dict)

    def look_at(self, where: str, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        for form in self._forms:
            at = data.find(form)
            if at >= 0:
                shown = data[max(0, at - _AROUND) : at + len(form) + _AROUND]
                self.seen.add(f"{where}: {shown!r}")

    async def look_everywhere(self, hook: Hook, *jobs: int) -> None:
        """All that there is to see of `jobs` by now. `hook`: who was told of them."""
        await self.look_at_rows()
        self.look_at_files()
        for job_id in jobs:
            await self.look_at_answers(job_id)
        for told in hook.told:
            self.look_at("the head of a webhook", told.request.head.partition(b"\r\n")[2])  # its address is theirs
            self.look_at("a webhook", told.body)

    async def look_at_rows(self) -> None:
        """Every row of every table."""
        for table, row in await rows(self.platform.dsn):
            self.look_at(f"table {table}", row)

    async def look_at_answers(self, job_id: int) -> None:
        """Everything that the API and its pages tell of a job, and of all there is beside it."""
        job = await self.platform.job(job_id)
        logs = (f"/outputs/{output['id']}/log" for output in job["outputs"])
        tails = (f"/outputs/{output['id']}/tail" for output in job["outputs"])
        for path in ("", "/events", "/timeline", *logs, *tails):
            _, answer = await self.platform.call("GET", f"/jobs/{job_id}{path}")
            self.look_at(f"/jobs/…{path}", str(answer))
        for path in ("/", f"/ui/jobs/{job_id}", *LISTS):
            status, answer = await self.platform.call("GET", path)
            assert status in {200, 503}, path  # 503: /readyz, where no worker can take the place of one that is gone
            self.look_at(path, str(answer))

    async def look_at_commands(self, job_id: int) -> None:
        """What the command line tells of a job: it asks the API alone, so that one database is enough."""
        if is_mysql(self.platform.dsn):
            return
        for words in (["job", str(job_id)], ["job", str(job_id), "--json"], ["jobs"], ["watch", str(job_id)]):
            told = await encoder(*words, url=self.platform.url)
            self.look_at(f"encoder {words[0]}", told.out + told.err)

    def look_at_files(self) -> None:
        """All that lies in the platform's folders: logs, scratch, temp, storage."""
        found = (Path(folder, name) for folder, _, names in os.walk(self.platform.folder) for name in names)
        for path in found:
            with suppress(OSError):
                state = path.stat()
                version = (state.st_mtime_ns, state.st_size)
                if path.is_file() and state.st_size <= _LARGEST_BYTES and self._versions.get(path) != version:
                    self.look_at(f"file {path.name}", path.read_bytes())
                    self._versions[path] = version

    def look_at_processes(self) -> None:
        """What others on the machine see of our processes, and what our children are given."""
        for role in self.platform.roles:
            self.look_at("argv of a role", _read(role.process.pid, "cmdline"))
        for child, command in self.programs():
            shown = command.replace(b"\0", b" ").decode()
            self.look_at(f"argv of {shown}", command)
            self.look_at(f"environ of {shown}", _read(child, "environ"))
            self.children.add(shown)

    def programs(self) -> Iterator[tuple[int, bytes]]:
        """The processes that the roles run at this moment."""
        for role in self.platform.roles:
            own = _read(role.process.pid, "cmdline")
            for child in below(role.process.pid):
                command = _read(child, "cmdline")
                if command not in {own, b""}:  # forked, and not yet its own program: it is still the role
                    yield child, command

    @cached_property
    def _forms(self) -> set[bytes]:
        return set().union(*map(forms, self.words))


def _read(process: int, what: str) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{process}/{what}").read_bytes()
    return b""


@asynccontextmanager
async def watching(platform: Platform, *words: str) -> AsyncIterator[Watch]:
    """Looks at processes and files all the time that the block takes."""
    watch = Watch(platform=platform, words=words)

    async def look() -> None:
        while True:
            watch.look_at_processes()
            watch.look_at_files()
            await asyncio.sleep(_EACH_S)

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):  # a watch that died saw nothing: that is not hidden
            await looking
        watch.look_at_files()
