"""The doctor tells what is wrong, and what to do; one thing that is wrong hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from encoder import doctor
from encoder.doctor import Finding, examine
from encoder.settings import Settings
from tests.lab.rgw import Gateway


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(storage=f"file:{tmp_path / 'storage'}", scratch_dir=tmp_path / "scratch")


async def bad(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in await examine(settings) if not finding.ok}


async def test_a_laptop_with_nothing_set_is_well(settings: Settings) -> None:
    assert await bad(settings) == {}


async def test_looking_makes_no_storage(settings: Settings, tmp_path: Path) -> None:
    await examine(settings)
    assert not (tmp_path / "storage").exists()


async def test_a_storage_is_tried_and_left_as_it_was(settings: Settings, tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    (storage / "kept").write_bytes(b"x")
    findings = await examine(settings)
    found = next(finding for finding in findings if finding.name == "storage")
    assert found.ok, found.detail
    assert found.detail == f"{storage}: a file was written, read and removed"
    assert [path.name for path in storage.iterdir()] == ["kept"]


@pytest.mark.xdist_group("s3")
async def test_a_bucket_is_tried_too_and_one_that_is_not_there_is_told(
    settings: Settings, s3_server: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3_server.bucket()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    assert await bad(settings.model_copy(update={"storage": f"s3://{bucket.name}/some/where/"})) == {}
    assert bucket.listed() == []
    found = await bad(settings.model_copy(update={"storage": "s3://no-such-bucket"}))
    assert found.keys() == {"storage"}
    assert found["storage"].to_do


@pytest.mark.parametrize("storage", ["", "file:", "s3:bucket", "s3://", "s3:///key", "s3://bucket/../x", "ftp://h/x"])
async def test_a_storage_that_is_none_is_told_in_its_own_words(settings: Settings, storage: str) -> None:
    found = await bad(settings.model_copy(update={"storage": storage}))
    assert "must read `file:FOLDER` or `s3://BUCKET/PREFIX`" in found["storage"].detail


async def test_a_storage_that_takes_nothing_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "storage").mkdir()
    monkeypatch.setattr(doctor, "uuid4", lambda: "x")
    (tmp_path / "storage" / "doctor-x").write_bytes(b"no folder")
    found = (await bad(settings))["storage"]
    assert "path_not_allowed" in found.detail
    assert found.to_do


async def test_every_fault_is_named_with_what_to_do(settings: Settings, tmp_path: Path) -> None:
    wrong = {
        "ffmpeg": tmp_path / "no-ffmpeg",
        "storage": "ftp://host/folder",
        "secret_keys": (SecretStr("too short"),),
        "file_roots": (tmp_path / "absent",),
        "database_url": SecretStr("postgresql://nobody:s3cret@127.0.0.1:1/none"),
    }
    found = await bad(settings.model_copy(update=wrong))
    assert set(found) == {"ffmpeg", "ffmpeg's known weaknesses", "storage", "secrets", "file roots", "database"}
    assert all(finding.to_do for finding in found.values())
    assert not any("s3cret" in finding.detail for finding in found.values())


async def test_a_database_is_measured_and_its_wake_ups_are_tried(settings: Settings, dsn: str) -> None:
    findings = await examine(settings.model_copy(update={"database_url": SecretStr(dsn)}))
    database = next(finding for finding in findings if finding.name == "database")
    assert database.ok, database.detail
    assert "hints come through" in database.detail
