"""The command line. A command's module is imported only when that command runs: `--help` stays under 0.2 s."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from io import TextIOWrapper

import click

from encoder import __version__
from encoder.cli import exits

# Section → command → (where it is, what the list of commands says of it).
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Serve": {
        "up": ("serve:up", "Run everything on this machine: database, API, worker."),
        "api": ("serve:api", "Run the API against a database."),
        "worker": ("serve:worker", "Run a worker against a database."),
        "retention": ("retention:retention", "Remove what has had its time."),
        "convert": ("convert:convert", "Do one job in a container of its own, and end."),
        "migrate": ("serve:migrate", "Create or upgrade the database's tables."),
        "doctor": ("serve:doctor", "Check machine, database, storage, ffmpeg."),
    },
    "Encode": {
        "submit": ("submit:submit", "Post a job; --wait stays until it ends."),
        "plan": ("submit:plan", "Show what a job would do, and why; nothing is stored."),
        "probe": ("submit:probe", "Show what a source is."),
        "presets": ("presets:presets", "List presets; keep your own."),
        "ingest": ("ingest:ingest", "Say which new objects of a bucket become jobs."),
    },
    "Follow": {
        "jobs": ("jobs:jobs", "List jobs, newest first; --watch keeps the list true."),
        "job": ("jobs:job", "Show one job with its outputs."),
        "watch": ("watch:watch", "Follow jobs until they end, or all that run."),
        "log": ("log:log", "Print what ffmpeg said of an output."),
        "cancel": ("jobs:cancel", "Cancel jobs."),
        "retry": ("jobs:retry", "Run again what failed or was cancelled."),
        "delete": ("jobs:delete", "Remove jobs, files and all."),
        "workers": ("fleet:workers", "List live workers and what each does."),
        "stats": ("fleet:stats", "Count jobs and tasks."),
    },
    "Operate": {
        "pause": ("fleet:pause", "Start nothing of a queue until it is resumed."),
        "resume": ("fleet:resume", "End the pause of a queue."),
        "dead": ("dead:dead", "List what failed alike, and what to do about it."),
        "redrive": ("dead:redrive", "Run again what failed alike."),
        "webhooks": ("webhooks:webhooks", "Say who is told of jobs; see what was told, tell it again."),
        "keys": ("keys:keys", "Make, list and revoke keys of the API."),
        "rewrap": ("rewrap:rewrap", "Exchange the keys that seal secrets."),
        "quota": ("quota:quota", "Say or show how much of a queue a tenant may have."),
    },
    "Learn": {
        "help": ("explain:explain", "Explain a command or an error code."),
        "completion": ("explain:completion", "Print the completion script of a shell."),
    },
}
_WHERE = {name: where for commands in SECTIONS.values() for name, (where, _) in commands.items()}

EXAMPLES = """\b
encoder up                                            serve on 127.0.0.1:8080
encoder submit holiday.mov --preset h264 --wait       encode, prove, say where it is
encoder jobs --status failed --json | jq -r .id | xargs encoder retry
"""


class Lazy(click.Group):
    """A group that knows its commands by name and summary, and imports one when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _WHERE:
            return None
        module, _, attribute = _WHERE[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"encoder.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:  # it looks among those that are loaded
            raise click.NoSuchCommand(error.command_name, possibilities=_WHERE, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary) for name, (_, summary) in commands.items()])


@click.group(cls=Lazy, help=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="encoder", message="%(prog)s %(version)s")
def root() -> None:
    pass


def main() -> None:
    """Runs the command that the arguments name, and exits with a code of `exits`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no arrow shows a question mark
    try:
        colours = False if os.environ.get("NO_COLOR") else None
        code = root.main(prog_name="encoder", standalone_mode=False, color=colours)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        code = exits.INTERRUPTED
    sys.exit(code)
