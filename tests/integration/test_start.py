"""What keeps a role from starting is told in a sentence, before anything else is started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from encoder import errors, roles
from encoder.settings import Settings
from encoder.vault import new_key


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
        await roles.run_up(settings, host=None, port=port, data=tmp_path / "data", workers=1, ready=print)
    assert not (tmp_path / "data" / "postgres").exists()
    return str(caught.value)


async def test_a_taken_port_is_named_before_a_database_is_made(settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"database_url": None})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1 port {port} cannot be had" in await refused(settings, tmp_path, port=port)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"secret_keys": (SecretStr("short"),)}, "secret key"),
        ({"webhook_secret": (SecretStr("whsec_short"),)}, "webhook secret"),
        ({"allow_addresses": ("10.0.0.0/33",)}, "ENCODER_ALLOW_ADDRESSES"),
        ({"storage": "s3:bucket"}, "ENCODER_STORAGE"),
        ({"host": "0.0.0.0"}, "ENCODER_AUTH"),
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
        await roles.run_migrate(settings.model_copy(update={"database_url": SecretStr(address)}))
    assert "ENCODER_DATABASE_URL" in str(caught.value)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_migrate_does_not_wait_for_a_database_that_is_away(settings: Settings) -> None:
    with pytest.raises(errors.StoreUnavailable):
        await roles.run_migrate(settings)


async def test_a_folder_that_cannot_be_made_is_named(settings: Settings) -> None:
    with pytest.raises(errors.Unfit, match="/proc/x cannot be made"):
        await roles.run_up(settings, host=None, port=0, data=Path("/proc/x"), workers=1, ready=print)
