"""What ffmpeg said, and what it says just now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import click

from encoder.cli import complete, exits, views
from encoder.cli.client import Client
from encoder.cli.refused import Object, Refused
from encoder.cli.session import Out, remote
from encoder.cli.text import clean
from encoder.cli.watch import leaving
from encoder.model.base import from_json

AGAIN_S = 1.0  # a worker tells with its beats
_ENDED = frozenset({"uploaded", "failed", "cancelled"})
_NONE_YET = 404


@click.command()
@click.argument("job", shell_complete=complete.jobs)
@click.argument("output", type=click.IntRange(min=0), required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the output has ended, or Ctrl-C.")
@remote
async def log(client: Client, out: Out, *, job: str, output: int | None, follow: bool) -> int:
    """Print ffmpeg's log of a job's OUTPUT, by its number, on its last attempt.

    Without OUTPUT: of the first that failed, else of the first. With --follow and --json, each piece as it comes.
    """
    if output is None:
        output = _first(from_json(views.Job, await client.job(job)))
    if follow:
        async with leaving(out, lambda: "Stopped reading; the job goes on.", None):
            await _follow(client, out, job, output)
        return exits.DONE
    text = await client.log(job, output)
    if out.as_json:
        out.data({"job": job, "output": output, "log": text})
    else:
        out.line("\n".join(map(clean, text.splitlines())))
    return exits.DONE


def _first(job: views.Job) -> int:
    return next((output.id for output in job.outputs if output.error), 0)


async def _follow(client: Client, out: Out, job: str, output: int) -> None:
    reading = Reading()
    while True:
        shown = from_json(views.Job, await client.job(job))
        ended = shown.ended or any(each.id == output and each.status in _ENDED for each in shown.outputs)
        told = await _tail(client, job, output, ended=ended)
        if told is not None and out.as_json:
            out.data(told)
        elif told is not None:
            for line in reading.lines(int(str(told["at"])), str(told["text"]), last=ended):
                out.line(clean(line))
        if ended:
            return
        await asyncio.sleep(AGAIN_S)


async def _tail(client: Client, job: str, output: int, *, ended: bool) -> Object | None:
    """What ffmpeg said lately; None: nothing as yet."""
    try:
        return await client.tail(job, output)
    except Refused as refused:
        if refused.status == _NONE_YET and not ended:
            return None
        raise


class Reading:
    """How far a log was read of which one is shown the end, again and again."""

    def __init__(self) -> None:
        self._seen = 0

    def lines(self, at: int, text: str, *, last: bool = False) -> Iterator[str]:
        """The lines of `text` that are new. `at`: so many characters came before it; `last`: nothing comes after it."""
        if at + len(text) < self._seen:
            yield "… ffmpeg was started anew …"
            self._seen = 0
        if at > self._seen:
            if self._seen:
                yield f"… {at - self._seen} characters were passed over …"
            self._seen = at
        fresh = text[self._seen - at :]
        whole = fresh if last else fresh[: fresh.rfind("\n") + 1]
        self._seen += len(whole)
        yield from whole.splitlines()
