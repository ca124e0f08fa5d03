from __future__ import annotations

import ast
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from encoder import __version__, log, tracing
from encoder.otel import Otel

PACKAGE = Path(log.__file__).parent
OF_THE_PROCESS = {"ts", "level", "event", "role", "host", "version", "logger"}


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    tracing.tell(None)
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return _read(captured.err)


def _read(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_holds_event_fields_level_logger_and_what_was_bound(capsys: pytest.CaptureFixture[str]) -> None:
    logger = log.get_logger("encoder.worker")
    log.configure(log.LogFormat.JSON)
    with log.bound(job=42):
        logger.info("task.claimed", epoch=3)
    logger.info("task.settled")
    first, second = _lines(capsys)
    assert list(first)[:6] == ["ts", "level", "event", "role", "host", "version"]
    at, host = first.pop("ts"), first.pop("host")
    assert isinstance(at, str)
    assert at.endswith("Z")
    assert host == socket.gethostname()
    assert first == {
        "level": "info",
        "event": "task.claimed",
        "role": "cli",
        "version": __version__,
        "epoch": 3,
        "job": 42,
        "logger": "encoder.worker",
    }
    assert "job" not in second


@pytest.mark.parametrize("role", ["up", "api", "worker", "retention"])
def test_of_a_role_that_serves_machines_read_standard_output(capsys: pytest.CaptureFixture[str], role: str) -> None:
    log.configure(log.LogFormat.JSON, role=role)
    log.get_logger("x").info("task.claimed")
    logging.getLogger("asyncio").warning("slow")
    captured = capsys.readouterr()
    assert captured.err == ""
    assert [(line["event"], line["role"]) for line in _read(captured.out)] == [
        ("task.claimed", role),
        ("slow", role),
    ]


def test_a_line_names_the_trace_that_it_is_in(capsys: pytest.CaptureFixture[str]) -> None:
    otel = Otel(TracerProvider())
    log.configure(log.LogFormat.JSON)
    tracing.tell(otel)
    with tracing.span("outer"):
        log.get_logger("x").info("inside")
        named = tracing.trace_id()
    log.get_logger("x").info("outside")
    inside, outside = _lines(capsys)
    assert named
    assert inside["trace_id"] == named
    assert "trace_id" not in outside


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log.LogFormat.JSON, "warning")
    log.get_logger("x").info("unheard")
    log.get_logger("x").warning("heard")
    assert [line["event"] for line in _lines(capsys)] == ["heard"]


def test_foreign_warnings_take_the_same_form_with_their_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log.LogFormat.JSON)
    logging.getLogger("aiohttp.access").info("unheard")
    try:
        int("bad")
    except ValueError:
        logging.getLogger("asyncio").exception("it broke")
    (line,) = _lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("it broke", "asyncio", "error")
    assert "ValueError: invalid literal" in str(line["exception"])


def test_without_a_terminal_the_automatic_format_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.get_logger("x").info("event")
    assert _lines(capsys)


def test_people_get_a_console_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(log.LogFormat.CONSOLE)
    log.get_logger("x").info("task.claimed", epoch=3)
    line = capsys.readouterr().err
    assert "host" not in line
    assert "task.claimed" in line
    assert "epoch=3" in line
    assert "\x1b" not in line


def test_no_event_has_a_field_that_the_name_of_the_process_would_hide() -> None:
    """Another server's `host`, for one."""
    hidden = [
        f"{path.relative_to(PACKAGE)}:{call.lineno} {word.arg}"
        for path in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith(("log.", "bound", "bind"))
        for word in call.keywords
        if word.arg in OF_THE_PROCESS
    ]
    assert hidden == []
