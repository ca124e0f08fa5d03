"""The machines that work, and what they have done."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from encoder.cli import complete, exits
from encoder.cli.client import Client
from encoder.cli.moment import moment
from encoder.cli.next import command
from encoder.cli.refused import Object
from encoder.cli.session import Out, remote
from encoder.cli.text import ago, clean, count, duration, size


@click.command()
@remote
async def workers(client: Client, out: Out) -> int:
    """List workers and what each runs now; and those that were lost within a day, with what."""
    found = await client.workers()
    for worker in found:
        if out.as_json:
            out.data(worker)
        else:
            out.line(_worker(worker))
    if not any(worker.get("status") != "lost" for worker in found):
        out.note(f"No worker is alive. Start one here: {command('up')}")
    else:
        out.next("Watch what they do", "watch")
    return exits.DONE


def _worker(worker: Object) -> str:
    queues = worker.get("queues")
    taken = ",".join(map(str, queues)) if isinstance(queues, list) else ""
    who = f"{worker.get('host')} pid {worker.get('pid')}  {worker.get('version')}  {taken}"
    silent = datetime.now(UTC) - datetime.fromisoformat(str(worker.get("seenAt")))
    sign = f"last sign {ago(silent.total_seconds())} ago"
    if worker.get("status") == "lost":
        return clean(f"{who}  LOST, {sign}{_lost(worker)}")
    doing = "; ".join(map(_running, _list(worker, "running"))) or "idle"
    stops = "  draining" if worker.get("status") == "draining" else ""
    return clean(f"{who}{stops}  {doing}  {sign}")


def _running(task: Object) -> str:
    progress = task.get("progress")
    share = f" {float(str(progress)):.0%}" if progress is not None else ""
    return f"job {task.get('jobId')}{_part(str(task.get('task')))} {task.get('stage') or ''}".strip() + share


def _part(task: str) -> str:
    """`t1/c0007`: the eighth chunk."""
    part = task.partition("/")[2]
    return f" chunk {int(part[1:]) + 1}" if part[1:].isdecimal() else ""


def _lost(worker: Object) -> str:
    """With what it was lost: jobs, once each."""
    again = {task.get("jobId"): task.get("status") != "failed" for task in _list(worker, "taken")}
    told = [f"job {job} ({'taken over' if is_taken else 'failed'})" for job, is_taken in again.items()]
    return f", with {', '.join(told)}" if told else ""


def _list(worker: Object, member: str) -> list[Object]:
    value = worker.get(member)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


@click.command()
@click.option(
    "--since", type=moment, metavar="TIME", help="Add up what jobs submitted then or later used: 2026-11-20T13:00:00Z."
)
@click.option("--until", type=moment, metavar="TIME", help="Only those that were submitted before.  [else: now]")
@remote
async def stats(client: Client, out: Out, *, since: str | None, until: str | None) -> int:
    """Count jobs by state and tasks by queue, and say what is wrong now."""
    asked = {"createdAfter": since, "createdBefore": until}
    answer = await client.stats(**{name: time for name, time in asked.items() if time})
    if out.as_json:
        out.data(answer)
        return exits.DONE
    jobs = answer.get("jobs")
    for state, number in (jobs if isinstance(jobs, dict) else {}).items():
        out.line(clean(f"{state:<12} {number:>8}"))
    queues = answer.get("queues")
    for queue in queues if isinstance(queues, list) else []:
        if isinstance(queue, dict):
            out.line(_queue(queue))
    used = answer.get("usage")
    if isinstance(used, dict):
        out.line(_usage(used))
        presets = used.get("presets")
        for each in presets if isinstance(presets, list) else []:
            if isinstance(each, dict):
                out.line(clean(f"  {each.get('preset') or 'no preset':<16} {_used(each)}"))
    for trouble in await client.troubles():
        out.note(clean(f"wrong: {trouble.get('message')}"))
    return exits.DONE


def _usage(used: Object) -> str:
    return f"used by {count(round(float(str(used.get('jobs')))), 'job')}: {_used(used)}"


def _used(used: Object) -> str:
    names = ("outputs", "outputMinutes", "cpuSeconds", "deliveredBytes")
    outputs, minutes, cpu_s, size_bytes = (float(str(used.get(name))) for name in names)
    made = count(round(outputs), "output")
    return f"{made}, {duration(60 * minutes)} long, {duration(cpu_s)} of CPU, {size(size_bytes)}"


@click.command()
@click.argument("queue", shell_complete=complete.queues)
@click.option("--because", metavar="WHY", help="Shown with all that waits.")
@remote
async def pause(client: Client, out: Out, *, queue: str, because: str | None) -> int:
    """Start nothing of a queue (encode, io, or one of yours) until it is resumed. What runs goes on."""
    _told(await client.pause(queue, because), out)
    out.next("End the pause", "resume", queue)
    return exits.DONE


@click.command()
@click.argument("queue", shell_complete=complete.queues)
@remote
async def resume(client: Client, out: Out, *, queue: str) -> int:
    """End the pause of a queue."""
    _told(await client.resume(queue), out)
    out.next("Watch what runs", "watch")
    return exits.DONE


def _told(queue: Object, out: Out) -> None:
    if out.as_json:
        out.data(queue)
    else:
        out.line(_queue(queue))


def _queue(queue: Object) -> str:
    counts = ", ".join(f"{queue.get(state)} {state}" for state in ("waiting", "ready", "running", "scheduled"))
    since = queue.get("pausedSince")
    because = queue.get("pausedBecause")
    paused = f"  paused since {since}" + (f": {because}" if because else "") if since else ""
    return clean(f"queue {queue.get('queue'):<6} {counts}{paused}")
