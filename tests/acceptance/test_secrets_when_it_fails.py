"""P1 and H7 where things go wrong: what was planted in each secret member is seen nowhere, however its job ends.

Each test was seen to fail under a leak: a place in the log, a server's own words in a failure's message.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.lab import audit, media
from tests.lab.ordeal import NOBODY, Case, ordeal, place, repeating
from tests.lab.origin import Served, redirecting
from tests.lab.platform import until
from tests.lab.put import Shelf, resetting
from tests.lab.sentinel import WORD, Watch, forms
from tests.lab.tls import Authority
from tests.lab.wire import Server

DOWN = f"http://{NOBODY}:9999"
ENDLESS = {"encoderPreset": "veryslow", "width": 1920, "height": 1080, "upscale": True}


@dataclass(kw_only=True)
class Web:
    origin: Server
    shelf: Shelf


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    served = Served(data=media.clip(seconds=1).read_bytes())
    async with Server(scripts={"/in.mp4": served}) as origin, Shelf() as shelf:
        yield Web(origin=origin, shelf=shelf)


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_watch_knows_a_word_in_every_dress(before: str) -> None:
    word = f'{WORD} "/+?ü'
    texts = {quote(word), quote_plus(word), json.dumps(word), word.encode().hex()}
    texts.add(base64.b64encode(f"{before}{word}:more".encode()).decode())
    assert [text for text in texts if not any(form in text.encode() for form in forms(word))] == []


async def test_a_job_over_http_that_fails_at_its_source_tells_no_secret(dsn: str, tmp_path: Path, web: Web) -> None:
    origin = web.origin
    origin.scripts |= {f"/{status}": repeating(status) for status in (401, 403, 404, 503)}
    origin.scripts |= {
        "/reset": resetting(after=0),
        "/text": Served(data=b"no video at all" * 99),
        "/bad": Served(data=flipped()),
    }
    origin.scripts |= {
        "/away": redirecting(f"http://10.0.0.1/?key={WORD}"),
        "/user": redirecting(f"http://ann:{WORD}@127.77.0.1/"),
    }
    to = place(web.shelf, "/out.mp4")
    stranger = Authority.new(tmp_path).server("stranger.example")
    async with Server(tls=stranger) as untrusted, ordeal(dsn, tmp_path) as job:
        await job.all_end_as_they_must(
            {
                "401": Case(source=place(origin, "/401"), to=to, code="source_auth_failed"),
                "403": Case(source=place(origin, "/403"), to=to, code="source_auth_failed"),
                "404": Case(source=place(origin, "/404"), to=to, code="source_not_found"),
                "503": Case(source=place(origin, "/503"), to=to, code="source_unavailable", attempts=2),
                "reset": Case(source=place(origin, "/reset"), to=to, code="source_unavailable", attempts=2),
                "down": Case(source=place(DOWN, "/in.mp4"), to=to, code="source_unavailable", attempts=2),
                "astray": Case(source=place(origin, "/away"), to=to, code="redirect_not_allowed"),
                "with a user": Case(source=place(origin, "/user"), to=to, code="redirect_not_allowed"),
                "untrusted": Case(source=place(untrusted, "/in.mp4"), to=to, code="tls_error"),
                "text": Case(source=place(origin, "/text"), to=to, code="unsupported_format"),
                "damaged": Case(source=place(origin, "/bad"), to=to, code="source_damaged"),
            }
        )
        for path in ("/401", "/503", "/text"):
            status, answer = await job.platform.call("POST", "/probe", json={"source": place(origin, path)})
            assert status in {422, 503}
            job.watch.look_at("/probe", str(answer))
        await job.watch.look_at_commands(job.jobs[0])
        await job.nothing_is_seen()
        await job.nothing_is_kept()


@pytest.mark.both_databases
async def test_a_job_over_http_that_fails_behind_its_source_tells_no_secret(dsn: str, tmp_path: Path, web: Web) -> None:
    shelf, source = web.shelf, place(web.origin, "/in.mp4")
    shelf.scripts |= {f"/{status}": repeating(status) for status in (400, 401, 503)} | {"/reset": resetting(after=0)}
    away = partial(Case, source=source, code="destination_unavailable", attempts=2)
    async with ordeal(dsn, tmp_path) as job:
        await job.all_end_as_they_must(
            {
                "400": Case(source=source, to=place(shelf, "/400"), code="destination_refused"),
                "401": Case(source=source, to=place(shelf, "/401"), code="destination_auth_failed"),
                "503": away(to=place(shelf, "/503")),
                "reset": away(to=place(shelf, "/reset")),
                "down": away(to=place(DOWN, "/out.mp4")),
            }
        )
        await job.nothing_is_seen()


def flipped() -> bytes:
    """A file of which bytes were changed on its way."""
    whole = media.made("flip.mp4", "-i", str(media.clip(seconds=4)), "-c", "copy", "-movflags", "+faststart")
    data = bytearray(whole.read_bytes())
    for at in range(data.find(b"mdat") + 4000, len(data), 37):
        data[at] ^= 0x10
    return bytes(data)


async def test_a_job_that_is_cancelled_while_it_encodes_tells_no_secret(dsn: str, tmp_path: Path, web: Web) -> None:
    web.origin.scripts["/in.mp4"] = Served(data=media.clip(seconds=15, size="640x360").read_bytes())
    case = Case(source=place(web.origin, "/in.mp4"), to=place(web.shelf, "/out.mp4"), output=ENDLESS)
    async with ordeal(dsn, tmp_path) as job:
        job_id = await job.submit(case)
        await until(lambda: encodes(job.watch), within_s=30)
        await job.platform.call("POST", f"/jobs/{job_id}/cancel")
        assert (await job.platform.ended(job_id))["status"] == "cancelled"
        await job.nothing_is_seen()
        await audit.audit(job.platform)


async def test_a_job_whose_ffmpeg_crashes_each_time_tells_no_secret(dsn: str, tmp_path: Path, web: Web) -> None:
    web.origin.scripts["/in.mp4"] = Served(data=media.clip(seconds=15, size="640x360").read_bytes())
    to = place(web.shelf, "/out.mp4")
    case = Case(source=place(web.origin, "/in.mp4"), to=to, output=ENDLESS, code="encoder_crashed", attempts=2)
    async with ordeal(dsn, tmp_path) as job:
        crashing = asyncio.create_task(crash_what_encodes(job.watch))
        await job.all_end_as_they_must({"crashed": case})
        crashing.cancel()
        await job.nothing_is_seen()


async def encodes(watch: Watch) -> bool:
    return any(b"veryslow" in command for _, command in watch.programs())


async def crash_what_encodes(watch: Watch) -> None:
    while True:
        await until(lambda: encodes(watch), within_s=60)
        for process, command in watch.programs():
            if b"veryslow" in command:
                os.kill(process, signal.SIGSEGV)


async def test_a_receiver_that_fails_and_repeats_what_it_heard_tells_no_secret(
    dsn: str, tmp_path: Path, web: Web
) -> None:
    case = Case(source=place(web.origin, "/404"), code="source_not_found")
    async with ordeal(dsn, tmp_path) as job:
        job.hook.answers = [*(repeating(status, body=False) for status in (500, 404, 200)), resetting(after=0)]
        await job.all_end_as_they_must({"told": case})
        address = f"{DOWN}/told?token={WORD}"
        body = {"source": case.source, "outputs": [{"preset": "h264"}], "notificationUrl": address}
        job.jobs.append(await job.platform.submit(body))
        await job.platform.ended(job.jobs[-1])
        await until(job.all_is_told, within_s=20)
        _, told = await job.platform.call("GET", "/webhooks/deliveries")
        failures = {delivery["error"] for delivery in told["deliveries"]}
        assert failures >= {"answered 500", "answered 404", "receiver_unavailable"}
        await job.nothing_is_seen()
