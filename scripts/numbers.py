"""docs/reference/metrics.md, from the metrics themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType

from encoder.metrics import api, database, encode, fleet, process, queue, transfer, worker
from encoder.metrics.family import Facts, Family

INTRO = """# Metrics

Written by `make docs` from `encoder/metrics/`. For Prometheus: `GET /metrics` of the API, which with `encoder up` tells
the worker's numbers too; a worker by itself answers on `ENCODER_METRICS_PORT`, to `/livez` and `/readyz` as well.
Alerts and boards that use them: [watching it](../operate/monitoring.md).

A role tells of its own process alone, but for [the platform](#the-platform), which each API reads in the database at
most every 10 s: take the `max` of those over all APIs; while the database is away they are not told. What was never
counted is not told either, but for counters whose words are known and whose rise alerts or boards read: they begin at 0
(`tests/unit/test_zeros.py`). Where the API asks for [keys](calling.md#keys), this one must have the scope `admin`
(`authorization: {credentials_file: …}` in Prometheus).

Labels are words of ours: never an id, a name, an address or a message; but for queues, which the operator names, and
tenants, if that was asked for. One process tells at most 3,000 series, whatever there are of jobs, tenants, hosts and
files: beyond as many sets of labels as a metric has room for, it counts as `other`. Both are held by
`tests/unit/test_metrics.py`, names and words by `promtool check metrics` in `tests/integration/test_metrics.py`.
"""

SECTIONS: Mapping[str, ModuleType] = {
    "Every role": process,
    "API": api,
    "Queue": queue,
    "Worker": worker,
    "ffmpeg": encode,
    "Transfers and webhooks": transfer,
    "Database": database,
    "The platform": fleet,
}


def page() -> str:
    return INTRO + "".join(map(_section, SECTIONS))


def _section(title: str) -> str:
    rows = "".join(f"| `{each.name}` | {each.kind} | {_labels(each)} | {each.about} |\n" for each in facts(title))
    return f"\n## {title}\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n{rows}"


def facts(title: str) -> Iterator[Facts]:
    """The metrics of one section, in their order."""
    yield from (each.facts for each in vars(SECTIONS[title]).values() if isinstance(each, Family))


def _labels(each: Facts) -> str:
    return " ".join(f"`{label}`" for label in each.labels) or "–"
