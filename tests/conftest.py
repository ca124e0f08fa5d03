"""What tests of several kinds share: one PostgreSQL per session and process, one database per test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from encoder.store.engines import open_store
from encoder.store.protocol import Store
from tests.lab import audit, databases, mariadb, postgres, rgw, witness
from tests.lab.ftpd import Ftpd, ftpd
from tests.lab.sshd import Sshd, sshd

# where it is set, each of the hundreds of processes that tests start would compile all of ours anew: 0.2 s of CPU
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# no example of a property has a time to be done in: machines are busy
settings.register_profile("ours", parent=settings(), deadline=None)
settings.load_profile("ours")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Cluster]:
    with postgres.cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mariadb.Server]:
    absence = mariadb.absence()
    if absence is not None:
        pytest.skip(absence)
    with mariadb.server(tmp_path_factory.mktemp("maria") / "server", watch=witness.install) as running:
        yield running


@pytest.fixture(scope="session")
def ftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ftpd]:
    """Tests that ask for it are marked `xdist_group("ftp")`: one server is enough for a run."""
    with ftpd(tmp_path_factory.mktemp("ftpd") / "server") as running:
        yield running


@pytest.fixture(scope="session")
def sftp_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """As `ftp_server`."""
    with sshd(tmp_path_factory.mktemp("sshd") / "server") as running:
        yield running


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rgw.Gateway]:
    """As `ftp_server`, with `xdist_group("s3")`."""
    with rgw.gateway(tmp_path_factory.mktemp("rgw") / "server") as running:
        yield running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked `both_databases` runs on each, for what it proves must hold on each."""
    if "dsn" in metafunc.fixturenames and metafunc.definition.get_closest_marker("both_databases"):
        metafunc.parametrize("dsn", databases.BOTH, indirect=True)


@pytest.fixture
async def dsn(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A database of this test alone, with our schema. Whatever the test does in it, its rows agree in the end.

    PostgreSQL, or, where the test is marked so, one of each.
    """
    async with databases.of(request, getattr(request, "param", databases.BOTH[0])).ready() as address:
        yield address
        if request.node.get_closest_marker("impossible_rows") is None:
            await audit.rows(address)


@pytest.fixture
async def store(dsn: str) -> AsyncIterator[Store]:
    opened = await open_store(dsn)
    yield opened
    await opened.close()
