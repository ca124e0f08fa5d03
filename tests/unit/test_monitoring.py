"""What k8s/components/monitoring ships is as its sources say, and every alert has its section of the runbook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.boards import BOARDS
from scripts.monitoring import FILES, MONITORING

RUNBOOK = Path(__file__).parents[2] / "docs" / "operate" / "runbook.md"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((MONITORING / "rules.yaml").read_text())["groups"] for rule in group["rules"]
]


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_as_its_source_would_write_it(name: str) -> None:
    assert (MONITORING / name).read_text() == FILES[name](), "run `make docs`"


def test_the_operator_is_given_the_very_groups_of_the_rules() -> None:
    plain = yaml.safe_load((MONITORING / "rules.yaml").read_text())
    assert yaml.safe_load((MONITORING / "prometheusrule.yaml").read_text())["spec"] == plain


def test_every_board_and_the_rules_are_shipped() -> None:
    component = yaml.safe_load((MONITORING / "kustomization.yaml").read_text())
    files = {file.partition("=")[2] for each in component["configMapGenerator"] for file in each["files"]}
    assert files == {f"dashboards/{name}.json" for name in BOARDS}
    assert {path.name for path in (MONITORING / "dashboards").iterdir()} == {f"{name}.json" for name in BOARDS}
    assert component["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}
    assert "prometheusrule.yaml" in component["resources"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_has_a_severity_and_a_section_of_the_runbook_that_says_what_to_do(rule: dict[str, Any]) -> None:
    name, severity = rule["alert"], rule["labels"]["severity"]
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/operate/runbook.md#{name.lower()}"
    section = RUNBOOK.read_text().partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for part in ("Means", "Why this number", "Look", "Mend", "Wake"):
        assert f"- **{part}** " in section, (name, part)
    assert severity in section.split(".")[0].lower(), name
    assert severity != "page" or "**Wake** nobody" not in section


def test_the_runbook_has_no_section_of_an_alert_that_is_not_there() -> None:
    assert set(re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)) == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("name", BOARDS)
def test_the_panels_of_a_board_fill_rows_and_overlap_nowhere(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(FILES[f"dashboards/{name}.json"]())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
