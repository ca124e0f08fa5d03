"""What a process tells Prometheus: so many series and no more, by names and labels that the design has."""

from __future__ import annotations

import re
from itertools import count

import pytest

from encoder.metrics import encode, family, fleet, queue, transfer, worker
from encoder.metrics.family import OTHER, Family
from scripts import numbers

MOST_SERIES = 3_000
EVERY = [each for title in numbers.SECTIONS for each in numbers.facts(title)]
MODULES = numbers.SECTIONS.values()
FAMILIES = [each for module in MODULES for each in vars(module).values() if isinstance(each, Family)]
DESIGNED = """
build_info{version commit ffmpeg python} schema_version sandbox{layer}
http_requests_total{method route code} http_request_duration_seconds{route} http_in_flight
jobs_submitted_total{result} auth_failures_total{reason} rate_limited_total{scope} ingest_events_total{origin result}
event_streams{of} queue_tasks{queue state} queue_oldest_seconds{queue} queue_wanted_slots{queue}
tenant_oldest_seconds{queue tenant} fleet_workers{queue} fleet_slots{queue} fleet_versions leases_expired
queue_verb_duration_seconds{verb} queue_verb_total{verb result} task_wait_seconds{queue kind}
tasks_settled_total{queue kind outcome class} beat_lateness_seconds self_stops_total rescues_total{reason}
listener_up notify_round_trip_seconds slots{queue} slots_busy{queue} claims_paused{reason} draining
jobs_finished_total{status} job_duration_seconds{status} outputs_total{codec result} output_errors_total{code class}
stage_duration_seconds{stage outcome} stage_retries_total{stage code} encode_speed_ratio{codec height}
encoded_media_seconds_total{codec height} ffmpeg_cpu_seconds_total{codec} ffmpeg_peak_memory_bytes{codec height}
ffmpeg_running ffmpeg_exits_total{reason} proof_checks_failed_total{check} transfer_bytes_total{direction scheme}
transfers_in_flight{direction} addresses_refused_total{reason} scratch_bytes{kind} memory_bytes{kind}
webhook_attempts_total{result} webhook_pending webhook_oldest_seconds webhook_exhausted_total
db_pool_connections{state} db_pool_wait_seconds db_errors_total{class} db_oldest_xmin_seconds db_dead_tuples{table}
retention_last_success_timestamp_seconds retention_removed_total{what} retention_overdue secrets_overdue
lease_seconds schema_needed transfer_seconds_total{direction scheme} event_stream_hints retention_blocked
chunks_total{how}
"""  # the last two lines are ours


@pytest.fixture(autouse=True)
def _new() -> None:
    """What other tests of this process have counted is forgotten."""
    for metric in FAMILIES:
        metric.clear()


def test_the_metrics_are_those_that_were_designed() -> None:
    designed = dict(re.findall(r"(\w+)(?:\{([^}]*)\})?", DESIGNED))
    made = {each.name.removeprefix("encoder_"): " ".join(each.labels) for each in EVERY}
    assert made == designed


def test_a_process_tells_three_thousand_series_at_most_whatever_comes() -> None:
    assert sum(each.most_series for each in EVERY) <= MOST_SERIES


@pytest.mark.parametrize("metric", FAMILIES, ids=lambda metric: metric.facts.name)
def test_whatever_a_metric_is_told_it_has_no_more_series_than_it_has_room_for(metric: Family) -> None:  # type: ignore[type-arg]  # of any kind
    values = count()
    for _ in range(2 * metric.facts.most):
        metric.of(*(f"w{next(values)}" for _ in metric.facts.labels))
    told = [line for line in family.text().decode().splitlines() if line.startswith(metric.facts.name)]
    mine = [line for line in told if re.match(rf"{metric.facts.name}(_bucket|_sum|_count)?[ {{]", line)]
    try:
        assert len(mine) == metric.facts.most_series
        if metric.facts.labels:
            assert f'="{OTHER}"' in "".join(mine)
    finally:
        metric.clear()
    assert re.search(rf"^{metric.facts.name}[ {{]", family.text().decode(), re.MULTILINE) is None


def test_nothing_is_told_of_when_it_was_created() -> None:
    with transfer.in_flight.of("in").track_inprogress():
        queue.verbs.of("claim", "ok").inc()
    assert "_created" not in family.text().decode()


def test_a_verb_counts_what_came_of_it_and_an_error_where_nothing_was_said() -> None:
    with queue.verb("due") as asked:
        asked.result = "empty"
    with pytest.raises(OSError, match="away"), queue.verb("due"):
        raise OSError("away")
    told = family.text().decode()
    assert 'encoder_queue_verb_total{result="empty",verb="due"} 1.0' in told
    assert 'encoder_queue_verb_total{result="error",verb="due"} 1.0' in told
    assert 'encoder_queue_verb_duration_seconds_count{verb="due"} 2.0' in told


@pytest.mark.parametrize(
    ("sides", "height"),
    [
        *[((1920, 1080), "1080"), ((1080, 1920), "1080"), ((1280, 720), "720"), ((854, 480), "sd")],
        *[((3840, 2160), "2160"), ((2560, 1440), "1440"), ((1920, 800), "720"), ((7680, 4320), "2160")],
    ],
)
def test_a_height_is_that_of_the_smaller_side(sides: tuple[int, int], height: str) -> None:
    assert encode.height_of(*sides) == height


def test_a_codec_that_is_none_of_ours_is_other() -> None:
    assert [encode.codec_of(each) for each in ("h264", "prores", None)] == ["h264", OTHER, OTHER]


def test_five_minutes_are_a_bucket_of_the_wait() -> None:
    """By it the alert is measured whether work starts in time."""
    queue.waited.of("encode", "transcode").observe(299)
    assert 'le="300.0",queue="encode"} 1.0' in family.text().decode()


def test_what_is_read_of_the_platform_is_told_by_gauges_that_can_be_dropped() -> None:
    fleet.webhook_pending.of().set(3)
    fleet.webhook_pending.clear()
    assert "encoder_webhook_pending" not in family.text().decode()
    fleet.webhook_pending.of().set(4)
    assert "encoder_webhook_pending 4.0" in family.text().decode()
    fleet.webhook_pending.clear()


def test_slots_of_a_queue_are_told_even_while_none_is_busy() -> None:
    worker.busy.of("encode")
    assert 'encoder_slots_busy{queue="encode"} 0.0' in family.text().decode()
