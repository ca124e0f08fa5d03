"""P1 where a request is refused: no answer, log or command line repeats the secret that is wrong or stands beside it.

Seen to fail where a fault's message, or the log of a refusal, repeats what was sent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.lab.command import encoder
from tests.lab.platform import Platform, running
from tests.lab.sentinel import WORD, Watch, watching

pytestmark = pytest.mark.both_databases

HOST = "127.77.0.1"
OUTPUTS = [{"preset": "h264"}]
HTTP = {"kind": "http", "url": f"http://{HOST}/in.mp4?key={WORD}", "headers": {"Authorization": f"Bearer {WORD}"}}
FTP = {"kind": "ftp", "host": HOST, "path": "in.mp4", "username": WORD, "password": WORD}
SFTP = {**FTP, "kind": "sftp"}
S3 = {"kind": "s3", "bucket": "lab", "path": "in.mp4", "access_key_id": WORD, "access_key_secret": WORD}
LOGIN = f"ann:{WORD}"

# a place that is refused, and the member that is told
PLACES: list[tuple[dict[str, Any], str]] = [
    (HTTP | {"headers": {"X-Token": [WORD]}}, "/headers/X-Token"),
    (HTTP | {"headers": {"X-Token": f"{WORD}\r\nHost: x"}}, "/headers/X-Token"),
    (HTTP | {"headers": {"Content-Length": WORD}}, "/headers/Content-Length"),
    (HTTP | {"headers": f"X-Token: {WORD}"}, "/headers"),
    (HTTP | {"headers": [WORD]}, "/headers"),
    (HTTP | {"method": WORD}, "/method"),
    (HTTP | {"token": WORD}, "/token"),
    (HTTP | {"url": f"http://{LOGIN}@{HOST}/in.mp4"}, "/url"),
    (HTTP | {"url": f"http://{HOST}:99999/in.mp4?key={WORD}"}, "/url"),
    (HTTP | {"url": f"http://10.0.0.1/in.mp4?key={WORD}"}, "/url"),
    (HTTP | {"url": f"http://ann:1/{WORD}@{HOST}/in.mp4"}, "/url"),
    ({"url": f"gopher://{LOGIN}@{HOST}/in.mp4"}, "/url"),
    ({"url": f"{LOGIN}@{HOST}/in.mp4"}, "/url"),
    (FTP | {"password": [WORD]}, "/password"),
    (FTP | {"password": f"{WORD}\r\nDELE x"}, "/password"),
    (FTP | {"username": WORD * 200}, "/username"),
    (FTP | {"port": WORD}, "/port"),
    (FTP | {"host": f"{LOGIN}@{HOST}"}, "/host"),
    (FTP | {"privateKey": WORD}, "/privateKey"),
    ({"url": f"ftp://{LOGIN}@10.0.0.1/in.mp4"}, "/url"),
    ({"url": f"ftp://{LOGIN}@{HOST}:99999/in.mp4"}, "/url"),
    ({"url": f"ftp://{LOGIN}%0D@{HOST}/in.mp4"}, "/url"),
    ({"url": f"ftp://{LOGIN}@{HOST}/in.mp4", "password": WORD}, "/password"),
    ({"url": f"ftps://{LOGIN}@[{HOST}/in.mp4"}, "/url"),
    ({"url": f"sftp://{LOGIN}@{HOST}/../in.mp4"}, "/url"),
    (SFTP | {"privateKey": WORD}, "/privateKey"),
    (SFTP | {"privateKey": f"-----BEGIN PRIVATE KEY-----\n{WORD}\n-----END PRIVATE KEY-----\n"}, "/privateKey"),
    (SFTP | {"privateKey": {"pem": WORD}}, "/privateKey"),
    (SFTP | {"hostKey": WORD}, "/hostKey"),
    (S3 | {"access_key_id": f"{WORD} "}, "/access_key_id"),
    (S3 | {"access_key_secret": [WORD]}, "/access_key_secret"),
    (S3 | {"session_token": f"{WORD}\n"}, "/session_token"),
    (S3 | {"endpointUrl": f"http://{LOGIN}@{HOST}"}, "/endpointUrl"),
    ({"kind": "s3", "bucket": "lab", "path": "x", "access_key_secret": WORD}, "/access_key_id"),
    ({"kind": "s3", "bucket": "lab", "path": "x", "session_token": WORD}, "/access_key_id"),
    ({"url": f"s3://{LOGIN}@lab/in.mp4"}, "/url"),
]
RECEIVERS: list[Any] = [
    f"http://{LOGIN}@{HOST}/told",
    f"http://10.0.0.1/told?token={WORD}",
    f"http://{HOST}:22/told?token={WORD}",
    f"ftp://{LOGIN}@{HOST}/told",
    [f"http://{HOST}/told?token={WORD}"],
]
TEXTS = [
    f'{{"source": {{"kind": "ftp", "password": "{WORD}',
    f'{{"source": {{"kind": "ftp", "password": "{WORD}", "password": "{WORD}"}}}}',
    f'{{"source": {{"kind": "ftp", "password": "{WORD}\\u0000"}}}}',
    f'{{"source": {{"kind": "ftp", "password": "{WORD}\\ud800"}}}}',
]


async def refused(platform: Platform, watch: Watch, path: str, body: str) -> list[str]:
    """The places of what is wrong with it."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": "one"}
    status, answer = await platform.call("POST", path, data=body.encode(), headers=headers)
    watch.look_at(f"{path} {answer}", str(answer))
    assert status in {400, 422}, (body, answer)
    return [fault["path"] for fault in answer["errors"]]


async def test_what_is_refused_is_not_repeated(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, workers=0) as platform, watching(platform, WORD) as watch:
        for place, member in PLACES:
            as_source = json.dumps({"source": place, "outputs": OUTPUTS, "notificationUrl": f"http://{HOST}/?{WORD}"})
            as_destination = json.dumps({"source": HTTP, "outputs": [{**OUTPUTS[0], "destination": place}]})
            for path in ("/jobs", "/jobs?dryRun=true"):
                assert f"/source{member}" in await refused(platform, watch, path, as_source), place
                await refused(platform, watch, path, as_destination)
            await refused(platform, watch, "/probe", json.dumps({"source": place}))
        for receiver in RECEIVERS:
            body = json.dumps({"source": HTTP, "outputs": OUTPUTS, "notificationUrl": receiver})
            assert "/notificationUrl" in await refused(platform, watch, "/jobs", body)
        for text in TEXTS:
            await refused(platform, watch, "/jobs", text)
        await watch.look_at_rows()
    assert not watch.seen, watch.seen


async def test_the_command_line_does_not_repeat_what_is_refused(dsn: str, tmp_path: Path) -> None:
    async with running(dsn, tmp_path, workers=0) as platform, watching(platform, WORD) as watch:
        for number in (0, 7, 15, 26):
            job = json.dumps({"source": PLACES[number][0], "outputs": OUTPUTS})
            told = await encoder("submit", "--job", "-", url=platform.url, stdin=job)
            assert told.code != 0
            assert "/source" in told.err
            watch.look_at("encoder submit", told.out + told.err)
    assert not watch.seen, watch.seen
