from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from encoder.files.roots import Roots
from encoder.plugins import Surroundings
from encoder.sources.protocol import Source
from encoder.sources.registry import Sources
from encoder.suites.source import SourceBench, SourceSuite
from tests.lab.origin import Served
from tests.lab.wire import Server, lab_web


class _Http:
    name = "in file.mov"

    def __init__(self, server: Server) -> None:
        self._server = server

    async def source(self, data: bytes) -> Source:
        self._server.scripts["/a/in%20file.mov"] = Served(data=data)
        return Sources(Surroundings(web=lab_web())).make({"kind": "http", "url": self._server.url("/a/in file.mov")})

    async def change(self, data: bytes) -> None:
        self._server.scripts["/a/in%20file.mov"] = Served(data=data, etag='"v2"')

    async def remove(self) -> None:
        self._server.scripts.clear()


class TestHttp(SourceSuite):
    @pytest.fixture
    async def bench(self) -> AsyncIterator[SourceBench]:
        async with Server() as server:
            yield _Http(server)


class _File:
    name = "in.mov"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / "deep" / "in.mov"
        self._path.parent.mkdir(parents=True)

    async def source(self, data: bytes) -> Source:
        self._path.write_bytes(data)
        surroundings = Surroundings(roots=Roots(paths=[self._root]))
        return Sources(surroundings).make({"kind": "file", "path": str(self._path)})

    async def change(self, data: bytes) -> None:
        self._path.write_bytes(data)

    async def remove(self) -> None:
        self._path.unlink()


class TestFile(SourceSuite):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> SourceBench:
        return _File(tmp_path / "root")


class _Inline:
    name = "in.mov"

    async def source(self, data: bytes) -> Source:
        text = base64.b64encode(data).decode()
        return Sources(Surroundings()).make({"kind": "inline", "data": text, "fileName": "in.mov"})

    async def change(self, data: bytes) -> None:
        pytest.skip("an inline source never changes")

    async def remove(self) -> None:
        pytest.skip("an inline source is always there")


class TestInline(SourceSuite):
    @pytest.fixture
    def bench(self) -> SourceBench:
        return _Inline()
