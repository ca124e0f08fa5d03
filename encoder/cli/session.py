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
from typing import TextIO
from urllib.parse import urlsplit

import click

from encoder import errors
from encoder.cli import exits
from encoder.cli.client import Client
from encoder.cli.next import DEFAULT_URL, LOOPBACK, command
from encoder.cli.refused import Foreign, Object, Refused, Unreachable
from encoder.cli.text import clean
from encoder.model.base import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """Where a command's words go: data to standard output, all else to standard error."""

    as_json: bool
    quiet: bool
    bars: bool  # may be drawn on standard error
    tables: bool = False  # may be drawn on standard output
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

    def removed(self, name: str) -> None:
        """Something that had a name is gone."""
        if self.as_json:
            self.data({"name": name, "removed": True})
        else:
            self.note(f"removed {clean(name)}")

    def next(self, what: str, *words: str) -> None:
        """The next thing that one might do, and the command that does it."""
        if not self.as_json:
            self.note(f"{what}: {self.command(*words)}")

    def page(self, job_id: str) -> None:
        """Where the dashboard shows a job."""
        if not self.as_json:
            self.note(clean(f"In a browser: {self.url.rstrip('/')}/ui/jobs/{job_id}"))

    def command(self, *words: str) -> str:
        """`encoder WORDS…` for the same server."""
        return command(*words, url=self.url)


def remote(body: Callable[..., Awaitable[int]]) -> Callable[..., int]:
    """Makes a coroutine `(client, out, …) -> exit code` a command, with the options that all such commands take."""

    @wraps(body)
    def run(
        *, url: str, key_file: Path | None, as_json: bool, quiet: bool, verbose: int, no_progress: bool, **rest: object
    ) -> int:
        plain = no_progress or quiet
        out = Out(
            as_json=as_json,
            quiet=quiet,
            bars=not plain and is_drawn(sys.stderr),
            tables=not plain and is_drawn(sys.stdout),
            url=url,
        )
        key = _key(key_file)

        async def talk() -> int:
            async with Client(url, key) as client:
                return await body(client, out, **rest)

        try:
            return asyncio.run(talk())
        except (click.ClickException, click.Abort, click.exceptions.Exit, OSError):
            raise
        except Exception as error:  # noqa: BLE001  # a fault of ours too is told in a sentence
            if verbose > 1:
                traceback.print_exc()
            return _failed(error, as_json=as_json, url=url)

    taking: Callable[..., int] = run
    for option in _OPTIONS:
        taking = option(taking)
    return taking


def _address(_ctx: click.Context, _param: click.Parameter, url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter(f"{clean(url)!r} must begin with http:// or https://.")
    return url


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
    click.option(
        "--url", envvar="ENCODER_URL", default=DEFAULT_URL, show_default=True, callback=_address, help="The server."
    ),
)


def is_drawn(stream: TextIO) -> bool:
    """Whether bars and tables may be drawn there: it is a terminal, and one that can."""
    return stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def _key(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("ENCODER_API_KEY")
    try:
        key = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise exits.Wrong(f"--key-file {clean(file)} cannot be read: {clean(error)}") from error
    if not key:
        raise exits.Wrong(f"--key-file {clean(file)} is empty.\n  → Make a key: {command('keys', 'create', 'NAME')}")
    return key


def confirm(question: str, *, yes: bool) -> None:
    """Asks before what is not taken back easily. `yes`: it was said that there is nothing to ask."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on: say --yes.")
    click.confirm(question, abort=True, err=True)


def tell(error: Refused | Unreachable | Foreign, *, as_json: bool) -> int:
    """Says what happened, where, and what to do."""
    if isinstance(error, Foreign):
        to_do = f"Name the server's own address, and use its release of the command: {command('jobs', '--url', 'URL')}"
        click.echo(f"error: {clean(error)}\n  → {to_do}", err=True)
        return exits.UNAVAILABLE
    if isinstance(error, Unreachable):
        click.echo(f"error: {clean(error)}\n  → {_start(error.url)}", err=True)
        return exits.UNAVAILABLE
    if as_json:
        click.echo(json.dumps(error.problem, ensure_ascii=False), err=True)
    else:
        click.echo("\n".join(_lines(error)), err=True)
    return exits.of_status(error.status)


def _start(url: str) -> str:
    if urlsplit(url).hostname in LOOPBACK:
        return f"Is it running? Start it here: {command('up')}"
    return "Is it running, and the address right? Say another one with --url or ENCODER_URL."


def _failed(error: Exception, *, as_json: bool, url: str) -> int:
    if isinstance(error, Refused | Unreachable | Foreign):
        return tell(error, as_json=as_json)
    if isinstance(error, errors.Defect):  # an answer that is not made as those of this release
        return tell(Foreign(url, str(error)), as_json=as_json)
    click.echo(f"error: a fault of this command itself: {type(error).__name__}: {clean(error)}", err=True)
    click.echo("  → Run it again with -vv, and report what it prints.", err=True)
    return exits.FAILED


def _lines(error: Refused) -> list[str]:
    faults = error.problem.get("errors")
    places = [fault for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []
    lines = [_place(fault) for fault in places] or [clean(error)]
    code = clean(error.code)
    return [f"error: {code + ': ' if code else ''}{lines[0]}", *lines[1:], *advice(error.code, lines)]


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
