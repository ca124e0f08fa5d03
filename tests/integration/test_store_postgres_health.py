"""What a doctor sees of a PostgreSQL: how it is set up, whether it can be written, and what stands before it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from encoder import errors
from encoder.embedded.postgres import Postgres
from encoder.store.engines import server
from encoder.store.postgres import check, health, migrate, open_store
from encoder.store.postgres.ear import Ear
from encoder.store.postgres.pool import SESSION, connect, translated
from tests.contracts.store_workers import listening
from tests.lab import databases, work
from tests.lab.pooler import pooler
from tests.lab.postgres import Cluster, database

NO_FSYNC = "fsync is off: a crash of the machine may destroy the database"
PAGE = Path(__file__).parents[2] / "docs" / "operate" / "databases.md"


def name_of(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


@asynccontextmanager
async def role(cluster: Cluster, dsn: str) -> AsyncIterator[tuple[str, str]]:
    """Somebody who is no superuser: their name, and the database's address for them."""
    name, parts = f"test_{uuid4().hex}", urlsplit(dsn)
    await cluster.administer(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    try:
        yield name, parts._replace(netloc=f"{name}:secret@{parts.hostname}:{parts.port}").geturl()
    finally:
        await cluster.administer(f"DROP ROLE {name}")


async def told(dsn: str, *, listen_dsn: str | None = None) -> dict[str, str]:
    """What is wrong → what to do; but for the lab's own server, which nobody else's should be like."""
    found = await server(dsn, listen_dsn=listen_dsn)
    assert all(fault.to_do[0].isupper() for fault in found.faults)
    faults = {fault.told: fault.to_do for fault in found.faults}
    return {seen: to_do for seen, to_do in faults.items() if seen != NO_FSYNC}


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is waited for no longer than it takes to be silence."""
    monkeypatch.setattr(health, "FIRST_TEST_S", 0.2)


async def test_a_server_that_does_not_write_to_its_disk_is_told_and_one_as_it_is_installed_is_well(
    cluster: Cluster, dsn: str
) -> None:
    assert [fault.told for fault in (await server(dsn)).faults] == [NO_FSYNC]
    async with cluster.having(fsync="on"):
        found = await server(dsn)
    assert found.faults == []
    assert re.fullmatch(r"PostgreSQL \d+\.\d+", found.name)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("full_page_writes", "full_page_writes is off: pages that a crash tore stay torn"),
        ("synchronous_commit", "synchronous_commit is off: a crash of the server forgets jobs that were accepted"),
        ("autovacuum", "autovacuum is off: dead rows pile up, and each claim walks over them"),
    ],
)
async def test_a_setting_that_costs_accepted_jobs_or_speed_is_told(
    cluster: Cluster, dsn: str, name: str, seen: str
) -> None:
    async with cluster.having(**{name: "off"}):
        faults = await told(dsn)
    assert list(faults) == [seen]
    assert faults[seen].startswith(f"Set {name} to on")


async def test_a_setting_that_one_database_alone_has_is_told(cluster: Cluster, dsn: str) -> None:
    await cluster.administer(f"ALTER DATABASE {name_of(dsn)} SET synchronous_commit = off")
    assert [seen.split(":")[0] for seen in await told(dsn)] == ["synchronous_commit is off"]


@pytest.mark.parametrize(("standbys", "faults"), [("", 0), ("first", 1)])
def test_a_commit_that_does_not_wait_for_the_standby_is_told_where_it_should(standbys: str, faults: int) -> None:
    values = dict.fromkeys(("fsync", "full_page_writes", "autovacuum"), "on")
    values |= {"synchronous_commit": "local", "synchronous_standby_names": standbys}
    assert len(list(health.set_up(values))) == faults


async def test_a_database_that_is_read_only_is_told(cluster: Cluster, dsn: str) -> None:
    await cluster.administer(f"ALTER DATABASE {name_of(dsn)} SET default_transaction_read_only = on")
    assert list(await told(dsn)) == ["default_transaction_read_only is on: nothing can be written"]


async def test_a_standby_is_told_with_the_way_to_the_primary(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "postgres", port=0)
    await postgres.start()
    await postgres.stop()
    (tmp_path / "postgres" / "data" / "standby.signal").touch()
    async with postgres.running() as dsn:
        faults = await told(dsn)
    assert list(faults) == ["the server is a standby: nothing can be written"]
    assert "primary" in faults["the server is a standby: nothing can be written"]


@pytest.mark.parametrize("limited", ["ROLE {role}", "DATABASE {database}"])
async def test_a_server_that_has_few_connections_left_is_told(cluster: Cluster, dsn: str, limited: str) -> None:
    async with role(cluster, dsn) as (name, own):
        assert await told(own) == {}
        thing = limited.format(role=name, database=name_of(dsn))
        await cluster.administer(f"ALTER {thing} CONNECTION LIMIT 15")
        (seen,) = await told(own)
    assert re.fullmatch(r"1\d of 15 connections are free: each process of Encoder takes up to 12", seen)


async def test_a_server_that_is_too_old_is_told_and_refuses_to_start(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "OLDEST", 99)
    ((seen, to_do),) = (await told(dsn)).items()
    assert re.fullmatch(r"PostgreSQL \d+\.\d+ is too old: Encoder needs 99 or newer\.", seen)
    assert to_do == "Upgrade the server."
    for auto_migrate in (True, False):
        with pytest.raises(errors.Unfit, match="too old"):
            await open_store(dsn, auto_migrate=auto_migrate)


async def test_a_server_that_does_not_know_our_settings_is_unfit(dsn: str) -> None:
    with pytest.raises(errors.Unfit, match=r'"no_such_setting".*too old'):
        await connect(dsn, no_such_setting="on")


@pytest.mark.usefixtures("briefly")
async def test_hints_that_are_told_to_one_database_and_heard_in_another_are_told(cluster: Cluster, dsn: str) -> None:
    faults = await told(dsn, listen_dsn=cluster.dsn)
    assert faults == {
        "wake-ups do not come through": "Set ENCODER_LISTEN_URL to the server's own address, and the same database."
    }
    (seen,) = await told(dsn, listen_dsn=database(cluster.dsn, "no_such_database"))
    assert re.match("wake-ups do not come through: InvalidCatalogNameError", seen)


async def test_a_pooler_that_refuses_the_ear_alone_is_told_and_costs_the_hints_alone(dsn: str) -> None:
    async with pooler(dsn, ignores=SESSION) as before:
        (seen,) = await told(dsn, listen_dsn=before.dsn)
        assert re.match(r"wake-ups do not come through: .*unsupported startup parameter: tcp_keepalives_count", seen)
        listener = asyncio.ensure_future(Ear(before.dsn).listen(lambda _hint: None))
        async with asyncio.timeout(20):
            while before.refusals < 3:  # the doctor's, and two of the ear: it tries again
                await asyncio.sleep(0.01)
        listener.cancel()
        with suppress(asyncio.CancelledError):
            await listener


DROPPED = "a pooler drops the settings of our sessions: "
LOST = "a pooler loses prepared statements between transactions"


@pytest.mark.usefixtures("briefly")
async def test_all_that_a_pooler_of_transactions_breaks_is_told(dsn: str) -> None:
    async with pooler(dsn) as before:
        dropped, lost, silent = await told(before.dsn)
        assert dropped.startswith(DROPPED)
        assert {change.split()[0] for change in dropped.removeprefix(DROPPED).split(", ")[::2]} <= SESSION.keys()
        assert "statement_timeout is 0, not 10s" in dropped
        assert (lost, silent) == (LOST, "wake-ups do not come through")
        assert list(await told(before.dsn, listen_dsn=dsn)) == [dropped, lost]


async def test_a_pooler_of_sessions_that_drops_their_settings_is_told(dsn: str) -> None:
    async with pooler(dsn, shares=False) as before:
        (dropped,) = await told(before.dsn)
    assert dropped.startswith(DROPPED)


async def test_behind_a_pooler_of_sessions_that_is_set_up_as_the_page_says_all_is_well(dsn: str) -> None:
    page = PAGE.read_text()
    settings = re.findall(r"^ALTER ROLE encoder (SET .*;)$", page, re.MULTILINE)
    (ignored,) = re.findall(r"^ignore_startup_parameters = (.*)$", page, re.MULTILINE)
    await databases.run(dsn, *(f"ALTER ROLE encoder IN DATABASE {name_of(dsn)} {each}" for each in settings))
    async with pooler(dsn, shares=False, ignores=ignored.split(", ")) as before:
        found = await server(before.dsn)
        assert [fault.told for fault in found.faults] == [NO_FSYNC]
        assert found.name.endswith(" behind a pooler")
        store = await open_store(before.dsn)
        await work.enqueue(store)
        assert len(await work.claim(store)) == 1
        async with listening(store):
            pass
        await store.close()
    async with pooler(dsn) as before:
        assert list(await told(before.dsn, listen_dsn=dsn)) == [LOST]


async def test_a_pooler_that_refuses_our_settings_is_told(dsn: str) -> None:
    async with pooler(dsn, ignores=()) as before:
        for use in (server, check, open_store):
            with pytest.raises(errors.Unfit, match=r"unsupported startup parameter.*docs/operate/databases\.md"):
                await use(before.dsn)


async def test_a_pooler_that_mislays_a_statement_is_no_defect_of_ours(dsn: str) -> None:
    async with pooler(dsn) as before:
        first, second = await connect(before.dsn), await connect(before.dsn)
        await first.fetchval("SELECT 1")
        async with second.transaction():  # takes the session that the other has just left
            with pytest.raises(errors.StoreUnavailable, match="a pooler loses prepared statements"), translated():
                await first.fetchval("SELECT 1")
        first.terminate()
        await second.close()
