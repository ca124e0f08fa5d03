"""The Grafana boards of k8s/components/monitoring/dashboards, from one table: `make docs` writes them.

A test holds each expression to the metrics that there are. `$__rate_interval` is Grafana's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_WIDTH, _HEIGHT = 24, 8  # of Grafana's grid; of a panel
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_CALLS = 'encoder_http_requests_total{route!~"/livez|/readyz|/health|/metrics"}'
_FAULTS = 'encoder_http_requests_total{code=~"5..", route!~"/livez|/readyz|/health|/metrics"}'
_FAULT_SHARE = f"(sum(rate({_FAULTS}[$__rate_interval])) or vector(0)) / sum(rate({_CALLS}[$__rate_interval]))"
_IN_TIME = 'encoder_task_wait_seconds_bucket{kind="transcode", le=~"300(\\\\.0)?"}'
_STARTED = 'encoder_task_wait_seconds_count{kind="transcode"}'
_SWEPT = "time() - (max(encoder_retention_last_success_timestamp_seconds) > 0)"
_SPEED = (
    "sum by (codec, height) (rate(encoder_encode_speed_ratio_sum[$__rate_interval]))"
    " / sum by (codec, height) (rate(encoder_encode_speed_ratio_count[$__rate_interval]))"
)


@dataclass(frozen=True)
class Panel:
    """`lines`: legend and expression. `unit`: Grafana's name of one."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    about: str = ""


Lines = tuple[tuple[str, str], ...]


def _line(expression: str, legend: str = "") -> Lines:
    return ((legend, expression),)


def _legend(labels: str) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in labels.split(", ")) if labels else ""


def _quantile(share: float, metric: str, by: str = "", *, of: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share:g}, sum by ({labels}) (rate({metric}_bucket{of}[$__rate_interval])))"


def _quantiles(metric: str, *, of: str = "") -> Lines:
    return tuple((f"p{share * 100:g}", _quantile(share, metric, of=of)) for share in (0.5, 0.95, 0.99))


def _p95(metric: str, by: str) -> Lines:
    return _line(_quantile(0.95, metric, by), _legend(by))


def _rate(metric: str, by: str, *, per: str = "") -> Lines:
    return _line(f"sum by ({by}) (rate({metric}[$__rate_interval])){per}", _legend(by))


def _sum(metric: str, by: str) -> Lines:
    return _line(f"sum by ({by}) ({metric})", _legend(by))


def _most(metric: str, by: str = "") -> Lines:
    """Of what every API replica reads from the database."""
    return _line(f"max by ({by}) ({metric})" if by else f"max({metric})", _legend(by))


BOARDS: dict[str, tuple[str, tuple[Panel, ...]]] = {
    "overview": (
        "Encoder: overview",
        (
            Panel(
                "Error budget of the API left, 30 days",
                "percentunit",
                _line(f"1 - (sum(increase({_FAULTS}[30d])) or vector(0)) / sum(increase({_CALLS}[30d])) / 0.001"),
                kind="stat",
                width=6,
                about="99.9 % of the calls are not to end in 5xx.",
            ),
            Panel(
                "Jobs that start within five minutes, 30 days",
                "percentunit",
                _line(f"sum(increase({_IN_TIME}[30d])) / sum(increase({_STARTED}[30d]))"),
                kind="stat",
                width=6,
                about="99 % are to.",
            ),
            Panel("Workers", "short", _most("encoder_fleet_workers", "queue"), kind="stat", width=6),
            Panel(
                "Media encoded per hour",
                "h",
                _line("sum(rate(encoder_encoded_media_seconds_total[$__rate_interval]))"),
                kind="stat",
                width=6,
                about="Hours of media that one hour makes; each output counts.",
            ),
            Panel(
                "Slots: wanted, there, busy",
                "short",
                (
                    ("{{queue}} wanted", "max by (queue) (encoder_queue_wanted_slots)"),
                    ("{{queue}} there", "max by (queue) (encoder_fleet_slots)"),
                    ("{{queue}} busy", "sum by (queue) (encoder_slots_busy)"),
                ),
                width=12,
            ),
            Panel("Oldest task", "s", _most("encoder_queue_oldest_seconds", "queue"), width=12),
            Panel(
                "Jobs that ended, per minute",
                "short",
                _rate("encoder_jobs_finished_total", "status", per=" * 60"),
                width=12,
                stacked=True,
            ),
            Panel(
                "Outputs that failed, per minute",
                "short",
                _rate("encoder_output_errors_total", "code, class", per=" * 60"),
                width=12,
                stacked=True,
            ),
        ),
    ),
    "queue": (
        "Encoder: queue",
        (
            Panel(
                "Tasks",
                "short",
                _most("encoder_queue_tasks", "queue, state"),
                width=12,
                stacked=True,
                about="Counted to 10,000.",
            ),
            Panel("Oldest task of a tenant", "s", _most("encoder_tenant_oldest_seconds", "queue, tenant"), width=12),
            Panel("From runnable to claimed", "s", _quantiles("encoder_task_wait_seconds", of='{kind="transcode"}')),
            Panel("Verbs of the queue, p95", "s", _p95("encoder_queue_verb_duration_seconds", "verb")),
            Panel("Verbs of the queue", "ops", _rate("encoder_queue_verb_total", "verb, result")),
            Panel("How attempts end", "ops", _rate("encoder_tasks_settled_total", "kind, outcome"), stacked=True),
            Panel("Rescues", "ops", _rate("encoder_rescues_total", "reason")),
            Panel(
                "Leases that ran out; workers that stopped themselves",
                "short",
                (
                    ("leases", "max(encoder_leases_expired)"),
                    ("stopped per minute", "sum(rate(encoder_self_stops_total[$__rate_interval])) * 60"),
                ),
            ),
        ),
    ),
    "workers": (
        "Encoder: workers",
        (
            Panel("Busy slots", "short", _sum("encoder_slots_busy", "instance"), kind="status-history", width=24),
            Panel(
                "Speed: media seconds per second",
                "short",
                _line(_SPEED, "{{codec}} {{height}}"),
                width=12,
            ),
            Panel(
                "Slots by stage",
                "short",
                _rate("encoder_stage_duration_seconds_sum", "stage"),
                width=12,
                stacked=True,
                about="Seconds spent per second: how many are in the stage at a time.",
            ),
            Panel("Cores that ffmpeg has", "short", _rate("encoder_ffmpeg_cpu_seconds_total", "codec"), stacked=True),
            Panel("Memory", "bytes", _sum("encoder_memory_bytes", "instance, kind")),
            Panel("Scratch", "bytes", _sum("encoder_scratch_bytes", "instance, kind")),
            Panel("Peak memory of runs, p95", "bytes", _p95("encoder_ffmpeg_peak_memory_bytes", "codec, height")),
            Panel("How ffmpeg ends", "ops", _rate("encoder_ffmpeg_exits_total", "reason"), stacked=True),
            Panel("Why nothing is claimed", "short", _sum("encoder_claims_paused", "reason")),
            Panel("Heartbeats late", "s", _quantiles("encoder_beat_lateness_seconds")),
            Panel("Checks of the proof that failed", "ops", _rate("encoder_proof_checks_failed_total", "check")),
            Panel("Walls that stand", "short", _line("min by (layer) (encoder_sandbox)", "{{layer}}"),
                  about="0: missing on at least one."),
        ),
    ),
    "delivery": (
        "Encoder: delivery",
        (
            Panel("Bytes", "Bps", _rate("encoder_transfer_bytes_total", "direction, scheme"), width=12),
            Panel("Transfers under way", "short", _sum("encoder_transfers_in_flight", "direction"), width=12),
            Panel("Stages tried again", "ops", _rate("encoder_stage_retries_total", "stage, code")),
            Panel("Addresses refused", "ops", _rate("encoder_addresses_refused_total", "reason")),
            Panel("Tries of webhooks", "ops", _rate("encoder_webhook_attempts_total", "result"), stacked=True),
            Panel(
                "Webhooks to be told",
                "short",
                (
                    ("pending", "max(encoder_webhook_pending)"),
                    ("given up", "sum(increase(encoder_webhook_exhausted_total[$__rate_interval]))"),
                ),
                width=12,
            ),
            Panel("Oldest webhook that nobody took yet", "s", _most("encoder_webhook_oldest_seconds"), width=12),
        ),
    ),
    "api": (
        "Encoder: API",
        (
            Panel("Calls", "reqps", _rate("encoder_http_requests_total", "code"), stacked=True, width=12),
            Panel("Share of 5xx", "percentunit", _line(_FAULT_SHARE), width=12),
            Panel("Time to the answer", "s", _quantiles("encoder_http_request_duration_seconds")),
            Panel("… by route, p95", "s", _p95("encoder_http_request_duration_seconds", "route"), width=16),
            Panel("Being answered", "short", _sum("encoder_http_in_flight", "instance")),
            Panel("Streams of events", "short", _sum("encoder_event_streams", "instance")),
            Panel("Jobs taken", "ops", _rate("encoder_jobs_submitted_total", "result"), stacked=True),
            Panel("Calls without a right", "ops", _rate("encoder_auth_failures_total", "reason")),
            Panel("Calls over their rate", "ops", _rate("encoder_rate_limited_total", "scope")),
            Panel("Told of objects", "ops", _rate("encoder_ingest_events_total", "origin, result")),
        ),
    ),
    "database": (
        "Encoder: database",
        (
            Panel("Connections", "short", _sum("encoder_db_pool_connections", "state"), stacked=True),
            Panel("Wait for a connection", "s", _quantiles("encoder_db_pool_wait_seconds")),
            Panel("Errors", "ops", _rate("encoder_db_errors_total", "class")),
            Panel("Verbs of the queue", "ops", _rate("encoder_queue_verb_total", "verb")),
            Panel("Oldest open transaction", "s", _most("encoder_db_oldest_xmin_seconds"), about="PostgreSQL only."),
            Panel("Dead rows", "short", _most("encoder_db_dead_tuples", "table"), about="PostgreSQL only."),
            Panel("Since the last sweep", "s", _line(_SWEPT)),
            Panel("Removed per hour", "short", _most("increase(encoder_retention_removed_total[1h])", "what")),
            Panel("Past their time", "short", (
                ("jobs", "max(encoder_retention_overdue)"), ("secrets", "max(encoder_secrets_overdue)"),
            )),
        ),
    ),
}  # fmt: skip


def board(name: str) -> str:
    """The file of one board."""
    title, panels = BOARDS[name]
    told = {
        "uid": f"encoder-{name}",
        "title": title,
        "tags": ["encoder"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": list(_placed(panels)),
    }
    return json.dumps(told, indent=1) + "\n"


def _placed(panels: tuple[Panel, ...]) -> Iterator[dict[str, Any]]:
    """From left to right, in rows."""
    x = y = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > _WIDTH:
            x, y = 0, y + _HEIGHT
        yield _drawn(number, panel, {"x": x, "y": y, "w": panel.width, "h": _HEIGHT})
        x += panel.width


def _drawn(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    usual: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.stacked:
        usual["custom"] = {"stacking": {"mode": "normal"}, "fillOpacity": 30}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        **({"description": panel.about} if panel.about else {}),
        "gridPos": place,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": usual, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "expr": expression,
                "legendFormat": legend or "__auto",
                "datasource": _SOURCE,
            }
            for place, (legend, expression) in enumerate(panel.lines)
        ],
    }
