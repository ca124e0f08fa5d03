"""Prints measurements: `make bench [ARGS="job queue"]`. Each is a ratio to a floor or peer of the same run."""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import sys

from encoder.log import configure

CASES = ("queue", "pickup", "job", "fetch", "transfer")


async def main(wanted: list[str]) -> None:
    configure(level="error")
    load = os.getloadavg()[0]
    print(
        f"# {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before: {load:.2f}"
    )
    for name in wanted or CASES:
        case = importlib.import_module(f"tests.bench.{name}")
        print(f"\n## {name}: {(case.__doc__ or '').splitlines()[0]}")
        await case.run()


asyncio.run(main(sys.argv[1:]))
