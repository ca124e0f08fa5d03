"""What the environment of a container asks for, read whole and checked before anything is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from encoder.ffmpeg.containers import CONTAINERS
from encoder.ffmpeg.presets import BUILT_IN
from encoder.net.s3_members import is_bucket, is_region

CODECS = ("h264", "vp9", "av1")  # each the preset of that name

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_MOST_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Where the status of a job is told: a table of DynamoDB whose key is `job_id`."""

    name: str
    region: str
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One job. `table` None: nobody keeps its status."""

    job_id: str
    codec: str
    bucket: str
    region: str
    table: Table | None

    @property
    def source_key(self) -> str:
        return f"uploads/{self.job_id}/input.mp4"

    @property
    def output_key(self) -> str:
        container = str(BUILT_IN[self.codec].members["container"])
        return f"outputs/{self.job_id}/output.{CONTAINERS[container].extension}"

    @property
    def preset(self) -> str:
        """The preset and its version: what was made by another one is another result."""
        return f"{self.codec}/{BUILT_IN[self.codec].version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What could be read. `order` None: `faults` say why; `table`: where to tell so, if that much is in order."""

    job_id: str | None
    order: Order | None
    table: Table | None
    faults: tuple[str, ...] = ()


def read(environment: Mapping[str, str]) -> Asked:
    """The order of an environment, or everything that is wrong with it. A variable that is empty is missing."""
    said = {name: environment.get(name, "") for name in _RULES}
    faults = tuple(fault for name in _RULES if (fault := _fault(name, said[name])) is not None)
    wrong = {fault.split(" ", 1)[0] for fault in faults}
    table = None
    if said["DYNAMODB_TABLE"] and wrong.isdisjoint({"JOB_ID", "AWS_REGION", "DYNAMODB_TABLE"}):
        table = Table(name=said["DYNAMODB_TABLE"], region=said["AWS_REGION"], job_id=said["JOB_ID"])
    if faults:
        job_id = None if "JOB_ID" in wrong else said["JOB_ID"]
        return Asked(job_id=job_id, order=None, table=table, faults=faults)
    order = Order(
        job_id=said["JOB_ID"],
        codec=said["OUTPUT_CODEC"],
        bucket=said["S3_BUCKET"],
        region=said["AWS_REGION"],
        table=table,
    )
    return Asked(job_id=order.job_id, order=order, table=table)


def _fault(name: str, value: str) -> str | None:
    """What is wrong with a variable, a sentence without its end that begins with its name."""
    if not value:
        return None if name == "DYNAMODB_TABLE" else f"{name} is missing"
    is_right, rule = _RULES[name]
    if is_right(value):
        return None
    return f"{name} must be {rule}" + (f", not {value[:_MOST_SHOWN]!r}" if name == "OUTPUT_CODEC" else "")


_RULES: Mapping[str, tuple[Callable[[str], object], str]] = {
    "JOB_ID": (_JOB_ID.fullmatch, "1 to 128 letters, digits, hyphens and underscores"),
    "OUTPUT_CODEC": (CODECS.__contains__, f"one of {', '.join(CODECS)}"),
    "S3_BUCKET": (is_bucket, "a bucket's name: 3 to 63 small letters, digits, hyphens and single dots"),
    "AWS_REGION": (is_region, "a region's name, such as eu-central-1"),
    "DYNAMODB_TABLE": (_TABLE.fullmatch, "a table's name: 3 to 255 letters, digits, hyphens, underscores and dots"),
}
