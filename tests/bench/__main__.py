"""Prints measurements: `make bench [ARGS="job queue fetch:20"]`. Each is a ratio to a floor or peer of the same run.

What follows a colon is said to the case: see its `run`.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import signal
import sys

from encoder.log import configure

CASES = (
    "queue",
    "peers",
    "job",
    "api",
    "sse",
    "ladder",
    "chunks",
    "fetch",
    "transfer",
    "overlap",
    "pictures",
    "dashboard",
)


async def main(wanted: list[str]) -> None:
    configure(level="error")
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)  # what was started is ended
    load = os.getloadavg()[0]
    print(
        f"# {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before: {load:.2f}"
    )
    for word in wanted or CASES:
        name, *said = word.split(":")
        case = importlib.import_module(f"tests.bench.{name}")
        print(f"\n## {name}: {(case.__doc__ or '').splitlines()[0]}")
        await case.run(*said)


asyncio.run(main(sys.argv[1:]))
