"""One Chromium for all tests of this folder, and the packages of npm that they need: players, axe-core."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from encoder.store.engines import open_store
from encoder.store.protocol import Store
from tests.lab import audit, postgres
from tests.lab.browser import chromium
from tests.lab.showcase import Showcase, showcase

HERE = Path(__file__).parent


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shown(cluster: postgres.Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Showcase]:
    """Jobs of every state, for all who only look at them."""
    async with cluster.ready() as address, showcase(address, tmp_path_factory.mktemp("showcase")) as seeded:
        yield seeded


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that name, with what the lock beside this file pins."""
    if shutil.which("npm") is None:
        _cannot("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    run = subprocess.run(["npm", "ci", "--silent"], cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        _cannot(f"npm could not install what its lock names: {run.stderr[-300:]}")
    return folder / "node_modules"


@pytest.fixture(scope="session")
def axe_core(node_modules: Path) -> Path:
    return node_modules / "axe-core" / "axe.min.js"


def _cannot(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest_asyncio.fixture(loop_scope="session")
async def dsn(cluster: postgres.Cluster) -> AsyncIterator[str]:
    """As everywhere, on the loop that the browser lives on."""
    async with cluster.ready() as address:
        yield address
        await audit.rows(address)


@pytest_asyncio.fixture(loop_scope="session")
async def store(dsn: str) -> AsyncIterator[Store]:
    """As `dsn`."""
    opened = await open_store(dsn)
    yield opened
    await opened.close()
