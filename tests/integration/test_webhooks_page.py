"""docs/reference/webhooks.md and howto/webhooks.md: bodies are those that are sent, receivers do what they say."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from encoder.model.base import Json
from encoder.model.event import TOLD, Event, EventType
from encoder.model.formats import FORMATS
from encoder.model.ids import JobId, OutputId
from encoder.model.job import JobSpec, OutputSpec
from encoder.model.result import Delivered
from encoder.model.state import JobState, OutputState
from encoder.model.telling import ToldJob, ToldOutput
from encoder.webhooks.schedule import DELAYS_S
from tests.lab.platform import WEBHOOK_SECRET, free_port, until
from tests.lab.post import send
from tests.lab.servers import require_programs
from tests.lab.wire import PUBLIC
from tests.unit.test_telling import AT, UUID_1

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "reference" / "webhooks.md").read_text()
RECEIVERS = (DOCS / "howto" / "webhooks.md").read_text()
LANGUAGES = {"python": [sys.executable, "-c"], "js": ["node", "--input-type=module", "-e"]}
MEDIACONVERT: dict[str, Json] = {"account": "111122223333", "region": "eu-central-1"}
JOB = ToldJob(
    id=JobId(42),
    uuid=UUID_1,
    created_at=AT,
    state=JobState.COMPLETED,
    spec=JobSpec(
        source={"kind": "https"},
        outputs=(OutputSpec(container="mp4"),),
        metadata={"orderId": "42"},
        tags=("trailer",),
    ),
    problem=None,
    outputs=(
        ToldOutput(
            id=OutputId(0),
            state=OutputState.UPLOADED,
            delivered=Delivered(
                uri="s3://my-bucket/out/720p.mp4",
                size_bytes=5_242_880,
                sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                duration_seconds=60.04,
                width=1280,
                height=720,
                bitrate=698_600,
            ),
        ),
    ),
)


def test_the_bodies_of_the_page_are_those_that_are_sent() -> None:
    event = Event(seq=5, type=EventType.JOB_COMPLETED, at=AT, run=1)
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    sent = [json.loads(FORMATS[name].text(event, JOB, MEDIACONVERT)) for name in ("standard", "mediaconvert")]
    assert shown == sent


def test_the_page_has_every_event_and_every_form_and_the_schedule_as_it_is() -> None:
    for kind in TOLD | {EventType.ENDPOINT_TEST}:
        assert f"`{kind}`" in PAGE
    for name, form in FORMATS.items():
        assert f"`{name}`" in PAGE
        assert [setting for setting in form.settings if f"`{setting}`" not in PAGE] == []
    pauses = [_said(seconds) for seconds in DELAYS_S[1:]]
    assert f"at once, then after {', '.join(pauses[:-1])} and {pauses[-1]}" in PAGE.replace("\n", " ")


def _said(seconds: int) -> str:
    for unit, size in (("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if seconds >= size.total_seconds():
            return f"{seconds // int(size.total_seconds())} {unit}"
    return f"{seconds} s"


@pytest.fixture(params=LANGUAGES)
async def receiver(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """The page's own, as a process."""
    program = LANGUAGES[request.param]
    require_programs(program[0])
    (code,) = re.findall(rf"```{request.param}\n(.*?)```", RECEIVERS, re.DOTALL)
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "WEBHOOK_SECRET": WEBHOOK_SECRET}
    process = await asyncio.create_subprocess_exec(
        *program, code, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(lambda: _listens(port), within_s=20)
        yield f"http://{PUBLIC}:{port}/", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(PUBLIC, port)
    except OSError:
        return False
    writer.close()
    return True


async def test_the_receiver_of_the_page_takes_what_is_genuine_once(
    receiver: tuple[str, asyncio.subprocess.Process],
) -> None:
    """I1"""
    url, process = receiver
    body = FORMATS["standard"].text(Event(seq=5, type=EventType.JOB_COMPLETED, at=AT, run=1), JOB, {})
    forged = "whsec_" + "QUFB" * 8
    statuses = []
    for secret, webhook_id in ((forged, "evt_1"), (WEBHOOK_SECRET, "evt_1"), (WEBHOOK_SECRET, "evt_1")):
        sent = await send(url, webhook_id=webhook_id, body=body, secret=secret)
        statuses.append(sent.result.status)
    assert statuses == [401, 204, 204]
    process.terminate()
    assert process.stdout is not None
    assert await process.stdout.read() == b"job.completed 42\n"
