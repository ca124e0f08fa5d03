"""Events that come through a queue of SQS: a message goes when its jobs stand, and whatever else it does not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from encoder import errors
from encoder.api import ingest_queue
from encoder.api.ingest import Intake
from encoder.api.ingest_queue import QueueReader
from encoder.model.ids import DEFAULT_TENANT
from encoder.net.s3 import S3Access
from encoder.store.protocol import Store
from tests.integration.test_api_ingest import a_rule, jobs, put
from tests.lab import sqs, told
from tests.lab.api import Api, running
from tests.lab.platform import until
from tests.lab.rgw import Bucket, Gateway
from tests.lab.sqs import Queue, Service

pytestmark = pytest.mark.xdist_group("s3")


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with sqs.service() as running:
        yield running


@pytest.fixture
def queue(service: Service, monkeypatch: pytest.MonkeyPatch) -> Queue:
    for name, value in sqs.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ingest_queue, "PAUSE_S", 0.05)
    monkeypatch.setattr(ingest_queue, "LONGEST_PAUSE_S", 0.1)
    return service.queue()


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    async with running(store, tmp_path) as api:
        yield api


@pytest.fixture
async def bucket(api: Api, s3_server: Gateway) -> Bucket:
    made = s3_server.bucket()
    await put(api, a_rule(made))
    for key in ("in/a.mp4", "in/b.mp4"):
        await asyncio.to_thread(made.put, key, b"video")
    return made


@asynccontextmanager
async def reading(api: Api, queue: Queue, readers: int = 1) -> AsyncIterator[None]:
    """Some processes' readers; they end when they are told to, by themselves."""
    stop = asyncio.Event()
    intake = Intake(parts=api.parts, tenant_id=DEFAULT_TENANT)
    session = S3Access().session
    made = [
        QueueReader(session, queue.url, intake, region="eu-central-1", uniform=random.uniform) for _ in range(readers)
    ]
    running = asyncio.gather(*(reader.run(stop) for reader in made))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(running, 5.0)


async def emptied(queue: Queue) -> None:
    async def is_empty() -> bool:
        return await asyncio.to_thread(queue.left) == 0

    await until(is_empty, within_s=20.0)


@pytest.mark.both_databases
async def test_several_readers_make_one_job_of_what_comes_several_times(api: Api, bucket: Bucket, queue: Queue) -> None:
    """As S3 sends it, and wrapped by EventBridge and SNS; what tells of no object is deleted too."""
    topic = told.TOPIC
    await put(api, {**a_rule(bucket), "topics": [topic]})
    for body in (told.FIRST, *[told.ceph("in/a.mp4", bucket=bucket.name)] * 3):
        await asyncio.to_thread(queue.send, body)
    for body in [told.sns(told.ceph("in/b.mp4", bucket=bucket.name))] * 2:
        await asyncio.to_thread(queue.send, body)
    await asyncio.to_thread(queue.send, told.eventbridge("in/c.txt", bucket=bucket.name))
    async with reading(api, queue, readers=3):
        await emptied(queue)
    assert sorted(job["source"]["path"] for job in await jobs(api)) == ["in/a.mp4", "in/b.mp4"]


async def test_a_message_that_nobody_can_take_goes_where_the_queue_sends_it_and_holds_up_no_other(
    api: Api, bucket: Bucket, service: Service, queue: Queue
) -> None:
    queue = await asyncio.to_thread(lambda: service.queue(tries=3))
    for body in ("{", told.s3(eventVersion="3.0"), told.ceph("in/a.mp4", bucket=bucket.name)):
        await asyncio.to_thread(queue.send, body)
    async with reading(api, queue):
        await emptied(queue)
    assert len(await jobs(api)) == 1
    assert await asyncio.to_thread(queue.dead) == 2


async def test_one_rule_that_is_refused_does_not_slow_the_others_messages(
    api: Api, bucket: Bucket, queue: Queue, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten messages one can never be taken: the reader goes on at once with the next."""
    queue = service.queue(visible_after_s=120)  # by itself the one that is refused would be a reason to pause
    wrong = a_rule(bucket)
    wrong["source"] |= {"prefix": "wrong/", "access_key_secret": "not-the-secret"}
    await put(api, wrong, "wrong")
    await asyncio.to_thread(bucket.put, "wrong/a.mp4", b"video")
    monkeypatch.setattr(ingest_queue, "PAUSE_S", 60.0)
    monkeypatch.setattr(ingest_queue, "LONGEST_PAUSE_S", 60.0)
    for key in ("wrong/a.mp4", "in/a.mp4"):
        await asyncio.to_thread(queue.send, told.ceph(key, bucket=bucket.name))
    async with reading(api, queue):
        await until(lambda: made(api, 1), within_s=10.0)
        await asyncio.to_thread(queue.send, told.ceph("in/b.mp4", bucket=bucket.name))
        await until(lambda: made(api, 2), within_s=10.0)


async def made(api: Api, count: int) -> bool:
    return len(await jobs(api)) == count


async def test_a_message_stays_until_its_job_stands(
    api: Api, bucket: Bucket, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit decides: before it the message stays, behind it the next telling makes no second job."""
    store: Any = api.parts.store
    whole, faults = store.ingest, ["its answer is lost", "it is away"]

    async def ingest(*values: Any) -> Any:  # noqa: ANN401  # as the store's
        if len(faults) == 2:
            raise errors.StoreUnavailable(faults.pop())
        made = await whole(*values)
        if faults:
            raise errors.StoreUnavailable(faults.pop())
        return made

    monkeypatch.setattr(store, "ingest", ingest)
    await asyncio.to_thread(queue.send, told.ceph("in/a.mp4", bucket=bucket.name))
    async with reading(api, queue):
        await until(lambda: asyncio.sleep(0, not faults), within_s=30.0)
        await emptied(queue)
    assert len(await jobs(api)) == 1
    assert await asyncio.to_thread(queue.dead) == 0


async def test_what_nobody_thought_of_ends_no_reader(
    api: Api, bucket: Bucket, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs beside the whole API, and is tried again."""
    store: Any = api.parts.store
    whole, faults = store.ping, ["never heard of"] * 2

    async def ping() -> None:
        if faults:
            raise errors.Defect(faults.pop())
        await whole()

    monkeypatch.setattr(store, "ping", ping)
    await asyncio.to_thread(queue.send, told.ceph("in/a.mp4", bucket=bucket.name))
    async with reading(api, queue):
        await emptied(queue)
    assert len(await jobs(api)) == 1


async def test_no_message_is_used_up_while_the_database_is_away(
    api: Api, bucket: Bucket, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look at it counts towards its end among the dead letters."""
    asked = asyncio.Event()
    store: Any = api.parts.store

    async def away() -> None:
        asked.set()
        raise errors.StoreUnavailable("away")

    await asyncio.to_thread(queue.send, told.ceph("in/a.mp4", bucket=bucket.name))
    with monkeypatch.context() as outage:
        outage.setattr(store, "ping", away)
        async with reading(api, queue):
            for _ in range(5):
                asked.clear()
                await asyncio.wait_for(asked.wait(), 5.0)
            counted = await asyncio.to_thread(
                queue.client.get_queue_attributes,
                QueueUrl=queue.url,
                AttributeNames=["ApproximateNumberOfMessagesNotVisible"],
            )
            assert counted["Attributes"]["ApproximateNumberOfMessagesNotVisible"] == "0"
    async with reading(api, queue):
        await emptied(queue)
    assert len(await jobs(api)) == 1


async def test_a_reader_that_waits_for_messages_ends_at_once(api: Api, queue: Queue) -> None:
    began = asyncio.get_running_loop().time()
    async with reading(api, queue):
        await asyncio.sleep(0)
    assert asyncio.get_running_loop().time() - began < 5.0


async def test_a_configuration_of_aws_that_cannot_be_read_refuses_the_start(
    api: Api, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody-has-it")
    with pytest.raises(errors.Unfit, match=r"ENCODER_INGEST_SQS_URLS.*nobody-has-it"):
        async with reading(api, queue):
            pass
