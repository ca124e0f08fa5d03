"""A queue that speaks as SQS does, with visibility, dead letters and long waits: moto's server, in its own process."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

import botocore.session

HOST = "127.77.0.11"
START_S = 30.0
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_REGION": "eu-central-1"}


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue, and the one in which its dead letters lie."""

    client: Any
    url: str
    dead_url: str

    def send(self, body: object) -> None:
        self.client.send_message(QueueUrl=self.url, MessageBody=body if isinstance(body, str) else json.dumps(body))

    def left(self) -> int:
        """Messages that were not deleted, whoever has them."""
        return self._count(self.url)

    def dead(self) -> int:
        return self._count(self.dead_url)

    def _count(self, url: str) -> int:
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        told = self.client.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
        return sum(int(told[name]) for name in names)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A running server."""

    port: int

    @cached_property
    def client(self) -> Any:  # noqa: ANN401  # botocore makes its clients' classes at run time
        return botocore.session.get_session().create_client(
            "sqs",
            region_name=ENVIRONMENT["AWS_REGION"],
            endpoint_url=f"http://{HOST}:{self.port}",
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
        )

    def queue(self, *, visible_after_s: int = 1, tries: int = 100) -> Queue:
        """A new queue: a message that was not deleted comes again so much later, and so often in all."""
        dead = self._made({})
        arn = self.client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": tries})
        url = self._made({"VisibilityTimeout": str(visible_after_s), "RedrivePolicy": policy})
        return Queue(client=self.client, url=url, dead_url=dead)

    def _made(self, attributes: Mapping[str, str]) -> str:
        name = f"q-{uuid4().hex}"
        return str(self.client.create_queue(QueueName=name, Attributes=dict(attributes))["QueueUrl"])


@contextmanager
def service() -> Iterator[Service]:
    """A server for a whole session."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        made = Service(port=listener.getsockname()[1])
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(made.port)],
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(made)
        yield made
    finally:
        process.kill()
        process.wait()
        made.client.close()


def _wait_for(made: Service) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://{HOST}:{made.port}/moto-api/", timeout=5).close()  # ours
            return
        time.sleep(0.05)
    raise TimeoutError("the queue's server did not start")
