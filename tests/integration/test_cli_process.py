"""The command line as a process of its own."""

from __future__ import annotations

import subprocess
import sys


def _encoder(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "encoder", *args], capture_output=True, text=True, check=False, timeout=60
    )


def test_help_loads_nothing_heavy() -> None:
    """Of all commands, and of each: what is slow to load comes when it is used, so that help is there at once."""
    code = (
        "import sys; from click.testing import CliRunner; from encoder.cli import SECTIONS, root;"
        "CliRunner().invoke(root, ['--help']);"
        "heavy = {'aiohttp', 'pydantic', 'rich', 'asyncpg', 'structlog', 'cryptography', 'av'};"
        "print(*(heavy | {'msgspec'}) & sys.modules.keys());"
        "[CliRunner().invoke(root, [name, '--help']) for names in SECTIONS.values() for name in names];"
        "print(*heavy & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_server_that_is_not_there_exits_4_and_says_how_to_start_one() -> None:
    done = _encoder("jobs", "--url", "http://127.0.0.1:9")
    assert done.returncode == 4
    assert done.stdout == ""
    assert "encoder up" in done.stderr
    assert done.stderr.startswith("error: http://127.0.0.1:9 does not answer\n")
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_named_without_its_value_and_nothing_starts() -> None:
    env = {"PATH": "/usr/bin", "ENCODER_PORT": "hush", "ENCODER_AUTH": "open"}
    args = [sys.executable, "-P", "-m", "encoder", "migrate"]
    done = subprocess.run(args, capture_output=True, text=True, check=False, env=env, timeout=60)
    assert done.returncode == 2
    assert "ENCODER_PORT" in done.stderr
    assert "ENCODER_AUTH" in done.stderr
    assert "hush" not in done.stderr
    assert done.stderr.startswith("error: ")
    assert "Usage:" not in done.stderr
    assert "docs/reference/settings.md" in done.stderr
