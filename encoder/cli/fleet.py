"""The machines that work, and what they have done."""

from __future__ import annotations

import click

from encoder.cli import exits
from encoder.cli.client import Client, Object
from encoder.cli.session import Out, remote
from encoder.cli.text import clean


@click.command()
@remote
async def workers(client: Client, out: Out) -> int:
    """List live workers and what each runs now."""
    found = await client.workers()
    for worker in found:
        if out.as_json:
            out.data(worker)
        else:
            out.line(_worker(worker))
    if not found:
        out.note("No worker is alive. Start one here: encoder up")
    return exits.DONE


def _worker(worker: Object) -> str:
    running = worker.get("running")
    tasks = [task for task in running if isinstance(task, dict)] if isinstance(running, list) else []
    doing = ", ".join(f"job {task.get('jobId')} {task.get('stage') or ''}".strip() for task in tasks) or "idle"
    return clean(f"{worker.get('host')}  {worker.get('version')}  {doing}")


@click.command()
@remote
async def stats(client: Client, out: Out) -> int:
    """Count jobs by state and tasks by queue."""
    answer = await client.stats()
    if out.as_json:
        out.data(answer)
        return exits.DONE
    jobs = answer.get("jobs")
    for state, count in (jobs if isinstance(jobs, dict) else {}).items():
        out.line(clean(f"{state:<12} {count:>8}"))
    return exits.DONE
