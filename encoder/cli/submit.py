"""Posting a job, or only asking what it would be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TextIO, TypeVar

import click

from encoder.cli import complete, exits, place, report, views
from encoder.cli.client import Client
from encoder.cli.facts import media, planned
from encoder.cli.refused import Object, Refused
from encoder.cli.said import object_of
from encoder.cli.session import Out, remote
from encoder.cli.watch import until_end
from encoder.model.base import Json, from_json
from encoder.model.media import Media

DEFAULT_PRESET = "h264"
EXAMPLES = """\b
encoder submit holiday.mov --wait
encoder submit https://example.com/in.mov --preset h264 -o https://example.com/out.mp4 --preset vp9
encoder submit s3://my-bucket/in.mov --preset hevc -o s3://my-bucket/out.mp4
encoder submit --job job.json
"""
C = TypeVar("C", bound=Callable[..., object])


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The job as the command line says it."""

    source: str | None = None
    presets: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    whole: TextIO | None = None
    notify: str | None = None
    tags: tuple[str, ...] = ()
    priority: int | None = None
    queue: str | None = None


def _job_options(command: C) -> C:
    for option in (
        click.option(
            "--queue",
            metavar="NAME",
            shell_complete=complete.queues,
            help="The workers that are to take it, by their queue.  [encode]",
        ),
        click.option("--priority", type=click.IntRange(-100, 100), help="Higher runs sooner."),
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


@click.command(epilog=EXAMPLES)
@_job_options
@click.option("--wait", is_flag=True, help="Stay until the job ends; the exit code tells how.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), help="With --wait: seconds after which to stop waiting."
)
@click.option("--idempotency-key", "key", help="Makes it safe to run this command twice.")
@remote
async def submit(
    client: Client, out: Out, *, wait: bool, timeout_s: float | None, key: str | None, **asked: object
) -> int:
    """Post a job. SOURCE is a URL, a local file, or - for standard input.

    A local file that the server may not read where it stands goes with the job, or from 12 MB on before it, as an
    upload. Whoever is logged in on this machine can see the words of a command: write places with secrets in them
    into a job, and send that with --job FILE, or - for standard input.
    """
    job = Asked(**asked)  # type: ignore[arg-type]  # click's own types

    async def post(whole: Object) -> Object:
        return await client.submit(whole, key=key)

    try:
        accepted = await _tried(client, job, post)
    except place.TooLarge as large:
        from encoder.cli import upload  # noqa: PLC0415  # only then: what brings it takes long to load

        accepted = await upload.and_then(client, out, large, lambda source: post({"source": source, **_rest(job)}))
    job_id = str(accepted["id"])
    if wait:
        out.note(f"job {job_id}")
        return await until_end(client, out, job_id, timeout_s=timeout_s)
    if out.as_json:
        out.data(accepted)
        return exits.DONE
    out.line(job_id)
    for warning in report.warnings(from_json(views.Job, await client.job(job_id))):
        out.note(warning)
    out.next("Watch it", "watch", job_id)
    out.page(job_id)
    return exits.DONE


@click.command()
@_job_options
@remote
async def plan(client: Client, out: Out, **asked: object) -> int:
    """Show what a job would do and why: reasons, commands, cost. Nothing is stored or encoded."""
    answer = await _tried(client, Asked(**asked), client.plan)  # type: ignore[arg-type]  # click's own types
    if out.as_json:
        out.data(answer)
    else:
        out.line("\n".join(planned(from_json(views.Preview, answer))))
        out.note("Nothing was stored. Run the same words with `submit` to have it made.")
    return exits.DONE


@click.command()
@click.argument("source", type=click.Path())
@remote
async def probe(client: Client, out: Out, *, source: str) -> int:
    """Show what a source is: container, streams, sizes, rates, how it was recorded."""
    first = place.source(source, client.url)
    answer = await _or_otherwise(first, client.probe)
    if out.as_json:
        out.data(answer)
    else:
        out.line("\n".join(media(from_json(Media, answer))))
    return exits.DONE


async def _tried(client: Client, asked: Asked, send: Callable[[Object], Awaitable[Object]]) -> Object:
    """Sends the job; a local file whose folder the server does not know goes with it as bytes."""
    if asked.whole:
        return await send(_whole(asked))
    if asked.source is None:
        raise click.UsageError("say a SOURCE, or a whole job with --job.")
    rest = _rest(asked)
    return await _or_otherwise(place.source(asked.source, client.url), lambda source: send({"source": source, **rest}))


async def _or_otherwise(source: Object, send: Callable[[Object], Awaitable[Object]]) -> Object:
    """Sends a source as it is, then in the other ways there are if the server may not read it where it stands."""
    while True:
        try:
            return await send(source)
        except Refused as refusal:
            other = place.instead(source, refusal)
            if other is None:
                raise
        source = other


def _whole(asked: Asked) -> Object:
    assert asked.whole  # noqa: S101  # for the type checker
    if asked != Asked(whole=asked.whole):
        raise click.UsageError("--job is the whole job: SOURCE and options that say a part of it do not go with it.")
    return object_of(asked.whole)


def _rest(asked: Asked) -> Object:
    """All of the job but its source; what was not said is not sent."""
    members: Object = {
        "outputs": _outputs(asked.presets or (DEFAULT_PRESET,), asked.destinations),
        "notificationUrl": asked.notify,
        "tags": list(asked.tags) or None,
        "priority": asked.priority,
        "queue": asked.queue,
    }
    return {name: value for name, value in members.items() if value is not None}


def _outputs(presets: tuple[str, ...], destinations: tuple[str, ...]) -> list[Json]:
    if len(destinations) > len(presets):
        raise click.UsageError("there are more -o than outputs: the n-th -o belongs to the n-th --preset.")
    pairs = zip_longest(presets, destinations)
    return [{"preset": preset, **({"destination": place.destination(to)} if to else {})} for preset, to in pairs]
