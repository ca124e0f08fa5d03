"""An FTP server that can misbehave at every reply, which a real one would not do for us."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from encoder.model.job import Place
from tests.lab.wire import PUBLIC


@dataclass(kw_only=True)
class Ftpx:
    """`answers`: what is said to a verb (or a whole command) instead of what would be true; "" closes the connection.

    `before`: what happens when a verb comes, before it is answered. `changed`: what MDTM says of every file.
    `said`: every command that came, in order. `most_at_once`: the greatest number of visitors at one time.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    changed: str = "20261120170000"
    greeting: str = "220 welcome"
    overwrites: bool = True  # RNTO to what is there
    takes: int | None = None  # bytes of an upload; then it is over
    gives: int | None = None  # bytes of a download; then it is over
    last_word: str = "226 done"  # on a transfer
    tls: ssl.SSLContext | None = None
    asleep: asyncio.Event | None = None  # set when NOOP comes, which then is not answered
    said: list[str] = field(default_factory=list)
    most_at_once: int = 0
    port: int = 0
    _visitors: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, PUBLIC, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._visitors:
            task.cancel()
        await asyncio.gather(*self._visitors, return_exceptions=True)

    async def deserted(self) -> None:
        """Wait until all visitors have left."""
        if self._visitors:
            await asyncio.wait(self._visitors)

    def place(self, path: str, *, kind: str = "ftp", host: str = PUBLIC, **members: str) -> Place:
        return {"kind": kind, "host": host, "port": self.port, "path": path, **members}

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._visitors.add(task)
        self.most_at_once = max(self.most_at_once, len(self._visitors))
        visit = _Visit(self, reader, writer)
        try:
            await visit.serve()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the visitor left, or the test is over
        finally:
            self._visitors.discard(task)
            writer.close()
            visit.close()


def _nothing() -> None:
    pass


class _Visit:
    def __init__(self, server: Ftpx, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ftp = server
        self._reader = reader
        self._writer = writer
        self._data: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self._door: asyncio.Server | None = None
        self._offset = 0
        self._renamed = ""

    def close(self) -> None:
        if self._door is not None:
            self._door.close()
        while not self._data.empty():
            self._data.get_nowait()[1].transport.abort()

    async def serve(self) -> None:
        await self._say(self._ftp.greeting)
        while line := await self._reader.readline():
            command = line.decode().rstrip("\r\n")
            verb, _, rest = command.partition(" ")
            self._ftp.said.append(command)
            self._ftp.before.get(verb, _nothing)()
            answer = self._ftp.answers.get(command, self._ftp.answers.get(verb))
            if answer == "":
                return
            if verb == "NOOP" and self._ftp.asleep is not None:
                self._ftp.asleep.set()
                continue
            if answer is not None:
                await self._say(answer)
                continue
            await self._do(verb, rest)

    async def _do(self, verb: str, rest: str) -> None:
        acts: dict[str, Callable[[str], object]] = {
            "EPSV": self._epsv, "PASV": self._pasv, "RETR": self._retr, "STOR": self._stor, "AUTH": self._auth,
        }  # fmt: skip
        if verb in acts:
            await acts[verb](rest)  # type: ignore[misc]  # all of them are coroutines
        else:
            await self._say(self._word(verb, rest))

    def _word(self, verb: str, rest: str) -> str:
        files = self._ftp.files
        there = rest in files
        if verb == "RNTO":
            if there and not self._ftp.overwrites:
                return "553 it is there"
            files[rest] = files.pop(self._renamed)
            return "250 renamed"
        if verb == "DELE":
            return "250 gone" if files.pop(rest, None) is not None else "550 no such file"
        if verb == "RNFR":
            self._renamed = rest
        if verb == "REST":
            self._offset = int(rest)
        return {
            "USER": "331 and the password?",
            "PASS": "230 come in",
            "SIZE": f"213 {len(files[rest])}" if there else "550 no such file",
            "MDTM": f"213 {self._ftp.changed}" if there else "550 no such file",
            "REST": "350 from there",
            "RNFR": "350 to what?" if there else "550 no such file",
            "MKD": "257 made",
            "QUIT": "221 bye",
        }.get(verb, "200 yes")

    async def _open(self) -> int:
        self.close()
        self._door = await asyncio.start_server(lambda r, w: self._data.put_nowait((r, w)), PUBLIC)
        port: int = self._door.sockets[0].getsockname()[1]
        return port

    async def _epsv(self, _rest: str) -> None:
        await self._say(f"229 there (|||{await self._open()}|)")

    async def _pasv(self, _rest: str) -> None:
        port = await self._open()
        await self._say(f"227 there (127,66,0,1,{port // 256},{port % 256})")

    async def _retr(self, path: str) -> None:
        if path not in self._ftp.files:
            await self._say("550 no such file")
            return
        await self._say("150 here it comes")
        _, writer = await self._data.get()
        data = self._ftp.files[path][self._offset :]
        self._offset = 0
        writer.write(data if self._ftp.gives is None else data[: self._ftp.gives])
        await writer.drain()
        writer.close()
        await self._say(self._ftp.last_word)

    async def _stor(self, path: str) -> None:
        self._ftp.files[path] = b""
        await self._say("150 give it to me")
        reader, writer = await self._data.get()
        while piece := await reader.read(65536):
            self._ftp.files[path] += piece
            if self._ftp.takes is not None and len(self._ftp.files[path]) >= self._ftp.takes:
                break
        writer.transport.abort()
        await self._say(self._ftp.last_word)

    async def _auth(self, _rest: str) -> None:
        await self._say("234 go ahead")
        assert self._ftp.tls is not None
        await self._writer.start_tls(self._ftp.tls)

    async def _say(self, text: str) -> None:
        if text == "":
            raise ConnectionError("as told")
        self._writer.write(f"{text}\r\n".encode("latin-1"))
        await self._writer.drain()
