"""What alerts watch for a rise is told before it is counted, for Prometheus takes a first 1 for no rise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
import yaml

from encoder.metrics import family
from encoder.metrics.family import Family
from encoder.store.line import NOTIFY
from encoder.worker import zeros
from scripts import numbers
from scripts.monitoring import MONITORING
from tests.lab.numbers import here

LATER = {
    "encoder_http_requests_total": "of a route, from its first call on (tests/integration/test_metrics.py)",
    "encoder_proof_checks_failed_total": "no list has all checks",
    "encoder_encoded_media_seconds_total": "it grows while it is counted",
    "encoder_beat_lateness_seconds_bucket": "it is counted every few seconds",
    "encoder_db_pool_wait_seconds_bucket": "it is counted every few seconds",
}
_RISES = re.compile(r"(?:increase|rate)\((encoder_\w+)(?:\{([^}]*)\})?\[")
_WORDS = re.compile(r'(\w+)=~?"([^"]*)"')


@pytest.fixture(autouse=True)
def _new() -> Iterator[None]:
    every = [each for module in numbers.SECTIONS.values() for each in vars(module).values() if isinstance(each, Family)]
    for metric in every:
        metric.clear()
    yield
    for metric in every:
        metric.clear()


def test_a_worker_tells_from_its_start_what_alerts_watch_for_a_rise() -> None:
    rules = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    told = " ".join(rule["expr"] for group in rules["groups"] for rule in group["rules"])
    watched = [(name, dict(_WORDS.findall(labels))) for name, labels in _RISES.findall(told.replace("\\\\", "\\"))]
    zeros.tell(["encode", "io"], ["transcode", NOTIFY])
    missing = {name for name, labels in watched if not _is_told(name, labels)}
    assert missing == set(LATER)


def test_messages_and_jobs_are_told_of_their_own_queues_alone() -> None:
    zeros.tell(["encode", "slow", "io"], ["transcode", NOTIFY])
    pairs = set(re.findall(r'task_wait_seconds_count\{kind="(\w+)",queue="(\w+)"\}', family.text().decode()))
    assert pairs == {("transcode", "encode"), ("transcode", "slow"), (NOTIFY, "io")}


def test_a_worker_that_tells_nobody_tells_nothing_of_telling() -> None:
    zeros.tell(["encode"], ["transcode", NOTIFY])
    assert "webhook" not in family.text().decode()


def _is_told(name: str, labels: Mapping[str, str]) -> bool:
    return any(
        sample.name == name and all(re.fullmatch(words, sample.labels[label]) for label, words in labels.items())
        for each in here().families
        for sample in each.samples
    )
