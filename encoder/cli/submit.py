"""Posting a job, or only asking what it would be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import click

from encoder.cli import exits, place, report, views
from encoder.cli.asked import Asked, job_options, rest, whole, words
from encoder.cli.client import Client
from encoder.cli.facts import media, planned
from encoder.cli.refused import Object, Refused
from encoder.cli.session import Out, remote
from encoder.cli.watch import until_end
from encoder.model.base import from_json
from encoder.model.media import Media

EXAMPLES = """\b
encoder submit holiday.mov --wait
encoder submit https://example.com/in.mov --preset h264 -o https://example.com/out.mp4 --preset vp9
encoder submit s3://my-bucket/in.mov --preset hevc -o s3://my-bucket/out.mp4
encoder submit --job job.json
"""


@click.command(epilog=EXAMPLES)
@job_options
@click.option("--wait", is_flag=True, help="Stay until the job ends; the exit code tells how.")
@click.option(
    "--timeout", "timeout_s", type=click.FloatRange(min=0), help="With --wait: seconds after which to stop waiting."
)
@click.option("--idempotency-key", "key", help="Makes it safe to run this command twice.")
@remote
async def submit(
    client: Client, out: Out, *, wait: bool, timeout_s: float | None, key: str | None, **asked: object
) -> int:
    """Post a job. SOURCE is a URL, a local file, upload:ID of what lies on the server, or - for standard input.

    A local file that the server may not read where it stands goes with the job, or from 12 MB on before it, as an
    upload. Whoever is logged in on this machine can see the words of a command: write places with secrets in them
    into a job, and send that with --job FILE, or - for standard input.
    """
    job = Asked(**asked)  # type: ignore[arg-type]  # click's own types

    async def post(whole: Object) -> Object:
        return await client.submit(whole, key=key)

    accepted, _ = await _tried(client, out, job, post)
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
@job_options
@remote
async def plan(client: Client, out: Out, **asked: object) -> int:
    """Show what a job would do and why: reasons, commands, cost. No job is made of it.

    A local file goes to the server as with `submit`; what was uploaded can then be submitted as it lies there.
    """
    job = Asked(**asked)  # type: ignore[arg-type]  # click's own types
    answer, source = await _tried(client, out, job, client.plan)
    if out.as_json:
        out.data(answer)
        return exits.DONE
    out.line("\n".join(planned(from_json(views.Preview, answer))))
    out.next("Have it made", "submit", *words(job, _again(source, job.source)), "--wait")
    return exits.DONE


@click.command()
@click.argument("source", type=click.Path())
@remote
async def probe(client: Client, out: Out, *, source: str) -> int:
    """Show what a source is: container, streams, sizes, rates, how it was recorded."""
    answer, there = await _or_otherwise(client, out, place.source(source, client.url), client.probe)
    if out.as_json:
        out.data(answer)
        return exits.DONE
    out.line("\n".join(media(from_json(Media, answer))))
    out.next("See what would be made of it", "plan", _again(there, source) or source, "--preset", "h264")
    return exits.DONE


async def _tried(
    client: Client, out: Out, asked: Asked, send: Callable[[Object], Awaitable[Object]]
) -> tuple[Object, Object]:
    """Sends the job; a local file whose folder the server does not know is sent too. The answer, and its source."""
    if asked.whole:
        return await send(whole(asked)), {}
    if asked.source is None:
        raise click.UsageError("say a SOURCE, or a whole job with --job.")
    others = rest(asked)
    first = place.source(asked.source, client.url)
    return await _or_otherwise(client, out, first, lambda source: send({"source": source, **others}))


async def _or_otherwise(
    client: Client, out: Out, source: Object, send: Callable[[Object], Awaitable[Object]]
) -> tuple[Object, Object]:
    """Sends a source as it is, then in the other ways there are if the server may not read it where it stands.

    The answer, and the source to which it is one.
    """
    try:
        while True:
            try:
                return await send(source), source
            except Refused as refusal:
                other = place.instead(source, refusal)
                if other is None:
                    raise
            source = other
    except place.TooLarge as large:
        from encoder.cli import upload  # noqa: PLC0415  # only then: what brings it takes long to load

        return await upload.and_then(client, out, large, send)


def _again(source: Object, said: str | None) -> str | None:
    """How a source is said once more: what lies on the server already need not be sent again."""
    return f"{place.UPLOAD}{source['fileId']}" if source.get("kind") == "upload" else said
