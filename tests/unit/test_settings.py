"""What an operator sets is checked when a process starts, and named."""

from __future__ import annotations

from pathlib import Path

import pytest

from encoder import errors, settings


@pytest.mark.parametrize("queues", ["gpu, a b", "", "-x", "x" * 65])
def test_a_queue_that_no_job_could_name_is_refused(queues: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_WORKER_QUEUES", queues)
    with pytest.raises(errors.Unfit, match="ENCODER_WORKER_QUEUES"):
        settings.load()


def test_queues_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_WORKER_QUEUES", " gpu , io,")
    assert settings.load().worker_queues == ("gpu", "io")


def test_what_shall_not_stand_in_the_environment_is_read_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Kubernetes mounts a secret: a file for each key, by links, in one of the two spellings."""
    versioned = tmp_path / "..2026"
    versioned.mkdir()
    (versioned / "ENCODER_DATABASE_URL").write_text("postgresql://db/encoder\n")
    (versioned / "encoder_secret_keys").write_text("one,two\n")
    (versioned / "ENCODER_PORT").write_text("1\n")
    for each in versioned.iterdir():
        (tmp_path / each.name).symlink_to(each)
    monkeypatch.setenv("ENCODER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("ENCODER_PORT", "8081")
    found = settings.load()
    assert found.database_url is not None
    assert found.database_url.get_secret_value() == "postgresql://db/encoder"
    assert [key.get_secret_value() for key in found.secret_keys] == ["one", "two"]
    assert found.port == 8081  # the environment wins


def test_a_folder_of_secrets_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_SECRETS_DIR", str(tmp_path / "away"))
    with pytest.raises(errors.Unfit, match="ENCODER_SECRETS_DIR: Value error, there is no such folder"):
        settings.load()


def test_slots_follow_the_cores_that_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCODER_CPUS", "16")
    assert settings.load().worker_slots == 4
    monkeypatch.setenv("ENCODER_WORKER_SLOTS", "3")
    assert settings.load().worker_slots == 3


def test_a_name_with_a_slip_is_found_wherever_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "ENCODER_SECRET_KEY").write_text("x")
    (folder / "ENCODER_DATABASE_URL").write_text("postgresql://db/encoder")
    (folder / "ca.pem").write_text("x")
    (tmp_path / ".env").write_text("ENCODER_POLL_SECOND=3\nENCODER_PORT=8081\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER_SECRETS_DIR", str(folder))
    monkeypatch.setenv("ENCODER_LEASE_SECOND", "3")
    monkeypatch.setenv("ENCODER_OF_ANOTHER_KIND", "3")
    monkeypatch.setenv("ENCODER_METRIC_PORT", "9100")
    assert settings.load().misnamed == [
        "ENCODER_LEASE_SECOND (ENCODER_LEASE_SECONDS?)",
        "ENCODER_METRIC_PORT (ENCODER_METRICS_PORT?)",
        "ENCODER_OF_ANOTHER_KIND",
        "ENCODER_POLL_SECOND (ENCODER_POLL_SECONDS?)",
        "ENCODER_SECRET_KEY (ENCODER_SECRET_KEYS?)",
    ]


def test_what_a_cluster_tells_of_its_services_and_what_commands_read_is_no_slip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "ENCODER_API_PORT": "tcp://10.0.0.7:80",
        "ENCODER_API_PORT_80_TCP": "tcp://10.0.0.7:80",
        "ENCODER_API_PORT_80_TCP_ADDR": "10.0.0.7",
        "ENCODER_API_SERVICE_HOST": "10.0.0.7",
        "ENCODER_API_SERVICE_PORT_HTTP": "80",
        "ENCODER_URL": "https://video.example.com",
        "ENCODER_API_KEY": "k",
        "encoder_poll_seconds": "1",
    }.items():
        monkeypatch.setenv(name, value)
    assert settings.load().misnamed == []
