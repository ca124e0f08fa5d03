"""What k8s/components/monitoring ships: made of rules.yaml and of the table of boards. `make docs` writes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from scripts import boards

MONITORING = Path(__file__).parent.parent / "k8s" / "components" / "monitoring"

_HEAD = """\
# Written by `make docs` from rules.yaml, for the Prometheus operator. A Prometheus that looks for a label of its own
# (kube-prometheus-stack: `release`) needs it here too, by a patch of the overlay.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: encoder
spec:
"""


def prometheus_rule() -> str:
    """prometheusrule.yaml: the same groups, within the operator's object."""
    lines = (MONITORING / "rules.yaml").read_text().splitlines(keepends=True)
    return _HEAD + "".join(f"  {line}" if line.strip() else line for line in lines if not line.startswith("#"))


FILES: dict[str, Callable[[], str]] = {
    "prometheusrule.yaml": prometheus_rule,
    **{f"dashboards/{name}.json": partial(boards.board, name) for name in boards.BOARDS},
}


def write() -> None:
    (MONITORING / "dashboards").mkdir(exist_ok=True)
    for name, made in FILES.items():
        (MONITORING / name).write_text(made())
