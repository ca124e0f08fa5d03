"""One job per container: what a run leaves in the bucket and in the table, however it ends."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from encoder.batch import conversion, order, status
from encoder.batch.conversion import Conversion
from encoder.batch.ending import Exit
from encoder.batch.order import Asked
from encoder.batch.report import members
from encoder.settings import Settings
from encoder.wiring.batch import new_conversion
from encoder.wiring.machine import Machine
from encoder.worker.scratch import Scratch
from tests.lab import command, dynamo, media, processes, sqs
from tests.lab.collector import Collector
from tests.lab.dynamo import Table
from tests.lab.platform import until
from tests.lab.rgw import Bucket, Gateway
from tests.lab.s3_meddler import Meddler, refusing, stalling

pytestmark = pytest.mark.xdist_group("s3")

JOB = "job-1"
SOURCE, OUTPUT = f"uploads/{JOB}/input.mp4", f"outputs/{JOB}/output.mp4"


@pytest.fixture(scope="module")
def service() -> Iterator[sqs.Service]:
    with sqs.service() as running:
        yield running


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A bucket, a table, and a machine that runs containers for them."""

    bucket: Bucket
    table: Table
    scratch: Path
    monkeypatch: pytest.MonkeyPatch

    @cached_property
    def machine(self) -> Machine:
        return Machine(Settings(_env_file=None, scratch_dir=self.scratch, worker_slots=1))

    @property
    def environment(self) -> dict[str, str]:
        told = {"JOB_ID": JOB, "OUTPUT_CODEC": "h264", "S3_BUCKET": self.bucket.name, "AWS_REGION": "us-east-1"}
        return {**told, "DYNAMODB_TABLE": self.table.name}

    def through(self, meddler: Meddler) -> None:
        """Reach the bucket through it from now on."""
        self.monkeypatch.setenv("AWS_ENDPOINT_URL_S3", meddler.url(""))

    async def run(self, **changed: str) -> dict[str, Any]:
        async with self.container(changed) as container:
            return await container()

    @asynccontextmanager
    async def container(
        self, changed: Mapping[str, str] | None = None, *, scratch_bytes: int | None = None
    ) -> AsyncIterator[Container]:
        asked = order.read({**self.environment, **(changed or {})})
        assert asked.order is not None, asked.faults
        scratch = Scratch(self.scratch, uuid4(), limit_bytes=scratch_bytes)
        await scratch.open()
        try:
            async with status.opened(self.machine.surroundings.s3.session, asked.table) as told:
                yield Container(asked, new_conversion(self.machine, asked.order, told, scratch))
        finally:
            await scratch.close()

    async def process(self, **changed: str) -> asyncio.subprocess.Process:
        """`encoder convert`, as a container runs it."""
        return await command.start(
            "convert", url="", ENCODER_SCRATCH_DIR=str(self.scratch), **{**self.environment, **changed}
        )

    @property
    def item(self) -> dict[str, Any]:
        return self.table.item(JOB)

    def sha256(self, key: str = OUTPUT) -> str:
        """Of what stands there."""
        data = self.bucket.get(key)
        assert data is not None
        return hashlib.sha256(data).hexdigest()

    def made_at(self) -> object:
        return self.bucket.about(OUTPUT)["LastModified"]


@dataclass(frozen=True)
class Container:
    asked: Asked
    conversion: Conversion

    async def __call__(self) -> dict[str, Any]:
        return members(self.asked, await self.conversion.run())


@pytest.fixture
def lab(s3_server: Gateway, service: sqs.Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    bucket, table = s3_server.bucket(), dynamo.table(service)
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", table.url)
    bucket.put(SOURCE, a_film().read_bytes())
    return Lab(bucket=bucket, table=table, scratch=tmp_path / "scratch", monkeypatch=monkeypatch)


def a_film(seconds: float = 0.5, name: str = "film.mp4") -> Path:
    return media.clip(seconds, size="160x90", rate="15", name=name)


async def test_the_output_stands_and_the_item_says_so(lab: Lab) -> None:
    lab.table.put(JOB, owner="shop")
    async with Collector() as collector:
        process = await lab.process(**collector.environment)
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    (convert,) = collector.named("convert")
    (encode,) = collector.named("encode")
    assert (encode.trace_id, convert.parent_span_id) == (convert.trace_id, b"")
    (line,) = out.decode().splitlines()
    told = json.loads(line)
    size = lab.bucket.about(OUTPUT)["ContentLength"]
    assert told == {
        "job_id": JOB, "status": "COMPLETED", "exit_code": 0, "retry": False, "codec": "h264",
        "bucket": lab.bucket.name, "key": OUTPUT, "size": size, "sha256": lab.sha256(), "seconds": told["seconds"],
    }  # fmt: skip
    item = lab.item
    assert {name: item[name] for name in ("status", "key", "size", "sha256", "codec", "attempt", "owner")} == {
        "status": "COMPLETED", "key": OUTPUT, "size": size, "sha256": lab.sha256(), "codec": "h264", "attempt": 1,
        "owner": "shop",
    }  # fmt: skip
    assert item["started_at"] < item["completed_at"]
    assert item["completed_at"].endswith("Z")
    assert item["host"]
    assert item["seconds"] == told["seconds"]


async def test_a_job_that_is_done_is_not_done_again(lab: Lab) -> None:
    """Nor is one whose output stands though nobody was told: as after the table could not be written to."""
    first = await lab.run()
    made_at, item = lab.made_at(), lab.item
    lab.table.remove(JOB)
    assert await lab.run() == {**first, "seconds": None}
    assert (lab.item["status"], lab.item["sha256"]) == ("COMPLETED", first["sha256"])
    assert (await lab.run(DYNAMODB_TABLE=""))["sha256"] == first["sha256"]
    lab.table.put(JOB, status="FAILED")
    lab.bucket.remove(SOURCE)
    assert (await lab.run())["exit_code"] == 66
    lab.table.remove(JOB)
    told = {name: {"N": str(value)} if isinstance(value, float) else {"S": value} for name, value in item.items()}
    lab.table.client.put_item(TableName=lab.table.name, Item=told)
    assert await lab.run() == first  # nobody reads the source
    assert (lab.made_at(), lab.item) == (made_at, item)


async def test_what_stands_is_no_excuse_where_something_else_was_asked_for(lab: Lab) -> None:
    """Another object, another source, another codec."""
    first = await lab.run()
    lab.bucket.put(OUTPUT, b"half of something")
    assert (await lab.run())["exit_code"] == 0  # the item says COMPLETED all the while
    assert lab.sha256() == lab.item["sha256"]
    lab.bucket.put(SOURCE, a_film(0.7, "other.mp4").read_bytes())
    lab.table.remove(JOB)
    other = await lab.run()
    assert other["seconds"] is not None
    assert other["sha256"] == lab.sha256() != first["sha256"]
    vp9 = await lab.run(OUTPUT_CODEC="vp9")
    assert vp9["key"] == OUTPUT.replace("mp4", "webm")
    assert lab.sha256(vp9["key"]) == vp9["sha256"] == lab.item["sha256"]


async def test_what_is_half_written_is_no_output_and_goes(lab: Lab) -> None:
    lab.bucket.client.create_multipart_upload(Bucket=lab.bucket.name, Key=OUTPUT)
    lab.table.put(JOB, status="PROCESSING", started_at="2026-01-01T00:00:00.000Z")
    assert (await lab.run())["exit_code"] == 0
    assert lab.bucket.open_uploads() == []


async def test_an_order_that_cannot_be_read_ends_with_64(lab: Lab) -> None:
    """Case 1: every fault in one message, and in the item."""
    wrong = {"OUTPUT_CODEC": "x265", "S3_BUCKET": "No Bucket", "ENCODER_LEASE_SECONDS": "soon"}
    process = await lab.process(**wrong)
    out, err = await process.communicate()
    line = json.loads(out.decode().splitlines()[-1])
    told = process.returncode, line["exit_code"], line["job_id"], line["status"], line["code"], line["retry"]
    assert told == (64, 64, JOB, "FAILED", "invalid_environment", False)
    for name in wrong:
        assert name in line["message"]
        assert name in err.decode()
    item = lab.item
    assert (item["status"], item["code"], item["message"]) == ("FAILED", "invalid_environment", line["message"])


async def test_a_container_that_is_stopped_ends_with_75_in_time(lab: Lab) -> None:
    lab.bucket.put(SOURCE, a_film(60, "long.mp4").read_bytes())
    process = await lab.process()
    await until(lambda: _true(bool(encoding(process.pid))), within_s=30)
    begun = time.monotonic()
    process.terminate()
    out, _ = await process.communicate()
    assert time.monotonic() - begun < 10
    assert (process.returncode, json.loads(out.decode().splitlines()[-1])["code"]) == (75, "interrupted")
    assert lab.item["status"] == "PROCESSING"
    assert lab.item["interrupted_at"] >= lab.item["started_at"]
    assert not [path for path in lab.scratch.iterdir() if path.is_dir()]


def encoding(process: int) -> list[int]:
    """The encoders among what a process has started."""
    found = []
    for child in processes.below(process):
        with suppress(OSError):
            if b"libx264" in (processes.PROC / str(child) / "cmdline").read_bytes():
                found.append(child)
    return found


async def ends(lab: Lab, code: Exit, name: str | None, **changed: str) -> dict[str, Any]:
    """A run ends so, and its item says so; nothing is left but what was there."""
    there = lab.bucket.listed()
    told = await lab.run(**changed)
    assert (told["exit_code"], told["code"]) == (code, name), told
    assert told["retry"] is (code in {70, 71, 74, 75})
    if told["status"] == "FAILED":
        item = lab.item
        assert (item["status"], item["code"], item["message"]) == ("FAILED", name, told["message"])
        assert item["started_at"] <= item["failed_at"]
    assert lab.bucket.listed() == there
    assert lab.bucket.open_uploads() == []
    assert not [path for path in lab.scratch.iterdir() if path.is_dir()]
    return told


async def test_a_source_that_is_not_there_ends_with_66(lab: Lab) -> None:
    """Case 2."""
    lab.bucket.remove(SOURCE)
    await ends(lab, Exit.NO_SOURCE, "source_not_found")
    await ends(lab, Exit.NO_SOURCE, "source_not_found", S3_BUCKET="no-such-bucket-of-ours")


async def test_a_source_that_is_denied_ends_with_66(lab: Lab) -> None:
    """Case 2."""
    lab.monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    await ends(lab, Exit.NO_SOURCE, "source_denied")


async def test_a_source_that_is_no_video_ends_with_65_and_may_be_mended(lab: Lab) -> None:
    """Case 3."""
    lab.bucket.put(SOURCE, b"This is no film. " * 100)
    await ends(lab, Exit.UNUSABLE_SOURCE, "unsupported_format")
    lab.bucket.put(SOURCE, a_film().read_bytes())
    assert (await lab.run())["exit_code"] == 0
    item = lab.item
    assert (item["status"], item["attempt"]) == ("COMPLETED", 2)
    assert not {"failed_at", "code", "message"} & item.keys()


async def test_an_encoder_that_crashes_ends_with_70(lab: Lab) -> None:
    """Case 4."""
    lab.bucket.put(SOURCE, a_film(60, "long.mp4").read_bytes())
    ending = asyncio.ensure_future(ends(lab, Exit.ENCODE_FAILED, "encoder_crashed"))
    await until(lambda: _true(bool(encoding(os.getpid()))), within_s=30)
    for child in encoding(os.getpid()):
        os.kill(child, signal.SIGSEGV)
    await ending


async def test_an_upload_that_is_refused_ends_with_74(lab: Lab) -> None:
    """Case 5."""
    async with Meddler(bucket=lab.bucket, faults={"put": [refusing(403, "AccessDenied")]}) as meddler:
        lab.through(meddler)
        told = await ends(lab, Exit.UPLOAD_FAILED, "upload_failed")
    assert "AccessDenied" in told["message"]


async def test_a_bucket_that_is_too_busy_gets_its_job_back(lab: Lab) -> None:
    busy = [refusing(503, "SlowDown", {"Retry-After": "60"})]
    async with Meddler(bucket=lab.bucket, faults={"head": busy}) as meddler:
        lab.through(meddler)
        await ends(lab, Exit.GIVEN_BACK, "source_unavailable")
    assert lab.item["status"] == "PROCESSING"
    assert lab.item["interrupted_at"] >= lab.item["started_at"]


async def test_a_disk_that_is_too_small_gives_the_job_back(lab: Lab) -> None:
    async with lab.container(scratch_bytes=1000) as container:
        told = await container()
    assert (told["exit_code"], told["code"], told["status"]) == (75, "disk_full", "PROCESSING")
    assert "interrupted_at" in lab.item


async def test_a_table_that_is_not_there_ends_with_71_before_any_work(lab: Lab) -> None:
    """Case 6."""
    lab.table.drop()
    told = await ends(lab, Exit.STATUS_AWAY, "status_unavailable")
    assert told["status"] is None
    assert "ResourceNotFoundException" in told["message"]


async def test_an_output_stands_though_nobody_can_be_told(lab: Lab) -> None:
    """Case 6. The next run finds it."""
    async with lab.container() as container:
        running = asyncio.ensure_future(container())
        await until(lambda: _is(lab, "PROCESSING"), within_s=20)
        lab.table.drop()
        told = await running
    assert (told["exit_code"], told["status"], told["key"]) == (71, None, OUTPUT)
    assert lab.bucket.listed() == [OUTPUT, SOURCE]


async def _is(lab: Lab, wanted: str) -> bool:
    return (await asyncio.to_thread(lambda: lab.item)).get("status") == wanted


async def stopped(lab: Lab, at: Callable[[Container], Awaitable[None]]) -> tuple[dict[str, Any], float]:
    """What is told of a container that is stopped there, and how long it took."""
    async with lab.container() as container:
        running = asyncio.ensure_future(container())
        await at(container)
        begun = time.monotonic()
        container.conversion.stop()
        told = await running
    return told, time.monotonic() - begun


@pytest.mark.parametrize("point", ["get", "encoding", "put"])
async def test_who_is_stopped_gives_the_job_back(lab: Lab, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it fetches, encodes and publishes."""
    monkeypatch.setattr(conversion, "PUBLISH_S", 0.5)
    reached = asyncio.Event()

    async def at(container: Container) -> None:
        if point == "encoding":
            held = container.conversion._held  # nobody else knows
            await until(lambda: _true(held.stage == "encoding"), within_s=20)
        else:
            await reached.wait()

    async with Meddler(bucket=lab.bucket, faults={point: [stalling(reached)]}) as meddler:
        lab.through(meddler)
        told, seconds = await stopped(lab, at)
    assert (told["exit_code"], told["status"], told["code"]) == (75, "PROCESSING", "interrupted")
    assert seconds < 10
    assert lab.item["status"] == "PROCESSING"
    assert lab.item["interrupted_at"] >= lab.item["started_at"]
    assert lab.bucket.listed() == [SOURCE]
    assert not [path for path in lab.scratch.iterdir() if path.is_dir()]
    lab.monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    if point == "put":
        assert (await lab.run())["exit_code"] == 0
        assert "interrupted_at" not in lab.item


async def _true(it: bool) -> bool:
    return it


async def test_two_containers_of_one_job_agree(lab: Lab) -> None:
    first, second = await asyncio.gather(lab.run(), lab.run())
    assert [told["exit_code"] for told in (first, second)] == [0, 0]
    assert (lab.item["status"], lab.item["sha256"]) == ("COMPLETED", lab.sha256())  # moto counts two at once as one
    assert lab.bucket.listed() == [OUTPUT, SOURCE]


async def test_a_late_copy_turns_nothing_back(lab: Lab) -> None:
    """It stands still before it publishes, another copy does the job, and it goes on."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    async with lab.container() as late:
        fence = late.conversion._book._fence  # nobody else knows

        async def slowly() -> None:
            reached.set()
            await go_on.wait()
            await fence()

        late.conversion._book._fence = slowly
        running = asyncio.ensure_future(late())
        await reached.wait()
        first = await lab.run()
        stood, item = lab.made_at(), lab.item
        go_on.set()
        told = await running
    assert (first["exit_code"], told["exit_code"], told["sha256"]) == (0, 0, first["sha256"])
    assert lab.made_at() == stood
    assert lab.item == item


async def test_a_late_copy_that_fails_says_nothing(lab: Lab) -> None:
    async with lab.container() as late:
        await late.conversion.status.begin(codec="h264", host="late")
        assert (await lab.run())["exit_code"] == 0
        item = lab.item
        lab.bucket.remove(OUTPUT)
        lab.bucket.remove(SOURCE)
        assert (await late())["exit_code"] == 66
    assert lab.item == item
