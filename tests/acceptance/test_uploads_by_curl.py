"""The commands of docs/howto/uploads.md, run as they stand there: against a folder, and against a bucket."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from encoder.suites.cargo import noise
from tests.lab import tus
from tests.lab.platform import Platform, Role, free_port, running, until
from tests.lab.rgw import Gateway
from tests.lab.servers import require_programs

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "uploads.md").read_text(encoding="utf-8")
DATA = noise(1024 * 1024)
HALF = len(DATA) // 2


def commands(heading: str) -> list[str]:
    """The first block of commands below a heading, one a line."""
    below = PAGE.partition(f"\n## {heading}\n")[2]
    block = re.search(r"```\n(.*?)```", below, re.DOTALL)
    assert block
    return [re.sub(r"\s+# .*$", "", line) for line in block[1].replace("\\\n", "").strip().splitlines()]


async def run(folder: Path, command: str) -> str:
    """What a command of the page prints, with `-sS -f`: whatever is refused is an error."""
    quiet = re.sub(r"\bcurl\b", "curl -sS -f", command)
    process = await asyncio.create_subprocess_shell(
        f"set -o pipefail; {quiet}", cwd=folder, stdout=-1, stderr=-1, executable="/bin/bash"
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, (quiet, err.decode())
    return out.decode()


async def announced(platform: Platform, folder: Path, command: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(await run(folder, command.replace("http://127.0.0.1:8080", platform.url)))
    return told


async def arrived(platform: Platform, upload: dict[str, Any]) -> None:
    """It is here, byte for byte, and has become its job."""
    status, told = await platform.call("GET", f"/upload/{upload['file_id']}/status")
    assert (status, told["processing_status"]) == (200, "uploaded"), told
    assert told["job_id"] is not None
    status, link = await platform.call("GET", f"/upload/{upload['file_id']}/download/original")
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(link["download_url"], encoded=True)) as response,
    ):
        assert await response.read() == DATA


def with_all(command: str, flag: str, told: dict[str, str], *, form: str) -> str:
    """`command` with each of the answer's headers or fields in place of those that the page shows."""
    said = " ".join(f"{flag} {shlex.quote(form.format(name, value))}" for name, value in told.items())
    return re.sub(rf"({flag} '[^']*' ?)+", lambda _: f"{said} ", command, count=1)


async def put_and_post(platform: Platform, folder: Path) -> None:
    announce, bring = commands("One request: put")
    upload = await announced(platform, folder, announce)
    with_headers = with_all(bring, "-H", upload["headers"], form="{}: {}")
    await run(folder, with_headers.replace("UPLOAD_URL", upload["upload_url"]))
    await arrived(platform, upload)
    announce, bring = commands("A form: post")
    upload = await announced(platform, folder, announce)
    with_fields = with_all(bring, "-F", upload["fields"], form="{}={}")
    await run(folder, with_fields.replace("UPLOAD_URL", upload["upload_url"]))
    await arrived(platform, upload)


async def half_and_half(platform: Platform, folder: Path, *, then_at: str) -> None:
    """By tus: cut at half, asked for and gone on with as the page says, the second half at another server."""
    announce, whole, ask, go_on = commands("In pieces: tus")
    other = (await announced(platform, folder, announce))["upload_url"]
    await run(folder, whole.replace("UPLOAD_URL", other))
    upload = await announced(platform, folder, announce)
    async with aiohttp.ClientSession() as session:
        client = tus.Client(session=session, url=platform.url)
        await client.break_off(upload["upload_url"], 0, DATA[:HALF], of=len(DATA))
        while await client.offset(upload["upload_url"]) < HALF:
            await asyncio.sleep(0.02)
    there = then_at + urlsplit(upload["upload_url"]).path
    assert f"upload-offset: {HALF}" in (await run(folder, ask.replace("UPLOAD_URL", there))).lower()
    assert str(HALF) in go_on
    await run(folder, go_on.replace("UPLOAD_URL", there))
    await arrived(platform, upload)


async def listens(api: Role, port: int) -> bool:
    assert api.process.returncode is None, api.log.read_text()
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    require_programs("curl")
    (tmp_path / "holiday.mov").write_bytes(DATA)
    return tmp_path


async def test_the_commands_bring_a_file_into_a_folder(dsn: str, folder: Path) -> None:
    async with running(dsn, folder, workers=0) as platform:
        await put_and_post(platform, folder)
        await half_and_half(platform, folder, then_at=platform.url)


@pytest.mark.xdist_group("s3")
async def test_the_commands_bring_a_file_into_a_bucket_whichever_server_takes_the_next_piece(
    dsn: str, folder: Path, s3_server: Gateway
) -> None:
    """J19, U3"""
    bucket, port = s3_server.bucket(), free_port()
    storage = {"ENCODER_STORAGE": f"s3://{bucket.name}/enc", **bucket.environment}
    async with running(dsn, folder, workers=0, hasty=False, **storage) as platform:
        other = await platform.start("api", ENCODER_PORT=str(port))
        await until(lambda: listens(other, port), within_s=30)
        await put_and_post(platform, folder)
        await half_and_half(platform, folder, then_at=f"http://127.0.0.1:{port}")
    assert bucket.open_uploads() == []
    assert [key for key in bucket.listed() if not key.endswith("/source")] == []
