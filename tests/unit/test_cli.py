"""The command line without a server: what it takes, what it says, what it loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import click
import pytest
from click.testing import CliRunner, Result

from encoder.cli import SECTIONS, root
from encoder.cli.asked import Asked, rest, words
from encoder.cli.serve import greet
from encoder.errors import CATALOGUE
from encoder.roles import operate
from encoder.settings import Settings
from encoder.store.steps import Schema

COMMANDS = [name for commands in SECTIONS.values() for name in commands]


def _run(*args: str, stdin: str = "") -> Result:
    return CliRunner().invoke(root, args, input=stdin)


def test_help_names_every_command_and_begins_with_examples() -> None:
    told = _run("--help").output
    assert all(f"  {name} " in told for name in COMMANDS)
    assert told.index("encoder submit holiday.mov") < told.index("Options:")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_what_the_list_says(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


def _below(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word, each in command.commands.items():
            yield from _below(each, f"{name} {word}")
    else:
        yield name, command


def test_every_command_speaks_json_but_for_those_that_serve_and_the_shell_s_own_script() -> None:
    context = click.Context(root)
    commands = [(name, root.get_command(context, name)) for name in COMMANDS]
    all_of_them = dict(pair for name, command in commands if command for pair in _below(command, name))
    without = {name for name, command in all_of_them.items() if "as_json" not in {each.name for each in command.params}}
    assert without == {"up", "api", "worker", "convert", "migrate", "completion"}  # convert: always, in its last line


@pytest.mark.parametrize("code", CATALOGUE)
def test_help_explains_every_code(code: str) -> None:
    told = _run("help", code).output
    assert CATALOGUE[code].title in told
    assert CATALOGUE[code].to_do in told


def test_help_explains_commands_too() -> None:
    assert "SOURCE is a URL" in _run("help", "submit").output


def test_a_mistyped_code_is_answered_with_the_near_ones() -> None:
    done = _run("help", "source_truncate")
    assert done.exit_code == 2
    assert "Did you mean source_truncated" in done.output


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("submit",), "say a SOURCE"),
        (("submit", "http://h/x", "--preset", "h264", "-o", "/a", "-o", "/b"), "more -o than outputs"),
        (("submit", "x.mov"), "no file x.mov"),
        (("submit", "http://h/x", "--priority", "101"), "-100<=x<=100"),
        (("jobs", "--status", "lost"), "'lost' is not one of"),
        (("cancel",), "Missing argument"),
        (("cancel", "42"), "say --yes"),
        (("redrive", "--yes"), "say which"),
        (("redrive", "--code", "timeout"), "say --yes"),
        (("redrive", "--since", "yesterday", "--yes"), "'yesterday' is no time such as 2026-"),
        (("redrive", "--since", "2026-11-20T13:00:00", "--yes"), "must say its zone"),
        (("redrive", "--since", "2026-11-20T13:00:00Z", "--until", "2026-11-20T14:00:00+01:00"), "must be later"),
        (("quota", "7", "--cap", "1"), "name the tenant and the queue"),
        (("quota", "7", "encode", "--cap", "1", "--no-cap"), "either --cap or --no-cap"),
        (("submit", "http://h/x", "--metadata", "order"), "is not of the form NAME=VALUE"),
        (("submit", "http://h/x", "--prest", "h264"), "'--preset'"),
        (("sumbit", "http://h/x"), "Did you mean 'submit'?"),
        (("keys", "lst"), "Did you mean 'list'?"),
        (("frobnicate",), "No such command"),
    ],
)
def test_wrong_usage_exits_2_with_a_sentence(args: Sequence[str], told: str) -> None:
    done = _run(*args)
    assert done.exit_code == 2
    assert told in done.output


@pytest.mark.parametrize(("log_format", "lines"), [("console", 2), ("json", 0), ("auto", 0)])
def test_up_greets_people_and_leaves_a_log_of_json_alone(
    log_format: Literal["console", "json", "auto"], lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    greet(Settings(log_format=log_format), "http://127.0.0.1:8080")
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", lines)


def test_what_is_said_of_metadata_goes_along() -> None:
    said = Asked(metadata=(("orderId", "42"), ("note", "a=b")))
    assert rest(said)["metadata"] == {"orderId": "42", "note": "a=b"}
    assert list(words(said, "in.mov"))[1:] == ["--metadata", "orderId=42", "--metadata", "note=a=b"]
    assert "metadata" not in rest(Asked())


def test_a_whole_job_must_be_an_object_and_stand_alone() -> None:
    assert "holds no JSON object" in _run("submit", "--job", "-", stdin="[]").output
    assert "is no JSON" in _run("submit", "--job", "-", stdin="{").output
    for part in (("http://h/x",), ("--queue", "gpu"), ("--priority", "0")):
        assert "do not go with it" in _run("submit", *part, "--job", "-", stdin="{}").output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed(shell: str) -> None:
    assert "_ENCODER_COMPLETE" in _run("completion", shell).output


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_no_marks_that_are_meant_for_click(name: str) -> None:
    assert "\\b" not in _run(name, "--help").output


def test_the_examples_of_submit_stand_on_lines_of_their_own() -> None:
    lines = [line.strip() for line in _run("submit", "--help").output.splitlines()]
    assert "encoder submit holiday.mov --wait" in lines
    assert "encoder submit --job job.json" in lines


@pytest.mark.parametrize(
    ("version", "compatible_from", "code", "told"),
    [
        (7, 6, 0, "schema 7, this program's is 7: nothing to do"),
        (9, 7, 0, "schema 9, this program's is 7: nothing to do"),
        (6, 1, 1, "schema 6, this program's is 7: run "),
        (0, 1, 1, "no tables, this program's is 7: run "),
        (9, 8, 2, "schema 9, for programs from schema 8 on; this one's is 7"),
    ],
)
def test_a_check_of_the_schema_tells_a_script_by_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, version: int, compatible_from: int, code: int, told: str
) -> None:
    schema = Schema(version=version, compatible_from=compatible_from, ours=7)

    async def check(_settings: object) -> Schema:
        return schema

    monkeypatch.setattr(operate, "run_migrate_check", check)
    done = CliRunner().invoke(root, ["migrate", "--check"], standalone_mode=False)
    assert done.return_value == code
    assert done.output.startswith(told)
