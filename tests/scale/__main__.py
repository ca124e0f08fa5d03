"""Simulates fleets of 1 to 1,000 workers and prints what came of it: `make scale [ARGS=--write]`.

`--write` puts it into docs/operate/scale.md. `measure` takes some ten minutes, and writes traces.json: what chunks cost
on this machine and what workers ask of the database. `check` runs jobs on two real workers, and the same in the
simulator.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any

from encoder.log import configure
from tests.scale import check, costs, page, trace, watched

_MEASURED = ("statements", "costs", "cores")


async def measure(only: Sequence[str]) -> None:
    """`only`: some of it; the rest stays as it is."""
    found: dict[str, Any] = {}
    if "statements" in only:
        found["statements"] = await watched.watched()
    if "costs" in only:
        found |= {"where": costs.where(), "around": await costs.around(), "encodes": await costs.encodes()}
    if "cores" in only:
        found["cores"] = await costs.cores()
    before = json.loads(trace.FILE.read_text()) if trace.FILE.exists() else {}
    trace.FILE.write_text(json.dumps(before | found, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make scale", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("simulate", "measure", "check"), default="simulate")
    parser.add_argument("--only", nargs="*", choices=_MEASURED, default=_MEASURED, help="what is measured anew")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    configure(level="error")
    match asked.what:
        case "measure":
            asyncio.run(measure(asked.only))
        case "check":
            told = asyncio.run(check.run())
            print(told)
            if asked.write:
                page.write("check", told)
        case _:
            for name, told in page.tables().items():
                print(f"\n## {name}\n{told}")
                if asked.write:
                    page.write(name, told)


main()
