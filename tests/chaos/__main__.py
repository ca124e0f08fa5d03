"""Strikes a fleet for a while and prints what became of its jobs: `make chaos [ARGS="--database mariadb --seed 7"]`.

`--write` puts the figures into docs/why/reliability.md. The same seed does the same to the same jobs, as far as the
machine's own timing allows.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos import page
from tests.chaos.soak import Figures, soak
from tests.lab import rgw
from tests.lab.databases import BOTH


def table(figures: Figures, database: str, seed: int) -> str:
    """Markdown."""
    jobs = figures.callers
    rows = {
        "database, length, seed": f"{database}, {figures.seconds:.0f} s, {seed}",
        "jobs accepted": f"{jobs.get('submitted', 0)} ({jobs.get('asked again', 0)} requests repeated under their key)",
        "ended": ", ".join(f"{jobs.get(end, 0)} {end}" for end in ("completed", "cancelled", "failed")),
        "asked meanwhile": ", ".join(
            f"{jobs.get(deed, 0)} {deed}" for deed in ("asked to cancel", "retried", "deleted")
        ),
        "faults": ", ".join(f"{number} {what}" for what, number in sorted(figures.faults.items())),
        "recovery, kill to claimed again": f"p50 {figures.recovery(0.5):.1f} s, p95 {figures.recovery(0.95):.1f} s "
        f"(of {len(figures.recovery_s)}; lease 2 s)",
        "webhooks received": f"{figures.webhooks}",
        "looks at all rows meanwhile": f"{figures.looks}",
        "lost, duplicate, orphaned, inconsistent": f"{len(figures.wrong)}",
    }
    return page.table(rows)


async def run(database: str, seconds: float, seed: int, workers: int) -> Figures:
    folder = Path(tempfile.mkdtemp(prefix="encoder-chaos-"))
    print(f"chaos: {database}, seed {seed}, {seconds:.0f} s, in {folder}", flush=True)
    with rgw.gateway(folder / "rgw") as s3:
        (folder / "soak").mkdir()
        folder.chmod(0o755)
        figures = await soak(
            folder / "soak", on=database, seconds=seconds, seed=seed, bucket=s3.bucket(), workers=workers
        )
    if not figures.wrong:
        shutil.rmtree(folder)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--database", choices=BOTH, default=BOTH[0])
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311  # it is printed
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    figures = asyncio.run(run(asked.database, asked.seconds, asked.seed, asked.workers))
    told = table(figures, asked.database, asked.seed)
    print(told, *figures.wrong, sep="\n")
    if asked.write:
        page.write(f"soak {asked.database}", told)
    return 1 if figures.wrong else 0


sys.exit(main())
