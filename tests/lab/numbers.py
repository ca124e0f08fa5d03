"""What a process tells Prometheus: this one, and others by their address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import aiohttp
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from encoder.metrics import family


@dataclass(frozen=True)
class Numbers:
    """One scrape."""

    text: str

    @property
    def families(self) -> list[Metric]:
        return list(text_string_to_metric_families(self.text))

    @property
    def names(self) -> set[str]:
        """Of metrics, as they are documented."""
        return {each.name + "_total" * (each.type == "counter") for each in self.families}

    def sum(self, name: str, **labels: str) -> float:
        """Of all series of a name that have these labels; 0 of none."""
        return sum(
            sample.value
            for each in self.families
            for sample in each.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def here() -> Numbers:
    """Of this process."""
    return Numbers(family.text().decode())


async def scraped(url: str, headers: Iterable[tuple[str, str]] = ()) -> Numbers:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics", headers=dict(headers)) as response:
        assert response.status == 200, response.status
        return Numbers(await response.text())


class Growth:
    """How much something is counted up from now on."""

    def __init__(self, name: str, **labels: str) -> None:
        self._name, self._labels = name, labels
        self._begun = here().sum(name, **labels)

    @property
    def now(self) -> float:
        return here().sum(self._name, **self._labels) - self._begun
