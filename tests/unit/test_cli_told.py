"""What the command line says of refusals and of jobs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from encoder.cli import report, rows, session, views
from encoder.cli.refused import Object, Refused
from encoder.errors import CATALOGUE
from encoder.model.base import replace
from encoder.model.plan import Note


def _told(problem: Object, capsys: pytest.CaptureFixture[str]) -> list[str]:
    session.tell(Refused(422, problem), as_json=False)
    return capsys.readouterr().err.splitlines()


def test_a_fault_of_the_whole_request_names_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    fault: Object = {"path": "", "code": "invalid_type", "message": "must be an object"}
    first, _ = _told({"code": "invalid_type", "errors": [fault]}, capsys)
    assert first == "error: invalid_type: must be an object"


@pytest.mark.parametrize("code", CATALOGUE)
def test_no_sentence_is_said_twice(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    to_do = CATALOGUE[code].to_do
    told = "\n".join(_told({"code": code, "detail": to_do}, capsys))
    assert told.count(to_do) == 1
    assert f"encoder help {code}" in told


def _output(number: int, preset: str, *warnings: str) -> views.Output:
    notes = tuple(Note(code="w", message=message) for message in warnings)
    return views.Output(id=number, status="uploaded", spec=views.Spec(preset=preset), warnings=notes)


def _job(*outputs: views.Output, waiting_for: views.Waiting | None = None) -> views.Job:
    return views.Job(
        id=1,
        uuid="u",
        status="queued",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        outputs=outputs,
        waiting_for=waiting_for,
    )


def test_a_warning_stands_under_the_output_that_it_is_about() -> None:
    lines = report.details(_job(_output(1, "h264", "no sound"), _output(2, "vp9", "no sound", "small")))
    places = {name: n for n, line in enumerate(lines) for name in ("h264", "vp9") if name in line}
    assert [n for n, line in enumerate(lines) if "warning: no sound" in line] == [
        places["h264"] + 2,
        places["vp9"] + 2,
    ]
    assert lines[-1].strip() == "warning: small"


def test_a_warning_about_the_source_stands_under_it_and_is_said_once_at_the_end() -> None:
    notes = tuple(Note(code="w", message=message) for message in ("no key", "no sound"))
    job = replace(_job(_output(1, "h264", "no sound")), warnings=notes)
    lines = report.details(job)
    assert lines[3:5] == ["  from ", "     warning: no key"]
    assert sum("no key" in line for line in lines) == 1
    assert report.warnings(job) == ["warning: no key", "warning: no sound"]


def test_a_transfer_is_told_with_its_rate() -> None:
    output = views.Output(
        id=0, status="uploading", spec=views.Spec(preset="h264"), stage="uploading", progress=0.96,
        bytes_per_second=3_041_592.6, eta_seconds=21.0,
    )  # fmt: skip
    assert report.state(output) == "h264  uploading 96%, 3.04 MB/s, 21 s left"


def test_why_a_job_waits_is_told_apart_from_the_details() -> None:
    waiting = views.Waiting(reason="slot", detail="no worker has taken it yet")
    assert "  waits: slot – no worker has taken it yet" in report.details(_job(waiting_for=waiting))
    assert "  waits: cap" in report.details(_job(waiting_for=views.Waiting(reason="cap")))


def test_a_job_in_chunks_goes_on() -> None:
    """How fast it is made is told with how many are made; seen to fail where it is told as a wait."""
    output = views.Output(
        id=0, status="encoding", spec=views.Spec(preset="av1"), stage="encoding", progress=0.4, fps=118.0, speed=3.9
    )
    chunks = views.Waiting(reason="chunks", detail="7 of 24 chunks are made, 4 are being made")
    job = replace(_job(output, waiting_for=chunks), status="processing")
    assert "  7 of 24 chunks are made, 4 are being made" in report.details(job)
    assert rows.now(job) == "118 fps  3.9×  7 of 24 chunks are made, 4 are being made"


def test_a_job_is_shown_with_where_it_comes_from_and_goes_to() -> None:
    asked = views.Spec(preset="h264", destination={"kind": "sftp", "host": "h.example", "path": "out\x1b.mp4"})
    job = replace(
        _job(views.Output(id=0, status="queued", spec=asked), _output(1, "vp9")),
        source={"kind": "s3", "bucket": "b", "path": "in.mov", "access_key_id": "***"},
    )
    lines = report.details(replace(job, queue="gpu", priority=-7))
    assert "  queue gpu, priority -7" in lines
    assert "  from s3 b/in.mov" in lines
    assert "     to sftp h.example/out·.mp4" in lines
    assert "     to the platform's storage" in lines
