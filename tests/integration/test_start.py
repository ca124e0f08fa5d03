"""What keeps a role from starting is told in a sentence, before anything else is started."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from encoder import errors
from encoder.api.auth import Gate, KeyGate, OpenGate
from encoder.errors import Fault
from encoder.net.guard import check_url
from encoder.queue.fitness import Fitness
from encoder.roles import operate, serve
from encoder.settings import Settings
from encoder.store.postgres import PostgresStore
from encoder.vault import new_key
from encoder.wiring.api import new_parts
from encoder.wiring.machine import Machine
from tests.contracts.store_keys import a_key


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        storage=f"file:{tmp_path / 'storage'}",
        scratch_dir=tmp_path / "scratch",
        secret_keys=(SecretStr(new_key()),),
        webhook_secret=(SecretStr("whsec_" + "QUFB" * 10),),
        database_url=SecretStr("postgresql://nobody:s3cret@127.0.0.1:1/none"),
    )


async def refused(settings: Settings, tmp_path: Path, *, port: int = 0) -> str:
    """Why `encoder up` does not start."""
    with pytest.raises(errors.Unfit) as caught:
        await serve.run_up(settings, host=None, port=port, data=tmp_path / "data", workers=1, ready=print)
    assert not (tmp_path / "data" / "postgres").exists()
    return str(caught.value)


async def test_a_taken_port_is_named_before_a_database_is_made(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"database_url": None})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1 port {port} cannot be had" in await refused(settings, tmp_path, port=port)


@pytest.mark.parametrize("role", [serve.run_api, serve.run_worker])
@pytest.mark.parametrize(
    "keys", [(), (SecretStr(""),), (SecretStr("short"),), (SecretStr(new_key()), SecretStr("bad"))]
)
async def test_no_role_beside_others_starts_without_keys_or_with_one_that_is_none(
    settings: Settings, role: Callable[[Settings], Awaitable[int]], keys: tuple[SecretStr, ...]
) -> None:
    """P3: only `encoder up`, which is alone, may make its own. The database, which is away, is not asked."""
    with pytest.raises(errors.Unfit, match=r"secret key|ENCODER_SECRET_KEYS"):
        await role(settings.model_copy(update={"secret_keys": keys, "port": 0}))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"secret_keys": (SecretStr("short"),)}, "secret key"),
        ({"webhook_secret": (SecretStr("whsec_short"),)}, "webhook secret"),
        ({"allow_addresses": ("10.0.0.0/33",)}, "ENCODER_ALLOW_ADDRESSES"),
        ({"storage": "s3:bucket"}, "ENCODER_STORAGE"),
        ({"trusted_proxies": ("10.0.0.1/8",)}, "ENCODER_TRUSTED_PROXIES"),
        ({"ingest_sqs_urls": ("https://sqs.eu-central-1.amazonaws.com/videos",)}, "ENCODER_INGEST_SQS_URLS"),
    ],
)
async def test_a_wrong_setting_is_told_though_the_database_is_away(
    settings: Settings, tmp_path: Path, wrong: dict[str, object], told: str
) -> None:
    assert told in await refused(settings.model_copy(update=wrong), tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:pa/s3cret@127.0.0.1/x",
        "mysql://u:s3cret@127.0.0.1",
        "mysql://u:pa/s3cret@h/x",
        "mssql://u:s3cret@h/x",
    ],
)
async def test_a_wrong_database_address_is_told_without_its_password(settings: Settings, address: str) -> None:
    with pytest.raises(errors.Unfit) as caught:
        await operate.run_migrate(settings.model_copy(update={"database_url": SecretStr(address)}))
    assert "ENCODER_DATABASE_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_a_server_that_others_reach_refuses_to_start_before_there_is_a_key(
    settings: Settings, store: PostgresStore, dsn: str
) -> None:
    """By itself; who sets ENCODER_AUTH says what is to be."""
    reached = settings.model_copy(update={"database_url": SecretStr(dsn), "host": "0.0.0.0", "port": 0})
    made = await store.add_key(a_key())
    await store.revoke_key(made.id)
    with pytest.raises(errors.Unfit, match="nobody has a key"):
        await serve.run_api(reached)


@pytest.mark.parametrize(
    ("auth", "host", "asks"),
    [
        ("loopback", "127.0.0.1", False),
        ("loopback", "::1", False),
        ("loopback", "localhost", False),
        ("loopback", "0.0.0.0", True),
        ("loopback", "encoder.example", True),
        ("keys", "127.0.0.1", True),
        ("none", "0.0.0.0", False),
    ],
)
def test_keys_are_asked_for_where_others_reach_us(settings: Settings, auth: str, host: str, *, asks: bool) -> None:
    assert Machine(settings.model_copy(update={"auth": auth, "host": host})).asks_for_keys is asks


def test_our_own_public_name_is_closed_to_jobs_and_webhooks(settings: Settings) -> None:
    """C20"""
    policy = Machine(settings.model_copy(update={"public_url": "https://encoder.example.com/video"})).policy
    fault = check_url("https://encoder.example.com/storage/x", policy)
    assert isinstance(fault, Fault)
    assert fault.message == "encoder.example.com is our own server."


@pytest.mark.parametrize(
    ("auth", "named", "served"),
    [("none", None, True), ("keys", None, False), ("keys", ("b",), True), ("none", (), False)],
)
def test_whoever_has_a_key_borrows_the_operators_s3_credentials_for_buckets_that_were_named_alone(
    settings: Settings, auth: str, named: tuple[str, ...] | None, *, served: bool
) -> None:
    machine = Machine(settings.model_copy(update={"auth": auth, "s3_buckets": named}))
    assert machine.surroundings.s3.serves("b", "a.mp4") is served
    assert not Machine(settings.model_copy(update={"auth": "keys"})).surroundings.s3.serves("c", "a.mp4")


@pytest.mark.parametrize(("auth", "gate", "loopback"), [("loopback", OpenGate, True), ("keys", KeyGate, False)])
async def test_the_api_is_made_with_the_gate_that_the_settings_want(
    settings: Settings, store: PostgresStore, auth: str, gate: type[Gate], *, loopback: bool
) -> None:
    machine = Machine(settings.model_copy(update={"auth": auth}))
    scratch = machine.scratch()
    fitness = Fitness(store=store, stopping=asyncio.Event(), beats=lambda: True, has_room=scratch.has_room)
    parts = await new_parts(machine, store, scratch, fitness)
    assert (type(parts.gate), parts.loopback_only) == (gate, loopback)


async def test_migrate_does_not_wait_for_a_database_that_is_away(settings: Settings) -> None:
    with pytest.raises(errors.StoreUnavailable):
        await operate.run_migrate(settings)


async def test_a_folder_that_cannot_be_made_is_named(settings: Settings) -> None:
    with pytest.raises(errors.Unfit, match="/proc/x cannot be made"):
        await serve.run_up(settings, host=None, port=0, data=Path("/proc/x"), workers=1, ready=print)
