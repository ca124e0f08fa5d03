"""The rules of k8s/components/monitoring by `promtool`: each alert where it fires, and where it does not."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.boards import BOARDS
from scripts.monitoring import MONITORING

RULES = MONITORING / "rules.yaml"

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian package prometheus), which root's set-up installs"
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A story of series, one value each `every`, and what `alert` says of it `at` a time since its begin.

    `says`: the summaries; none: it is silent. `labels`: of each, beside those of the rule.
    """

    alert: str
    story: str
    series: dict[str, str]
    at: str
    says: list[str] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=lambda: [{}])
    severity: str = ""
    every: str = "1m"


def _calls(good: str, bad: str, *, more: str = "") -> dict[str, str]:
    """Calls of a route that are counted up, and thousands of probes that must not thin the faults."""
    return {
        'encoder_http_requests_total{method="POST", route="/jobs", code="202"}': good,
        'encoder_http_requests_total{method="POST", route="/jobs", code="503"}': bad,
        'encoder_http_requests_total{method="GET", route="/readyz", code="200"}': "0+10000x5000",
        **({'encoder_http_requests_total{method="GET", route="/readyz", code="503"}': more} if more else {}),
    }


def _waits(good: str, all_: str) -> dict[str, str]:
    labels = 'queue="encode", kind="transcode"'
    return {
        f'encoder_task_wait_seconds_bucket{{{labels}, le="300.0"}}': good,
        f'encoder_task_wait_seconds_bucket{{{labels}, le="+Inf"}}': all_,
        f"encoder_task_wait_seconds_count{{{labels}}}": all_,
    }


def _stalled(*, done: str = "5x60", media: str = "100x60", wanted: str = "3x60") -> dict[str, str]:
    """Two APIs that see the same queue, a worker that has done something once."""
    return {
        'encoder_queue_oldest_seconds{queue="encode", instance="api-1"}': "0+60x60",
        'encoder_queue_oldest_seconds{queue="encode", instance="api-2"}': "0+60x60",
        'encoder_queue_oldest_seconds{queue="io", instance="api-1"}': "0x60",
        'encoder_queue_wanted_slots{queue="encode", instance="api-1"}': wanted,
        'encoder_tasks_settled_total{queue="encode", kind="transcode", outcome="done", class="none"}': done,
        'encoder_tasks_settled_total{queue="io", kind="notify", outcome="done", class="none"}': "0+9x60",
        'encoder_encoded_media_seconds_total{codec="h264", height="1080"}': media,
    }


def _late(good: str, all_: str, *, lease: int) -> dict[str, str]:
    return {
        'encoder_beat_lateness_seconds_bucket{le="10.0"}': good,
        'encoder_beat_lateness_seconds_bucket{le="30.0"}': all_,
        'encoder_beat_lateness_seconds_bucket{le="+Inf"}': all_,
        'encoder_lease_seconds{instance="worker-1"}': f"{lease}x60",
    }


def _errors(*, of: str, code: str, kind: str, outputs: str = "0+1000x2", failed: bool = True) -> dict[str, str]:
    """`failed`: not tried again."""
    outcome = "failed" if failed else "retried"
    return {
        f'encoder_output_errors_total{{code="{code}", class="{kind}"}}': of,
        f'encoder_tasks_settled_total{{queue="encode", kind="transcode", outcome="{outcome}", class="{kind}"}}': of,
        'encoder_outputs_total{codec="h264", result="uploaded"}': outputs,
    }


def _settled(*, lost: str, done: str) -> dict[str, str]:
    return {
        'encoder_tasks_settled_total{queue="encode", kind="transcode", outcome="lost", class="none"}': lost,
        'encoder_tasks_settled_total{queue="encode", kind="transcode", outcome="done", class="none"}': done,
        'encoder_tasks_settled_total{queue="encode", kind="transcode", outcome="released", class="none"}': "0+50x30",
    }


def _webhooks(*, delivered: str | None, failed: str, oldest: int) -> dict[str, str]:
    told = {} if delivered is None else {'encoder_webhook_attempts_total{result="delivered"}': delivered}
    return {
        **told,
        'encoder_webhook_attempts_total{result="failed"}': failed,
        'encoder_webhook_oldest_seconds{instance="api-1"}': f"{oldest}x60",
    }


def _pool(fast: str, all_: str) -> dict[str, str]:
    return {
        'encoder_db_pool_wait_seconds_bucket{le="0.1"}': fast,
        'encoder_db_pool_wait_seconds_bucket{le="1.0"}': all_,
        'encoder_db_pool_wait_seconds_bucket{le="+Inf"}': all_,
    }


CASES = [
    # 2 % of the calls, in the last hour and just now
    Case(
        alert="ApiBudgetBurn",
        severity="page",
        story="one call of fifty fails for an hour",
        series=_calls("0+98x60", "0+2x60"),
        at="60m",
        says=["2% of the calls of the API end in 5xx"],
    ),
    Case(
        alert="ApiBudgetBurn",
        severity="page",
        story="the same, but it is over for forty minutes",
        series=_calls("0+95x60", "0+5x20 100x60"),
        at="61m",
    ),
    Case(
        alert="ApiBudgetBurn",
        severity="page",
        story="seven of a thousand fail, for six hours",
        series=_calls("0+993x360", "0+7x360"),
        at="360m",
        says=["0.7% of the calls of the API end in 5xx"],
    ),
    Case(
        alert="ApiBudgetBurn",
        severity="page",
        story="an API that starts says 503 to probes alone",
        series=_calls("0+100x60", "0x60", more="0+900x60"),
        at="60m",
    ),
    Case(
        alert="ApiBudgetBurn",
        severity="ticket",
        story="two of a thousand fail for three days",
        series=_calls("0+998x900", "0+2x900"),
        every="5m",
        at="72h",
        says=["0.2% of the calls of the API end in 5xx, for days"],
    ),
    Case(
        alert="ApiBudgetBurn",
        severity="ticket",
        story="one of two thousand fails for three days",
        series=_calls("0+1999x900", "0+1x900"),
        every="5m",
        at="72h",
    ),
    Case(
        alert="StartBudgetBurn",
        story="a fifth of the jobs start late",
        series=_waits("0+4x60", "0+5x60"),
        at="60m",
        says=["20% of the jobs start later than five minutes after they could"],
    ),
    Case(
        alert="StartBudgetBurn",
        story="a tenth of the jobs start late",
        series=_waits("0+9x60", "0+10x60"),
        at="60m",
    ),
    Case(
        alert="StartBudgetBurn",
        story="all start late, but they are forty",
        series=_waits("0x60", "0+0.66x60"),
        at="60m",
    ),
    Case(
        alert="QueueStalled",
        story="nothing is done, nothing is encoded, and the oldest waits for half an hour",
        series=_stalled(),
        at="30m",
        labels=[{"queue": "encode"}],
        says=["The oldest task of queue encode waits for 30m 0s, and nothing moves"],
    ),
    Case(alert="QueueStalled", story="a long encode goes on", series=_stalled(media="0+30x60"), at="30m"),
    Case(alert="QueueStalled", story="jobs get done", series=_stalled(done="0+1x60"), at="30m"),
    Case(alert="QueueStalled", story="nothing of it may start", series=_stalled(wanted="0x60"), at="30m"),
    Case(
        alert="NoWorkers",
        story="work waits, and the last worker has gone; before the first, the series is not there",
        series={
            'encoder_queue_wanted_slots{queue="encode", instance="api-1"}': "2x60",
            'encoder_queue_wanted_slots{queue="io", instance="api-1"}': "1x60",
            'encoder_fleet_workers{queue="encode", instance="api-1"}': "0x60",
        },
        at="6m",
        labels=[{"queue": "encode"}, {"queue": "io"}],
        says=[f"Work waits in queue {queue}, and no live worker takes from it" for queue in ("encode", "io")],
    ),
    Case(
        alert="NoWorkers",
        story="one queue has a worker, the other no work",
        series={
            'encoder_queue_wanted_slots{queue="encode", instance="api-1"}': "2x60",
            'encoder_queue_wanted_slots{queue="io", instance="api-1"}': "0x60",
            'encoder_fleet_workers{queue="encode", instance="api-2"}': "1x60",
        },
        at="6m",
    ),
    Case(
        alert="Silent",
        story="no API answers for eleven minutes",
        series={'encoder_queue_wanted_slots{queue="encode", instance="api-1"}': "0x10 stale _x30"},
        at="25m",
        says=["No API says how the queue stands"],
    ),
    Case(
        alert="Silent",
        story="an API says that nothing is wanted",
        series={'encoder_queue_wanted_slots{queue="encode", instance="api-1"}': "0x60"},
        at="25m",
    ),
    Case(
        alert="BeatLate",
        story="beats come up to 30 s late, at a lease of 60 s",
        series=_late("0+5x30", "0+10x30", lease=60),
        at="15m",
        says=["Heartbeats of workers come up to 29.6s late"],
    ),
    Case(
        alert="BeatLate", story="as late, at a lease of 200 s", series=_late("0+5x30", "0+10x30", lease=200), at="15m"
    ),
    Case(
        alert="PlatformFailures",
        story="encoders crash on a fortieth of the outputs",
        series=_errors(of="0+25x2", code="encoder_crashed", kind="crash"),
        every="30m",
        at="60m",
        says=["2.5% of the outputs fail by our own fault"],
    ),
    Case(
        alert="PlatformFailures",
        story="results fail their proof",
        series=_errors(of="0+30x2", code="output_invalid", kind="permanent"),
        every="30m",
        at="60m",
        says=["3% of the outputs fail by our own fault"],
    ),
    Case(
        alert="PlatformFailures",
        story="encoders crash on a fortieth of the outputs, and are tried again",
        series=_errors(of="0+25x2", code="encoder_crashed", kind="crash", failed=False),
        every="30m",
        at="60m",
    ),
    *(
        Case(
            alert="PlatformFailures",
            story=f"half of the outputs fail by {code}, which is their callers' to mend",
            series=_errors(of="0+500x2", code=code, kind="permanent"),
            every="30m",
            at="60m",
        )
        for code in ("source_not_media", "encoder_refused")
    ),
    Case(
        alert="PlatformFailures",
        story="four of eight fail",
        series=_errors(of="0+2x2", code="encoder_crashed", kind="crash", outputs="0+4x2"),
        every="30m",
        at="60m",
    ),
    Case(
        alert="LeasesLost",
        story="a tenth of the attempts end in silence",
        series=_settled(lost="0+10x30", done="0+40x30"),
        at="20m",
        says=["10% of the attempts end because their worker fell silent"],
    ),
    Case(
        alert="LeasesLost",
        story="two are lost, on a quiet day",
        series=_settled(lost="0x10 2x20", done="0x30"),
        at="20m",
    ),
    Case(
        alert="LeasesLost",
        story="one of a hundred is lost",
        series=_settled(lost="0+1x30", done="0+49x30"),
        at="20m",
    ),
    Case(
        alert="ProofFailures",
        story="one check fails on one of fifty, another on one of a thousand",
        series={
            'encoder_proof_checks_failed_total{check="picture.rotation"}': "0+20x12",
            'encoder_proof_checks_failed_total{check="sound.loudness"}': "0+1x12",
            'encoder_outputs_total{codec="h264", result="uploaded"}': "0+980x12",
            'encoder_outputs_total{codec="h264", result="failed"}': "0+20x12",
        },
        every="30m",
        at="6h",
        labels=[{"check": "picture.rotation"}],
        says=["Check picture.rotation fails on 2% of the outputs"],
    ),
    Case(
        alert="ProofFailures",
        story="a single one of a thousand fails",
        series={
            'encoder_proof_checks_failed_total{check="picture.rotation"}': "0+1x12",
            'encoder_outputs_total{codec="h264", result="uploaded"}': "0+999x12",
        },
        every="30m",
        at="6h",
    ),
    Case(
        alert="MemoryKills",
        story="five runs end so within the hour",
        series={
            'encoder_ffmpeg_exits_total{reason="memory", instance="worker-1"}': "0x10 3x60",
            'encoder_ffmpeg_exits_total{reason="memory", instance="worker-2"}': "0x20 2x60",
        },
        at="50m",
        says=["5 runs of ffmpeg ended for want of memory within an hour"],
    ),
    Case(
        alert="MemoryKills",
        story="three do, and others end for other reasons",
        series={
            'encoder_ffmpeg_exits_total{reason="memory", instance="worker-1"}': "0x10 2x60",
            'encoder_ffmpeg_exits_total{reason="error", instance="worker-1"}': "0+10x60",
        },
        at="60m",
    ),
    Case(
        alert="ScratchTight",
        story="one disk is at nine tenths, another worker is paused for its disk, a third has no limit",
        series={
            'encoder_scratch_bytes{kind="used", instance="worker-1"}': "90x60",
            'encoder_scratch_bytes{kind="limit", instance="worker-1"}': "100x60",
            'encoder_scratch_bytes{kind="used", instance="worker-3"}': "90x60",
            'encoder_scratch_bytes{kind="limit", instance="worker-3"}': "0x60",
            'encoder_claims_paused{reason="disk", instance="worker-2"}': "1x60",
        },
        at="16m",
        labels=[{"instance": "worker-1"}, {"instance": "worker-2", "reason": "disk"}],
        says=[f"The scratch disk of worker-{number} is all but full" for number in (1, 2)],
    ),
    Case(
        alert="ScratchTight",
        story="half full; paused for memory, and for the disk now and then",
        series={
            'encoder_scratch_bytes{kind="used", instance="worker-1"}': "50x60",
            'encoder_scratch_bytes{kind="limit", instance="worker-1"}': "100x60",
            'encoder_claims_paused{reason="memory", instance="worker-1"}': "1x60",
            'encoder_claims_paused{reason="disk", instance="worker-1"}': "1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1",
        },
        at="16m",
    ),
    Case(
        alert="WebhooksLate",
        story="no receiver takes anything",
        series=_webhooks(delivered=None, failed="0+5x30", oldest=1200),
        at="20m",
        says=["The oldest webhook that nobody took yet waits for 20m 0s, and most tries fail"],
    ),
    Case(
        alert="WebhooksLate",
        story="one receiver is dead, the others are told",
        series=_webhooks(delivered="0+50x30", failed="0+5x30", oldest=1200),
        at="20m",
    ),
    Case(
        alert="Exhausted",
        story="one was given up twenty hours ago",
        series={'encoder_webhook_exhausted_total{instance="worker-1"}': "0x4 1x20"},
        every="1h",
        at="24h",
        says=["1 webhooks were given up within a day"],
    ),
    Case(
        alert="Exhausted",
        story="one was given up the day before",
        series={'encoder_webhook_exhausted_total{instance="worker-1"}': "0 1x60"},
        every="1h",
        at="30h",
    ),
    Case(
        alert="Xmin",
        story="a transaction is open for 40 minutes",
        series={'encoder_db_oldest_xmin_seconds{instance="api-1"}': "0+60x60"},
        at="40m",
        says=["A transaction is open for 40m 0s"],
    ),
    Case(
        alert="Xmin",
        story="a transaction is open for ten minutes",
        series={'encoder_db_oldest_xmin_seconds{instance="api-1"}': "600x60"},
        at="40m",
    ),
    Case(
        alert="PoolWait",
        story="half of the statements wait for up to a second",
        series=_pool("0+5x30", "0+10x30"),
        at="20m",
        says=["One statement of twenty waits 910ms for a connection"],
    ),
    Case(
        alert="PoolWait",
        story="one of a hundred waits",
        series=_pool("0+99x30", "0+100x30"),
        at="20m",
    ),
    Case(
        alert="Listener",
        story="two of three hear nothing",
        series={
            'encoder_listener_up{instance="worker-1"}': "0x60",
            'encoder_listener_up{instance="worker-2"}': "0x60",
            'encoder_listener_up{instance="worker-3"}': "1x60",
        },
        at="20m",
        says=["2 workers hear no hints of new work"],
    ),
    Case(
        alert="Listener",
        story="one did not for ten minutes",
        series={'encoder_listener_up{instance="worker-1"}': "0x10 1x60"},
        at="20m",
    ),
    Case(
        alert="RetentionStale",
        story="the last sweep ended at the begin, four hours ago",
        series={'encoder_retention_last_success_timestamp_seconds{instance="api-1"}': "60x300"},
        at="240m",
        says=["The last sweep that came to its end was 3h 59m 0s ago"],
    ),
    Case(
        alert="RetentionStale",
        story="they end each hour; and where there was none yet, another alert says so",
        series={
            'encoder_retention_last_success_timestamp_seconds{instance="api-1"}': "60x60 3660x60 7260x60 10860x60",
            'encoder_retention_last_success_timestamp_seconds{instance="api-2"}': "0x300",
        },
        at="230m",
    ),
    Case(
        alert="RetentionNever",
        story="there was none in four hours",
        series={'encoder_retention_last_success_timestamp_seconds{instance="api-1"}': "0x300"},
        at="240m",
        says=["No sweep ever came to its end"],
    ),
    Case(
        alert="RetentionNever",
        story="the first one comes after an hour",
        series={'encoder_retention_last_success_timestamp_seconds{instance="api-1"}': "0x60 3660x300"},
        at="240m",
    ),
    Case(
        alert="SecretsOverdue",
        story="secrets of three jobs are left",
        series={f'encoder_secrets_overdue{{instance="api-{number}"}}': "3x10" for number in (1, 2)},
        at="5m",
        says=["3 jobs ended more than a day ago, and their secrets are still kept"],
    ),
    Case(
        alert="SecretsOverdue",
        story="none are left",
        series={'encoder_secrets_overdue{instance="api-1"}': "0x10"},
        at="5m",
    ),
    Case(
        alert="VersionSkew",
        story="two versions for 25 hours",
        series={'encoder_fleet_versions{instance="api-1"}': "2x320"},
        every="5m",
        at="25h",
        says=["Workers of 2 versions are live, for a day"],
    ),
    Case(
        alert="VersionSkew",
        story="a rollout of two hours",
        series={'encoder_fleet_versions{instance="api-1"}': "1x100 2x24 1x200"},
        every="5m",
        at="25h",
    ),
    Case(
        alert="SandboxMissing",
        story="one worker's kernel has no Landlock",
        series={
            'encoder_sandbox{layer="landlock_fs", instance="worker-1"}': "0x120",
            'encoder_sandbox{layer="landlock_fs", instance="worker-2"}': "1x120",
        },
        at="61m",
        labels=[{"layer": "landlock_fs", "instance": "worker-1"}],
        says=["ffmpeg runs on worker-1 without the wall around its files"],
    ),
    Case(
        alert="SandboxMissing",
        story="another wall is missing, which older kernels do not have",
        series={
            'encoder_sandbox{layer="landlock_fs", instance="worker-1"}': "1x120",
            'encoder_sandbox{layer="landlock_net", instance="worker-1"}': "0x120",
        },
        at="61m",
    ),
    Case(
        alert="SchemaPending",
        story="programs know version 8, the tables stand at 7",
        series={
            'encoder_schema_version{instance="api-1"}': "7x120",
            'encoder_schema_needed{instance="api-1"}': "8x120",
            'encoder_schema_needed{instance="worker-1"}': "7x120",
        },
        at="61m",
        says=["The tables stand at version 7, and programs that run here know a later one"],
    ),
    Case(
        alert="SchemaPending",
        story="the tables are ahead of a program that fits them still",
        series={
            'encoder_schema_version{instance="api-1"}': "8x120",
            'encoder_schema_needed{instance="api-1"}': "7x120",
        },
        at="61m",
    ),
]


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def _name(rule: dict[str, Any]) -> str:
    return f"{rule['alert']} ({rule['labels']['severity']})"


def _cases(rule: dict[str, Any]) -> list[Case]:
    return [case for case in CASES if case.alert == rule["alert"] and case.severity in ("", rule["labels"]["severity"])]


def _test(case: Case, rule: dict[str, Any]) -> dict[str, Any]:
    """The case as promtool wants it."""
    expected = [
        {
            "exp_labels": {**rule["labels"], **labels},
            "exp_annotations": {**rule["annotations"], "summary": summary},
        }
        for summary, labels in (zip(case.says, case.labels, strict=True) if case.says else ())
    ]
    return {
        "name": f"{case.alert}: {case.story}",
        "interval": case.every,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected}],
    }


def _promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)


def test_the_rules_are_in_order_for_promtool() -> None:
    checked = _promtool("check", "rules", RULES)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_every_expression_of_a_board_is_one_for_promtool(tmp_path: Path) -> None:
    panels = [
        panel
        for name in BOARDS
        for panel in json.loads((MONITORING / "dashboards" / f"{name}.json").read_text())["panels"]
    ]
    expressions = [target["expr"].replace("$__rate_interval", "5m") for panel in panels for target in panel["targets"]]
    assert len(expressions) >= len(panels) > 40
    records = [{"record": f"board:{number}", "expr": each} for number, each in enumerate(expressions)]
    rules = tmp_path / "boards.yaml"
    rules.write_text(json.dumps({"groups": [{"name": "boards", "rules": records}]}))
    checked = _promtool("check", "rules", rules)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


@pytest.mark.parametrize("rule", _rules(), ids=_name)
def test_an_alert_has_a_story_in_which_it_fires_and_one_in_which_it_does_not(rule: dict[str, Any]) -> None:
    assert {bool(case.says) for case in _cases(rule)} == {True, False}


def test_alerts_fire_and_stay_silent_as_their_stories_say(tmp_path: Path) -> None:
    """Each by itself: an alert that has two rules is silent only if neither speaks."""
    tests = []
    for number, rule in enumerate(_rules()):
        rules, told = tmp_path / f"rules-{number}.yaml", tmp_path / f"test-{number}.yaml"
        rules.write_text(json.dumps({"groups": [{"name": "one", "rules": [rule]}]}))
        every = _cases(rule)[0].every
        told.write_text(
            json.dumps(
                {
                    "rule_files": [rules.name],
                    "evaluation_interval": every,
                    "tests": [_test(case, rule) for case in _cases(rule)],
                }
            )
        )
        tests.append(told)
    checked = _promtool("test", "rules", *tests)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_story_is_of_an_alert_that_is_not_there() -> None:
    assert {case.alert for case in CASES} <= {rule["alert"] for rule in _rules()}
