"""Asks a server whether its document is true: `python -m tests.lab.document [--seconds 600] [--seed 7] [--valid]`.

schemathesis makes requests of /openapi.json, those that it allows and those that it forbids, one by one and along its
links, and holds every answer to what is promised there: status, type, schema, and no 5xx. With `--valid` it makes those
alone that are also sensible (`tests.lab.sensible`), and each must be taken.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from encoder.api.auth import KeyGate
from encoder.model.ids import DEFAULT_TENANT
from encoder.model.job import Place
from encoder.model.key import Scope, digest, new_key, shown
from encoder.model.media import Media
from encoder.store.engines import open_store
from encoder.store.kept import NewKey
from encoder.store.protocol import Store
from tests.lab import facts, postgres
from tests.lab.api import Api, NoInspector, running
from tests.lab.platform import REPOSITORY

CONFIG = Path(__file__).with_suffix(".toml")
PROGRAM = Path(sys.executable).parent / "st"
# of nine requests in ten that are thought up member by member: the job language has many
SHORT = """
[[operations]]
include-method = ["POST", "PUT"]
[operations.phases.coverage]
enabled = false
"""


class Finds(NoInspector):
    """Every source holds the same video."""

    async def inspect(self, _source: Place) -> Media:
        return facts.source()


@asynccontextmanager
async def guarded(store: Store, folder: Path) -> AsyncIterator[tuple[Api, str]]:
    """A server that asks for keys, and a key that opens everything."""
    key = new_key()
    new = NewKey(tenant_id=DEFAULT_TENANT, name="all", prefix=shown(key), digest=digest(key), scopes=frozenset(Scope))
    await store.add_key(new)
    async with running(store, folder, gate=KeyGate(store), inspector=Finds()) as api:
        yield api, key


async def asked(
    url: str, key: str, folder: Path, *, seed: int, seconds: int | None = None, valid: bool = False
) -> tuple[int, str]:
    """Exit code and report.

    `seconds`: for so long it goes on thinking up requests; None: only some are made. `valid`: all of them are in order
    and sensible, and none may be refused for what it says.
    """
    config = folder / "document.toml"
    text = CONFIG.read_text() + ("" if seconds else SHORT)
    config.write_text(
        text.replace('mode = "all"', 'mode = "positive"').replace('"422", "429"]', '"429"]') if valid else text
    )
    hooks = "tests.lab.sensible" if valid else "tests.lab.spoken"
    ours = {"SCHEMATHESIS_HOOKS": hooks, "PYTHONPATH": str(REPOSITORY), "LAB_ROOT": str(folder / "root")}
    much = (
        ["--max-time", str(seconds), "--max-examples", "100"] if seconds else ["--max-examples", "1" if valid else "2"]
    )
    much += ["--phases", "examples,fuzzing"] if valid and not seconds else []
    process = await asyncio.create_subprocess_exec(
        *(str(PROGRAM), "--config-file", str(config), "--no-color", "run", f"{url}/openapi.json"),
        *("--header", f"Authorization: Bearer {key}", "--seed", str(seed), *much),
        cwd=folder,
        env=os.environ | ours,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, told.decode()


async def _run(wanted: argparse.Namespace, cluster: postgres.Cluster, folder: Path) -> tuple[int, str]:
    async with cluster.ready() as dsn:
        store = await open_store(dsn)
        async with guarded(store, folder) as (api, key):
            told = await asked(api.url, key, folder, seed=wanted.seed, seconds=wanted.seconds, valid=wanted.valid)
        await store.close()
    return told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.lab.document", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311  # it is printed
    parser.add_argument("--valid", action="store_true", help="only what must be taken")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="encoder-document-"))
    print(f"document: seed {wanted.seed}, {wanted.seconds} s", flush=True)
    with postgres.cluster(folder / "cluster") as cluster:
        code, told = asyncio.run(_run(wanted, cluster, folder))
    shutil.rmtree(folder)
    print(told)
    return code


if __name__ == "__main__":
    sys.exit(main())
