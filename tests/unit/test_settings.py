"""What an operator sets is checked when a process starts, and named."""

from __future__ import annotations

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
