"""What the environment of a container asks for, and which exit code each failure gets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from encoder import errors
from encoder.batch import ending, order, report
from encoder.batch.ending import Exit, of_failure
from encoder.batch.order import CODECS
from encoder.ffmpeg.presets import BUILT_IN, merge
from encoder.model.result import Problem
from encoder.model.state import JobState
from encoder.net.s3_members import is_region
from tests.unit.test_api_tell import row

PAGE = Path("docs/operate/batch.md").read_text("utf-8")
RIGHT = {"JOB_ID": "a-B_9", "OUTPUT_CODEC": "av1", "S3_BUCKET": "videos", "AWS_REGION": "eu-central-1"}


def test_an_order_is_read_from_the_environment() -> None:
    asked = order.read({**RIGHT, "DYNAMODB_TABLE": "jobs", "PATH": "/bin"})
    assert asked.faults == ()
    assert asked.order is not None
    assert (asked.order.source_key, asked.order.output_key) == ("uploads/a-B_9/input.mp4", "outputs/a-B_9/output.webm")
    assert asked.order.table == asked.table == order.Table(name="jobs", region="eu-central-1", job_id="a-B_9")
    assert order.read({**RIGHT, "DYNAMODB_TABLE": ""}).table is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOB_ID", ""), ("JOB_ID", "a/b"), ("JOB_ID", ".."), ("JOB_ID", "x" * 129), ("JOB_ID", "a\n"), ("JOB_ID", "ü"),
        ("OUTPUT_CODEC", ""), ("OUTPUT_CODEC", "H264"), ("OUTPUT_CODEC", "hevc"),
        ("S3_BUCKET", ""), ("S3_BUCKET", "Videos"), ("S3_BUCKET", "a/b"), ("S3_BUCKET", "127.0.0.1"),
        ("AWS_REGION", ""), ("AWS_REGION", "eu central"), ("AWS_REGION", "evil.example/"),
        ("DYNAMODB_TABLE", "ab"), ("DYNAMODB_TABLE", "a b c"),
    ],
)  # fmt: skip
def test_a_variable_that_is_wrong_is_named(name: str, value: str) -> None:
    asked = order.read({**RIGHT, "DYNAMODB_TABLE": "jobs", name: value})
    assert asked.order is None
    assert [fault.split(" ")[0] for fault in asked.faults] == [name]
    assert (asked.table is None) is (name in {"JOB_ID", "AWS_REGION", "DYNAMODB_TABLE"})
    assert (asked.job_id is None) is (name == "JOB_ID")


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert [fault.split(" ")[0] for fault in order.read({}).faults] == list(RIGHT)


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_are_the_presets_of_their_names(codec: str) -> None:
    """As they stand in docs/reference/presets.md."""
    made = merge(BUILT_IN[codec].members, {})
    assert (made.video_codec, made.crf, made.audio_bitrate, made.encoder_preset, made.container, made.audio_codec) == {
        "h264": ("libx264", 23, 128_000, "medium", "mp4", "aac"),
        "vp9": ("libvpx-vp9", 30, 128_000, None, "webm", "libopus"),
        "av1": ("libaom-av1", 30, 128_000, "4", "webm", "libopus"),
    }[codec]


@pytest.mark.parametrize(
    ("failure", "uploading", "expected"),
    [
        (errors.Permanent("source_not_found", ""), False, (66, "source_not_found")),
        (errors.Permanent("source_auth_failed", ""), False, (66, "source_denied")),
        (errors.Permanent("source_truncated", ""), False, (65, "source_truncated")),
        (errors.Permanent("no_video_stream", ""), False, (65, "no_video_stream")),
        (errors.Permanent("source_too_large", ""), False, (65, "source_too_large")),
        (errors.Transient("source_unavailable", ""), False, (75, "source_unavailable")),
        (errors.Transient("timeout", ""), False, (75, "timeout")),
        (errors.Permanent("output_invalid", ""), False, (70, "output_invalid")),
        (errors.Permanent("encoder_refused", ""), False, (70, "encoder_refused")),
        (errors.Crash("encoder_stalled", ""), False, (70, "encoder_stalled")),
        (errors.Crash("encoder_oom", ""), False, (70, "encoder_oom")),
        (errors.Crash("internal_error", ""), False, (70, "internal_error")),
        (errors.Permanent("destination_auth_failed", ""), True, (74, "upload_failed")),
        (errors.Transient("destination_unavailable", ""), True, (74, "upload_failed")),
        (errors.Transient("timeout", ""), True, (74, "upload_failed")),
        (errors.Transient("integrity_error", ""), True, (74, "upload_failed")),
        (errors.Throttled("destination_unavailable", ""), True, (75, "destination_unavailable")),
        (errors.Throttled("source_unavailable", ""), False, (75, "source_unavailable")),
        (errors.Resource("disk_full", ""), False, (75, "disk_full")),
        (errors.Resource("out_of_memory", ""), True, (75, "out_of_memory")),
    ],
)
def test_a_failure_has_its_exit_code(failure: errors.Failure, uploading: bool, expected: tuple[int, str]) -> None:
    found = of_failure(failure, uploading=uploading)
    assert (found.exit, found.code) == expected


def test_every_code_with_which_a_container_ends_is_known_to_help() -> None:
    problem = Problem.of(errors.Transient("destination_unavailable", ""))
    cancelled = report.of_job("1", replace(row(), state=JobState.CANCELLED))
    told = {
        *(each.code for each in (ending.INTERRUPTED, ending.OVERTAKEN, ending.unusable(""), ending.away(""))),
        ending.of_problem(problem, uploading=True).code,
        of_failure(errors.Permanent("source_auth_failed", ""), uploading=False).code,
        cancelled["code"],
    }
    assert told == {entry.code for entry in errors.CATALOGUE.values() if entry.where is errors.Where.CONTAINER}


def test_every_code_of_the_catalogue_has_an_exit_code_of_sysexits() -> None:
    kinds = {"permanent": errors.Permanent, "transient": errors.Transient, "resource": errors.Resource}
    for code, entry in errors.CATALOGUE.items():
        if entry.kind is not None:
            failure = kinds.get(entry.kind, errors.Crash)(code, "")
            assert of_failure(failure, uploading=False).exit in set(Exit) - {Exit.DONE, Exit.USAGE, Exit.STATUS_AWAY}


@pytest.mark.parametrize(
    ("state", "problem", "expected"),
    [
        (JobState.COMPLETED, None, (0, "COMPLETED", False)),
        (JobState.CANCELLED, None, (64, "CANCELLED", False)),
        (JobState.FAILED, errors.Permanent("source_not_found", ""), (66, "FAILED", False)),
        (JobState.FAILED, errors.Transient("destination_unavailable", ""), (64, "FAILED", False)),
        (JobState.FAILED, errors.Crash("encoder_crashed", ""), (64, "FAILED", False)),
        (JobState.FAILED, errors.Resource("disk_full", ""), (64, "FAILED", False)),
        (JobState.QUEUED, errors.Crash("encoder_crashed", ""), (70, "PROCESSING", True)),
        (JobState.QUEUED, None, (75, "PROCESSING", True)),
        (JobState.PROCESSING, None, (75, "PROCESSING", True)),
    ],
)
def test_a_job_of_the_database_ends_its_container_alike(
    state: JobState, problem: errors.Failure | None, expected: tuple[int, str, bool]
) -> None:
    why = None if problem is None else Problem.of(problem)
    job = replace(row(task_problem=why), state=state, problem=why if state is JobState.FAILED else None)
    told = report.of_job("1", job)
    assert (told["exit_code"], told["status"], told["retry"]) == expected
    assert report.of_job("7", None)["exit_code"] == 64


def test_a_long_message_is_cut_at_a_kilobyte() -> None:
    assert len(ending.unusable("ü" * 2000).short.encode()) == 1024


def test_the_page_has_the_exit_codes_and_says_which_are_run_again() -> None:
    rows = re.findall(r"^\| (\d|–) \|.*\| (\d+) \| (yes|no|–) \|$", PAGE, re.MULTILINE)
    told = {int(code): again for _, code, again in rows}
    assert told == {code: "–" if code is Exit.DONE else "yes" if code.again else "no" for code in Exit}


def block(language: str, name: str) -> str:
    """The block of the page that has `name` in it."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(text for text in found if name in text)


NO_MORE = sorted(code for code in Exit if not code.again and code is not Exit.DONE)


def test_the_job_definition_runs_again_what_may_end_well() -> None:
    definition: Any = json.loads(block("json", "jobDefinitionName"))
    rules = definition["retryStrategy"]["evaluateOnExit"]
    assert len(rules) <= 5
    assert sorted(int(rule["onExitCode"]) for rule in rules) == NO_MORE
    assert {rule["action"] for rule in rules} == {"EXIT"}
    variables = {each["name"] for each in definition["containerProperties"]["environment"]}
    assert variables < {*RIGHT, "DYNAMODB_TABLE", "ENCODER_SCRATCH_DIR", "ENCODER_SANDBOX"}


def test_the_kubernetes_job_runs_again_what_may_end_well() -> None:
    job: Any = yaml.safe_load(block("yaml", "podFailurePolicy"))
    rules = job["spec"]["podFailurePolicy"]["rules"]
    assert rules[0] == {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}
    assert rules[1]["action"] == "FailJob"
    assert rules[1]["onExitCodes"]["values"] == NO_MORE
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    assert pod["terminationGracePeriodSeconds"] > 10
    (container,) = pod["containers"]
    assert container["args"] == ["convert"]
    said = {each["name"]: each.get("value", "") for each in container["env"]}
    assert order.read(said).faults == ()


def test_the_policy_of_iam_allows_what_is_asked_for_and_no_more() -> None:
    policy: Any = json.loads(block("json", "dynamodb:UpdateItem"))
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert allowed == {
        "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListBucket", "s3:ListBucketMultipartUploads",
        "dynamodb:GetItem", "dynamodb:UpdateItem",
    }  # fmt: skip
    assert is_region(policy["Statement"][-1]["Resource"].split(":")[3])
