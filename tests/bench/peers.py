"""Our queue beside five others on PostgreSQL: pick-up, enqueue, drain, backlog, what broke others, idle.

`make bench ARGS=peers` takes some fifteen minutes, `ARGS=peers:quick` less than three. More words after colons:
`write` puts the tables into docs/why/benchmarks.md; names of contenders or of cases (basics, backlog, stale, future,
held, idle) leave the others out.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from encoder.embedded import programs
from tests.bench.beside import cases
from tests.bench.beside.cases import FULL, QUICK, Command, Size
from tests.bench.beside.contenders import BARE, CONTENDERS, Contender
from tests.bench.beside.kit import Kit, equip
from tests.bench.beside.tables import Figures, report
from tests.bench.page import write

CASES = ("basics", "backlog", "stale", "future", "held", "idle")
T = TypeVar("T")
Measure = Callable[[Contender, Command, Size], Awaitable[T]]


async def run(*said: str) -> None:
    unknown = set(said) - {"quick", "write", *CASES, *(each.name for each in CONTENDERS)}
    if unknown:
        raise SystemExit(f"peers: what is {', '.join(sorted(unknown))}?")
    contenders = [each for each in CONTENDERS if each.name in said] or list(CONTENDERS)
    wanted = [case for case in CASES if case in said] or list(CASES)
    size = QUICK if "quick" in said else FULL
    kit = await equip(contenders)
    for name, why in kit.missing.items():
        print(f"{name} is not there: {why}")
    begun, load = time.monotonic(), os.getloadavg()[0]
    figures = await measured([each for each in contenders if each.name in kit.commands], kit, size, wanted)
    told = f"{_machine(load, time.monotonic() - begun)}\n\n{_versions(kit)}\n\n{report(figures)}"
    print(told)
    if "write" in said:
        write("peers", told)


async def measured(contenders: Sequence[Contender], kit: Kit, size: Size, wanted: Sequence[str]) -> Figures:
    """Every case of every contender, one after the other, so that no two share the machine; but idle ones may."""
    figures = Figures()
    whole = [each for each in contenders if each is not BARE]
    if "basics" in wanted:
        for _ in range(size.rounds):
            figures.basics.append(await _each(cases.basics, contenders, kit, size))
    if "backlog" in wanted:
        figures.backlog = await _each(cases.backlog, whole, kit, size)
    if "stale" in wanted:
        figures.stale = await _each(cases.stale, whole, kit, size)
    if "future" in wanted:
        figures.future = await _each(cases.future, whole, kit, size)
    if "held" in wanted:
        figures.held = await _each(cases.held, whole, kit, size)
    if "idle" in wanted:
        found = await asyncio.gather(*(_one(cases.idle, each, kit, size) for each in whole))
        figures.idle = {each.name: idle for each, idle in zip(whole, found, strict=True) if idle is not None}
    return figures


async def _each(measure: Measure[T], contenders: Sequence[Contender], kit: Kit, size: Size) -> dict[str, T]:
    found = {each.name: await _one(measure, each, kit, size) for each in contenders}
    return {name: value for name, value in found.items() if value is not None}


async def _one(measure: Measure[T], contender: Contender, kit: Kit, size: Size) -> T | None:
    """None, and a word on it, where a contender fails: the others are measured all the same."""
    begun = time.monotonic()
    name = f"{getattr(measure, '__name__', measure)} of {contender.name}"
    try:
        found = await measure(contender, kit.commands[contender.name], size)
    except (ChildProcessError, OSError) as error:
        print(f"{name} failed: {error}", flush=True)
        return None
    print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    return found


def _machine(load: float, seconds: float) -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, PostgreSQL"
        f" {programs.find(None).major} with its defaults, Python {platform.python_version()}; load of the machine"
        f" before: {load:.1f}; took {seconds / 60:.0f} min."
    )


def _versions(kit: Kit) -> str:
    lines = ["| | version | takes | settles | leaves out |", "|---|---|---|---|---|"]
    for each in CONTENDERS:
        version = kit.versions.get(each.name, kit.missing.get(each.name, ""))
        lines.append(f"| {each.name} | {version} | {each.takes} | {each.settles} | {each.leaves_out} |")
    return "\n".join(lines)
