"""Debian's Prometheus, which scrapes what a test runs, and asks it what it saw."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.lab.platform import free_port, until

NEEDED = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="needs Debian's prometheus, which root's set-up installs"
)
START_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """`targets`: how many it scrapes."""

    url: str
    targets: int

    async def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now: `metric`, its labels, and `value`, a pair of time and text."""
        return list((await self._get("query", query=expression))["result"])

    async def alerts(self) -> dict[str, str]:
        """The alerts that are not silent: `pending` or `firing`."""
        return {each["labels"]["alertname"]: each["state"] for each in (await self._get("alerts"))["alerts"]}

    async def rules(self) -> list[dict[str, Any]]:
        """Each rule as it was evaluated last; `health` is `ok`, unless its expression failed."""
        return [rule for group in (await self._get("rules"))["groups"] for rule in group["rules"]]

    async def scraped(self, times: int = 1) -> None:
        """Wait until every target has been scraped so often from now on."""
        before = {str(each["metric"]): float(each["value"][1]) for each in await self.ask(_SCRAPES)}

        async def so_often() -> bool:
            now = {str(each["metric"]): float(each["value"][1]) for each in await self.ask(_SCRAPES)}
            return len(now) == self.targets and all(count >= before.get(name, 0) + times for name, count in now.items())

        await until(so_often, within_s=START_S)

    async def _get(self, path: str, **words: str) -> dict[str, Any]:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/api/v1/{path}", params=words) as answer:
            told = await answer.json()
            assert told["status"] == "success", told
            return dict(told["data"])


_SCRAPES = "count_over_time(up[1h]) and up == 1"


@asynccontextmanager
async def scraping(
    folder: Path, targets: Mapping[str, Sequence[str]], *, rules: Path | None = None, every: str = "1s"
) -> AsyncIterator[Prometheus]:
    """Scrape `targets`, by the name of their job, and weigh `rules`, so often. Its data lie in `folder`."""
    folder.mkdir(exist_ok=True)
    port = free_port()
    config = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [] if rules is None else [str(rules)],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": list(addresses)}]} for name, addresses in targets.items()
        ],
    }
    (folder / "prometheus.json").write_text(json.dumps(config))
    with (folder / "prometheus.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={folder / 'prometheus.json'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=output,
            stderr=output,
        )
    started = Prometheus(url=f"http://127.0.0.1:{port}", targets=sum(map(len, targets.values())))

    async def answers() -> bool:
        assert process.returncode is None, (folder / "prometheus.log").read_text()
        try:
            await started.ask("up")
        except aiohttp.ClientError:
            return False
        return True

    try:
        await until(answers, within_s=START_S)
        yield started
    finally:
        process.terminate()
        await process.wait()
