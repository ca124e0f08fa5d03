"""A job whose places are of a kind that somebody else wrote: HTTP in, a proven file out, through real processes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from tests.lab import audit, media
from tests.lab.databases import rows
from tests.lab.platform import running
from tests.lab.plugin import installed
from tests.lab.put import Shelf
from tests.lab.wire import Exchange

SECRET = "S3nt1nel"


class Dav(Shelf):
    """As much of WebDAV as it takes: what was put can be had, moved and removed."""

    async def script(self, exchange: Exchange) -> None:
        path = exchange.request.target
        match exchange.request.method:
            case "GET":
                await exchange.answer(200, self.objects[path])
            case "MKCOL":
                await exchange.answer(201)
            case "MOVE":
                self.objects[urlsplit(exchange.request.headers["destination"]).path] = self.objects.pop(path)
                await exchange.answer(201)
            case "DELETE":
                await exchange.answer(204 if self.objects.pop(path, None) else 404)
            case _:
                await super().script(exchange)


async def test_a_job_from_and_to_a_plug_ins_places_is_completed_and_keeps_its_secrets(dsn: str, tmp_path: Path) -> None:
    """P1: only the server that they are for ever sees them."""
    site = installed(tmp_path / "plugin")
    async with Dav() as dav, running(dsn, tmp_path, PYTHONPATH=str(site)) as platform:
        dav.objects["/in.mp4"] = media.clip().read_bytes()
        output = {"preset": "h264", "encoderPreset": "ultrafast", "width": 320, "height": 180}
        to = {"kind": "webdav", "url": dav.url("/out/{sourceName}-{height}.mp4"), "username": "me", "password": SECRET}
        source = {"kind": "webdav", "url": dav.url("/in.mp4"), "token": SECRET}
        job = await platform.ended(
            await platform.submit({"source": source, "outputs": [{**output, "destination": to}]})
        )
        assert (job["status"], job["outputs"][0]["attempts"]) == ("completed", 1), job
        assert dav.objects.keys() == {"/in.mp4", "/out/in-180.mp4"}
        made = dav.objects["/out/in-180.mp4"]
        assert job["outputs"][0]["sha256"] == hashlib.sha256(made).hexdigest()
        assert job["outputs"][0]["uri"] == dav.url("/out/in-180.mp4")
        assert {request.headers["authorization"].split()[0] for request in dav.seen} == {"Bearer", "Basic"}
        logs = "".join(role.log.read_text() for role in platform.roles)
        assert SECRET not in logs + str(job) + str(await rows(dsn))
    await audit.audit(platform)
