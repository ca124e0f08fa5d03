"""Restarts one role after the other under load: `make rolling [ARGS="--database mariadb --seconds 300 --write"]`.

No call may fail but for a 503 that says when to come back; no job may be lost; no attempt and no loss may be charged.
`--terms 500` then tells workers to stop at random points, without any grace, and measures how soon all is given back.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos import database, page
from tests.chaos.crew import Crew
from tests.chaos.customers import Customers
from tests.chaos.terms import Terms, terms
from tests.lab import audit, media, witness
from tests.lab.balancer import Balancer
from tests.lab.databases import BOTH, ask
from tests.lab.hook import Hook
from tests.lab.platform import Platform, free_port, until

AT_ONCE = 4  # jobs
DRAIN_S = 5


@dataclass(frozen=True, kw_only=True)
class Figures:
    seconds: float
    customers: Customers
    stops_s: dict[str, list[float]]  # by role: from SIGTERM to the end of the process
    given_back: int
    wrong: Sequence[str] = field(default_factory=list)


async def rolling(
    folder: Path, *, on: str, seconds: float, every_s: float, seed: int, apis: int = 3, workers: int = 4
) -> Figures:
    """Run it in the new folder `folder`: one of the roles is restarted each `every_s`.

    For no `seconds` one of each kind is, and no job takes long.
    """
    folder.chmod(0o755)  # the database runs as another user
    chance = random.Random(seed)  # noqa: S311  # chance that can be repeated
    server = database.made(on, folder / "db")
    async with AsyncExitStack() as stack:
        dsn = await server.start()
        stack.push_async_callback(server.stop, at_once=True)
        balancer = await stack.enter_async_context(Balancer(ports=[free_port() for _ in range(apis)]))
        settings = {
            "ENCODER_DRAIN_SECONDS": str(DRAIN_S),
            "ENCODER_LEASE_SECONDS": "60",
            "ENCODER_PUBLIC_URL": f"http://127.0.0.1:{balancer.port}",
        }
        platform = Platform(dsn=dsn, folder=folder, port=balancer.port, extra=settings)
        stack.push_async_callback(platform.stop)
        shutil.copy(media.clip(seconds=24), folder / "in.mp4")
        crew = Crew(platform=platform, chance=chance)
        await crew.start("api", balancer.ports)
        await witness.install(dsn)
        await crew.start("worker", [free_port() for _ in range(workers)])
        await until(lambda: _all_are_ready(balancer), within_s=30)
        hook = await stack.enter_async_context(Hook())
        customers = Customers(
            platform=platform, chance=random.Random(chance.random()), hook=hook, long=0.2 if seconds else 0.0  # noqa: S311  # as above
        )  # fmt: skip
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            buying = group.create_task(customers.run(AT_ONCE if seconds else 1))
            await (crew.roll(seconds, every_s) if seconds else crew.once())
            customers.over.set()
            await buying
        took_s = time.monotonic() - began
        await until(lambda: _all_told(dsn), within_s=60)
        wrong = [*customers.wrong, *balancer.broken, *crew.wrong, *await _charged(dsn)]
        try:
            await audit.audit(platform, delivered=platform.storage, hook=hook)
        except AssertionError as error:
            wrong += str(error).splitlines()
        ((given_back,),) = await ask(dsn, "SELECT coalesce(sum(released), 0) FROM tasks")
        return Figures(
            seconds=took_s, customers=customers, stops_s=crew.stops_s, given_back=int(given_back), wrong=wrong
        )


async def _all_are_ready(balancer: Balancer) -> bool:
    return len(balancer.ready) == len(balancer.ports)


async def _all_told(dsn: str) -> bool:
    return await ask(dsn, "SELECT count(*) FROM webhook_deliveries WHERE state = 'pending'") == [(0,)]


async def _charged(dsn: str) -> list[str]:
    question = "SELECT id, kind, attempt, lost FROM tasks WHERE attempt > 1 OR lost > 0"
    return [
        f"task {id_} ({kind}): attempt {attempt}, lost {lost}" for id_, kind, attempt, lost in await ask(dsn, question)
    ]


def told(figures: Figures, name: str, every_s: float, seed: int) -> str:
    """Markdown."""
    customers, stops = figures.customers, figures.stops_s
    answers = ", ".join(f"{count} × {status}" for status, count in sorted(customers.answers.items()))
    return page.table(
        {
            "database, length, restart each, seed": f"{name}, {figures.seconds:.0f} s, {every_s:.0f} s, {seed}",
            "restarts": ", ".join(f"{len(times)} × {kind}" for kind, times in sorted(stops.items())),
            "longest stop": ", ".join(f"{kind} {max(times):.1f} s" for kind, times in sorted(stops.items())),
            "answers": f"{answers}; slowest {customers.slowest_s:.1f} s",
            "live streams that were ended and taken up again": f"{customers.streams}",
            "jobs completed": f"{customers.completed}",
            "tasks given back, uncharged": f"{figures.given_back}",
            "calls that failed, jobs lost, attempts or losses charged": f"{len(figures.wrong)}",
        }
    )


def told_of_terms(found: Terms, name: str, seed: int) -> str:
    return page.table(
        {
            "database, seed": f"{name}, {seed}",
            "SIGTERMs without grace": f"{len(found.stops_s)}, of which {found.holding} met work",
            "from SIGTERM to all given back and the process gone": (
                f"p50 {found.stop_s(0.5):.2f} s, p95 {found.stop_s(0.95):.2f} s, most {found.stop_s(1):.2f} s"
            ),
            "jobs completed in the end": f"{found.completed}",
            "lost, charged, left behind": f"{len(found.wrong)}",
        }
    )


async def run(asked: argparse.Namespace, folder: Path) -> Sequence[str]:
    """What was wrong."""
    wrong: list[str] = []
    if asked.seconds:
        (folder / "rolling").mkdir()
        figures = await rolling(
            folder / "rolling", on=asked.database, seconds=asked.seconds, every_s=asked.every, seed=asked.seed
        )
        wrong += figures.wrong
        table = told(figures, asked.database, asked.every, asked.seed)
        print(table, flush=True)
        if asked.write:
            page.write(f"rolling {asked.database}", table)
    if asked.terms:
        (folder / "terms").mkdir()
        found = await terms(folder / "terms", on=asked.database, times=asked.terms, seed=asked.seed)
        wrong += found.wrong
        table = told_of_terms(found, asked.database, asked.seed)
        print(table, flush=True)
        if asked.write:
            page.write(f"terms {asked.database}", table)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="make rolling", description=__doc__)
    parser.add_argument("--database", choices=BOTH, default=BOTH[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--terms", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311  # it is printed
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="encoder-rolling-"))
    folder.chmod(0o755)
    print(f"rolling: {asked.database}, seed {asked.seed}, {asked.seconds:.0f} s, in {folder}", flush=True)
    wrong = asyncio.run(run(asked, folder))
    print(*wrong, sep="\n")
    if not wrong:
        shutil.rmtree(folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
