"""Whatever alerts and boards ask of is among the metrics that there are, by name and label."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.boards import BOARDS
from scripts.monitoring import FILES, MONITORING

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"

_ROW = re.compile(r"^\| `(encoder_\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
_SERIES = re.compile(r"\b(encoder_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPED = re.compile(r"\b(?:by|on|ignoring|without)\s*\(([^)]*)\)")
_SHOWN = re.compile(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}")
_OF_SCRAPES = {"instance", "job", "pod", "namespace"}  # labels that Prometheus adds


def _known() -> Iterator[tuple[str, frozenset[str]]]:
    """Each series that may be scraped, and its labels: by the page that the registry writes."""
    for name, kind, labels in _ROW.findall(PAGE.read_text()):
        own = frozenset(re.findall(r"`(\w+)`", labels))
        if kind == "histogram":
            yield from ((f"{name}_bucket", own | {"le"}), (f"{name}_sum", own), (f"{name}_count", own))
        else:
            yield name, own


KNOWN = dict(_known())


def _asked() -> Iterator[Any]:
    """Expressions, and what is shown beside them."""
    for group in yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            shown = " ".join(rule["annotations"].values())
            yield pytest.param(rule["expr"], shown, id=f"{rule['alert']} {rule['labels']['severity']}")
    for name in BOARDS:
        for panel in json.loads(FILES[f"dashboards/{name}.json"]())["panels"]:
            for number, target in enumerate(panel["targets"]):
                shown = target["legendFormat"].replace("__auto", "")
                yield pytest.param(target["expr"], shown, id=f"{name}: {panel['title']} {number}")


def faults(expression: str, shown: str) -> list[str]:
    """What an expression asks of that is not there."""
    told: list[str] = []
    labels: set[str] = set(_OF_SCRAPES)
    for name, matchers in _SERIES.findall(expression):
        if name not in KNOWN:
            told.append(f"no metric {name}")
            continue
        labels |= KNOWN[name]
        told += [f"no label {label} of {name}" for label in set(_MATCHER.findall(matchers)) - KNOWN[name]]
    grouped = {label.strip() for labels in _GROUPED.findall(expression) for label in labels.split(",")} - {""}
    told += [f"no label {label}" for label in (grouped | set(_SHOWN.findall(shown))) - labels - {"value"}]
    return told


@pytest.mark.parametrize(("expression", "shown"), list(_asked()))
def test_what_is_asked_of_prometheus_is_there(expression: str, shown: str) -> None:
    assert _SERIES.search(expression)
    assert faults(expression, shown) == []


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("encoder_nothing", ""),
        ('encoder_queue_tasks{status="x"}', ""),
        ("sum by (verb) (encoder_queue_tasks)", ""),
        ("encoder_queue_oldest_seconds", "{{ $labels.tenant }}"),
        ("encoder_queue_oldest_seconds", "{{tenant}}"),
        ("encoder_task_wait_seconds", ""),
    ],
)
def test_what_is_not_there_is_seen(expression: str, shown: str) -> None:
    assert faults(expression, shown)
