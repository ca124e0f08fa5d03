from __future__ import annotations

import sys
from pathlib import Path

import pytest

from encoder.cli.next import DEFAULT_URL, command


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "encoder").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("on_path")
def test_the_server_is_named_unless_it_is_the_usual_one() -> None:
    assert command("watch", "13", url=DEFAULT_URL + "/") == "encoder watch 13"
    assert command("watch", "13", url="http://127.0.0.1:9000") == "encoder watch 13 --url http://127.0.0.1:9000"


@pytest.mark.usefixtures("on_path")
def test_a_shell_takes_each_word_as_one() -> None:
    assert command("watch", "1; reboot") == "encoder watch '1; reboot'"


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Python in a `.venv` whose commands the shell does not find, run as `python -m encoder`."""
    path = tmp_path / ".venv" / "bin" / "python"
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(path))
    monkeypatch.setattr(sys, "argv", ["/lib/encoder/__main__.py"])
    return path


@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(
    ("started", "told"), [("bin/encoder", "bin/encoder up"), ("my files/encoder", "'my files/encoder' up")]
)
def test_where_the_shell_does_not_find_it_the_command_is_told_as_it_was_started(
    started: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [started])
    assert command("up") == told


def test_the_command_of_make_setup_is_told_from_here(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python.with_name("encoder").touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    assert command("up") == ".venv/bin/encoder up"
    monkeypatch.chdir(python.parent)
    assert command("up") == f"{python.with_name('encoder')} up"


def test_without_any_such_command_python_is_told_to_run_it(python: Path) -> None:
    assert command("up") == f"{python} -m encoder up"
