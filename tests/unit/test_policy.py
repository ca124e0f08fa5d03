"""How long ended jobs are kept, as an operator writes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from encoder.model.policy import DEFAULT_HOURS, Policy, Rule, read_rules, told
from encoder.model.state import JobState

PAGE = Path(__file__).parents[2] / "docs" / "operate" / "retention.md"


def test_the_rules_of_the_page_say_what_it_says() -> None:
    (written,) = re.findall(r"^ENCODER_RETENTION_RULES=(.*)$", PAGE.read_text(), re.MULTILINE)
    rules = read_rules(written)
    assert [(told(rule), rule.hours) for rule in rules] == [
        ("tagged retain", 0),
        ("failed", 30 * 24),
        ("of tenant 7", 24),
    ]
    assert told(Policy(rules=rules).whole[-1]) == "all others"
    assert told(Rule(hours=1, status=JobState.FAILED, tag="x", tenant=2)) == "failed tagged x of tenant 2"


def test_no_job_goes_before_the_least_of_all_ages() -> None:
    assert Policy().least_hours == DEFAULT_HOURS
    assert Policy(rules=(Rule(hours=0), Rule(hours=5))).least_hours == 5
    assert Policy(hours=0, rules=(Rule(hours=0),)).least_hours is None
    later = Policy(hours=1, rules=(Rule(hours=0, tag="a"), Rule(hours=5))).later(2)
    assert [rule.hours for rule in later.whole] == [0, 7, 3]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[{"hours": -1}]', "`hours` must be from 0"),
        ('[{"hours": 1, "state": "failed"}]', "unknown: state"),
        ('[{"status": "queued", "hours": 1}]', "one in which a job ends"),
        ('[{"tag": "a"}]', "missing required field `hours`"),
        ('{"hours": 1}', "Expected `array`"),
        ("hours", "malformed"),
    ],
)
def test_a_rule_that_is_none_is_refused_and_why_is_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read_rules(text)
