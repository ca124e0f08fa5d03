"""A job as the words of a command line say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TextIO, TypeVar
from urllib.parse import urlsplit

import click

from encoder.cli import complete, place
from encoder.cli.refused import Object
from encoder.cli.said import object_of
from encoder.model.base import Json

DEFAULT_PRESET = "h264"
C = TypeVar("C", bound=Callable[..., object])


class Pair(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`; further `=` are the value's."""

    name = "pair"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, equals, said = str(value).partition("=")
        if not name or not equals:
            self.fail(f"{value!r} is not of the form NAME=VALUE.", param, ctx)
        return name, said


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The job as the command line says it."""

    source: str | None = None
    presets: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    whole: TextIO | None = None
    notify: str | None = None
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    priority: int | None = None
    queue: str | None = None
    chunked: bool | None = None


def job_options(command: C) -> C:
    for option in (
        click.option(
            "--queue",
            metavar="NAME",
            shell_complete=complete.queues,
            help="The workers that are to take it, by their queue.  [encode]",
        ),
        click.option(
            "--chunked/--not-chunked",
            default=None,
            help="Make pictures in chunks, by several workers, or by one.  [where it pays]",
        ),
        click.option("--priority", type=click.IntRange(-100, 100), help="Higher runs sooner."),
        click.option(
            "--metadata",
            metavar="NAME=VALUE",
            multiple=True,
            type=Pair(),
            help="What comes back with the job as it was sent; may be repeated.",
        ),
        click.option("--tag", "tags", multiple=True, help="A tag; may be repeated."),
        click.option("--notify", metavar="URL", help="Whom to tell by webhook."),
        click.option("--job", "whole", type=click.File(), metavar="FILE", help="A whole job as JSON; - is stdin."),
        click.option(
            "-o",
            "--output",
            "destinations",
            multiple=True,
            metavar="DEST",
            type=click.Path(),
            help="Place of the n-th output.",
        ),
        click.option(
            "--preset",
            "presets",
            multiple=True,
            shell_complete=complete.presets,
            help="An output by its preset; may be repeated.  [h264]",
        ),
        click.argument("source", required=False, type=click.Path()),
    ):
        command = option(command)
    return command


def whole(asked: Asked) -> Object:
    assert asked.whole  # noqa: S101  # for the type checker
    if asked != Asked(whole=asked.whole):
        raise click.UsageError("--job is the whole job: SOURCE and options that say a part of it do not go with it.")
    return object_of(asked.whole)


def rest(asked: Asked) -> Object:
    """All of the job but its source; what was not said is not sent."""
    members: Object = {
        "outputs": _outputs(asked),
        "notificationUrl": asked.notify,
        "tags": list(asked.tags) or None,
        "metadata": dict(asked.metadata) or None,
        "priority": asked.priority,
        "queue": asked.queue,
    }
    return {name: value for name, value in members.items() if value is not None}


def _outputs(asked: Asked) -> list[Json]:
    presets = asked.presets or (DEFAULT_PRESET,)
    if len(asked.destinations) > len(presets):
        raise click.UsageError("there are more -o than outputs: the n-th -o belongs to the n-th --preset.")
    alike: Object = {} if asked.chunked is None else {"chunked": asked.chunked}
    pairs = zip_longest(presets, asked.destinations)
    return [
        {"preset": preset, **alike, **({"destination": place.destination(to)} if to else {})} for preset, to in pairs
    ]


def words(asked: Asked, source: str | None) -> Iterator[str]:
    """What says the same once more, of another `source`; for places that hold a secret stands what they are."""
    if asked.whole:
        yield from ("--job", asked.whole.name)
    if source is not None:
        yield _shown(source, "SOURCE")
    for preset in asked.presets:
        yield from ("--preset", preset)
    for to in asked.destinations:
        yield from ("-o", _shown(to, "DEST"))
    for tag in asked.tags:
        yield from ("--tag", tag)
    for pair in asked.metadata:
        yield from ("--metadata", "=".join(pair))
    notify = None if asked.notify is None else _shown(asked.notify, "URL")
    said = {"--notify": notify, "--priority": asked.priority, "--queue": asked.queue}
    if asked.chunked is not None:
        yield "--chunked" if asked.chunked else "--not-chunked"
    for option, value in said.items():
        if value is not None:
            yield f"{option}={value}"


def _shown(text: str, word: str) -> str:
    parts = urlsplit(text)
    return word if parts.scheme and (parts.username or parts.query) else text
