"""The command line as its users meet it: a file in, a proven file out, and an exit code that says so."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.lab import media
from tests.lab.command import encoder, start
from tests.lab.platform import running

pytestmark = pytest.mark.both_databases


async def test_submit_and_wait_ends_with_the_proof_and_the_place(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path) as platform:
        done = await encoder("submit", str(media.clip()), "--wait", "--preset", "h264", url=platform.url)
        assert done.code == 0, done.err
        assert "checks passed." in done.out
        assert "h264: http" in done.out
        assert "h264  uploaded" in done.err


async def test_a_broken_source_exits_1_and_says_why_and_what_to_do(dsn: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"\0" * 5000)
    async with running(dsn, tmp_path) as platform:
        done = await encoder("submit", str(broken), "--wait", url=platform.url)
        assert done.code == 1
        assert "error: unsupported_format" in done.err
        assert "encoder help unsupported_format" in done.err
        as_json = await encoder("job", "1", "--json", url=platform.url)
        assert json.loads(as_json.out)["status"] == "failed"


async def test_plan_and_probe_tell_what_is_and_what_would_be(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path) as platform:
        probed = await encoder("probe", str(media.clip()), url=platform.url)
        assert probed.code == 0, probed.err
        assert "video h264" in probed.out
        planned = await encoder("plan", str(media.clip()), "--preset", "vp9", url=platform.url)
        assert planned.code == 0, planned.err
        assert "libvpx-vp9" in planned.out
        assert (await platform.call("GET", "/jobs"))[1]["jobs"] == []


async def test_interrupting_the_wait_leaves_the_job_alone(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, workers=0) as platform:
        process = await start("submit", str(media.clip()), "--wait", url=platform.url)
        assert process.stderr
        async with asyncio.timeout(60):
            while b"queued" not in (line := await process.stderr.readline()):
                assert line, "it ended by itself"
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
        assert process.returncode == 130
        assert b"the job goes on" in err
        assert b"Traceback" not in err
        assert (await platform.job(1))["status"] == "queued"


async def test_up_tells_a_command_that_reaches_it(tmp_path: Path) -> None:
    """Of `up` as it comes, which brings its own PostgreSQL: there is no other database to try it on."""
    up = ("up", "--port", "0", "--data", str(tmp_path / "data"), "--workers", "0")
    process = await start(*up, url="", ENCODER_LOG_FORMAT="console")
    assert process.stderr
    try:
        async with asyncio.timeout(60):
            while not (first := await process.stderr.readline()).startswith(b"The dashboard is at http://"):
                assert first, "it ended by itself"
            second = await process.stderr.readline()
        url = first.decode().split()[-1]
        assert second.decode().endswith(f"encoder submit VIDEO --preset h264 --wait --url {url}\n")
        assert (await encoder("jobs", url=url)).code == 0
        # what is said on the database itself finds that one, while it runs
        home = ("--data", str(tmp_path / "data"))
        said = await encoder("quota", "1", "encode", "--cap", "2", *home, url="")
        assert (said.code, said.out) == (0, "tenant 1  encode  cap 2  share 1\n"), said.err
        made = await encoder("keys", "create", "mine", *home, url="")
        assert (made.code, f"of the database in {tmp_path / 'data'}" in made.err) == (0, True), made.err
        assert "mine" in (await encoder("keys", "list", *home, url="")).out
        seen = await encoder("doctor", *home, url="")
        assert (seen.code, "database: PostgreSQL" in seen.out, "webhooks: 1 secret" in seen.out) == (0, True, True), (
            seen
        )
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
