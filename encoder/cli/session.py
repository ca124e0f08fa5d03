"""What all commands share that talk to a server: their options, the way they print, and how they fail."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import click

from encoder import errors
from encoder.cli import exits
from encoder.cli.client import Client, Object, Refused, Unreachable
from encoder.cli.next import DEFAULT_URL, command
from encoder.cli.text import clean
from encoder.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """Where a command's words go: data to standard output, all else to standard error."""

    as_json: bool
    quiet: bool
    bars: bool
    url: str  # of the server that is spoken with

    def data(self, found: Json) -> None:
        """One JSON object on a line; for commands that were asked for `--json`."""
        click.echo(json.dumps(found, ensure_ascii=False, separators=(",", ":")))

    def line(self, text: str = "") -> None:
        """A line of the human form, on standard output. Foreign text in it has been cleaned."""
        click.echo(text)

    def note(self, text: str) -> None:
        """A warning or a hint."""
        if not self.quiet:
            click.echo(text, err=True)

    def next(self, what: str, *words: str) -> None:
        """The next thing that one might do, and the command that does it."""
        if not self.as_json:
            self.note(f"{what}: {self.command(*words)}")

    def command(self, *words: str) -> str:
        """`encoder WORDS…` for the same server."""
        return command(*words, url=self.url)


def remote(body: Callable[..., Awaitable[int]]) -> Callable[..., int]:
    """Makes a coroutine `(client, out, …) -> exit code` a command, with the options that all such commands take."""

    @wraps(body)
    def run(
        *, url: str, key_file: Path | None, as_json: bool, quiet: bool, verbose: int, no_progress: bool, **rest: object
    ) -> int:
        out = Out(as_json=as_json, quiet=quiet, bars=_bars(no_progress=no_progress or quiet), url=url)
        key = key_file.read_text().strip() if key_file else os.environ.get("ENCODER_API_KEY")

        async def talk() -> int:
            async with Client(url, key) as client:
                return await body(client, out, **rest)

        try:
            return asyncio.run(talk())
        except (Refused, Unreachable) as error:
            if verbose > 1:
                traceback.print_exc()
            return tell(error, as_json=as_json)

    taking: Callable[..., int] = run
    for option in _OPTIONS:
        taking = option(taking)
    return taking


_OPTIONS: tuple[Callable[[Callable[..., int]], Callable[..., int]], ...] = (
    click.option("--no-progress", is_flag=True, help="Print lines, draw no bars."),
    click.option("-v", "--verbose", count=True, help="Say more; twice: with tracebacks."),
    click.option("-q", "--quiet", is_flag=True, help="Print data and errors only."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON as the API has it; lists one object per line."),
    click.option(
        "--key-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="File that holds the API key.  [else: ENCODER_API_KEY]",
    ),
    click.option("--url", envvar="ENCODER_URL", default=DEFAULT_URL, show_default=True, help="The server."),
)


def _bars(*, no_progress: bool) -> bool:
    env = os.environ
    return sys.stderr.isatty() and not no_progress and not env.get("CI") and env.get("TERM") != "dumb"


def confirm(question: str, *, yes: bool) -> None:
    """Asks before what is not taken back easily. `yes`: it was said that there is nothing to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: say --yes.")
    click.confirm(question, abort=True, err=True)


def tell(error: Refused | Unreachable, *, as_json: bool) -> int:
    """Says what happened, where, and what to do."""
    if isinstance(error, Unreachable):
        click.echo(f"error: {clean(error)}\n  → Is it running? Start it here: {command('up')}", err=True)
        return exits.UNAVAILABLE
    if as_json:
        click.echo(json.dumps(error.problem, ensure_ascii=False), err=True)
    else:
        click.echo("\n".join(_lines(error)), err=True)
    return exits.of_status(error.status)


def _lines(error: Refused) -> list[str]:
    faults = error.problem.get("errors")
    places = [fault for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []
    lines = [_place(fault) for fault in places] or [clean(error)]
    return [f"error: {error.code + ': ' if error.code else ''}{lines[0]}", *lines[1:], *advice(error.code, lines)]


def _place(fault: Object) -> str:
    """Where, and what; a fault of the request as a whole has no place."""
    return clean(f"{fault.get('path') or ''} {fault.get('message', '')}").strip()


def advice(code: str, told: Iterable[str] = ()) -> list[str]:
    """What to do about a code of the catalogue, unless the lines `told` say it, and where to read more."""
    entry = errors.CATALOGUE.get(code)
    if entry is None:
        return []
    to_do = "" if any(entry.to_do in line for line in told) else f"{entry.to_do}   "
    return [f"  → {to_do}{command('help', code)}"]
