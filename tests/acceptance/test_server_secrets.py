"""P1 with servers that one logs in to: what lets us in at FTP, FTPS, SFTP and S3 is seen nowhere, however a job ends.

Each test was seen to fail under a leak: a server's words or what we said to it in a failure's message or a line of log.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4
from xml.sax.saxutils import escape

import asyncssh
import pytest

from encoder.model.job import Place
from tests.lab import audit, media, rgw, sshd
from tests.lab.faults import Proxy, Way
from tests.lab.ftpd import SENTINEL_PASSWORD, SENTINEL_USER, Ftpd
from tests.lab.ordeal import NOBODY, Case, ordeal
from tests.lab.rgw import Bucket, Gateway
from tests.lab.sentinel import WORD
from tests.lab.sshd import Sshd
from tests.lab.turnstile import turnstile
from tests.lab.wire import Exchange, Server

LOGIN: Place = {"username": SENTINEL_USER, "password": SENTINEL_PASSWORD}
NO_LOGIN: Place = {"username": SENTINEL_USER, "password": f"{WORD} is wrong"}
DOWN: Place = {"host": NOBODY, "port": 9999}
NO_VIDEO = b"no video at all" * 99

ftp_group = pytest.mark.xdist_group("ftp")
s3_group = pytest.mark.xdist_group("s3")
AWAY = partial(Case, code="destination_unavailable", attempts=2)


def ftp(server: Ftpd, path: str, *, kind: str = "ftp") -> Place:
    port = server.explicit if kind == "ftps" else server.plain
    return {"kind": kind, "host": server.host, "port": port, "path": path, **LOGIN}


def sftp(servers: Sshd, path: str) -> Place:
    """By password."""
    return servers.members(path, password=True) | {"host": sshd.HOST, **LOGIN}


def sftp_by_key(servers: Sshd, path: str) -> Place:
    return servers.members(path) | {"host": sshd.HOST}


def in_an_address(place: Place) -> Place:
    """The same, with who we are and where it is in its `url`."""
    told = {name: quote(str(place[name]), safe="/") for name in ("host", "path")}
    login = ":".join(quote(str(place[name]), safe="") for name in ("username", "password"))
    rest = {name: value for name, value in place.items() if name not in {*told, *LOGIN, "port"}}
    return rest | {"url": f"{place['kind']}://{login}@{told['host']}:{place['port']}/{told['path']}"}


def lines(key: str) -> list[str]:
    """Of a private key, without those that all have."""
    return [line for line in key.splitlines()[2:-1] if len(line) > 20]


@pytest.fixture
def inside(ftp_server: Ftpd, sftp_servers: Sshd) -> str:
    """A folder of both servers with a video and a text."""
    name = uuid4().hex
    for folder in (ftp_server.folder / name, sftp_servers.folder / name):
        folder.mkdir()
        (folder / "in.mp4").write_bytes(media.clip(seconds=1).read_bytes())
        (folder / "in.txt").write_bytes(NO_VIDEO)
    return name


@ftp_group
@pytest.mark.both_databases
async def test_a_job_from_and_to_servers_tells_none_of_its_logins(
    dsn: str, tmp_path: Path, ftp_server: Ftpd, sftp_servers: Sshd, inside: str
) -> None:
    trusted = ftp_server.authority.file()
    ftps, one = partial(ftp, ftp_server, kind="ftps"), f"{inside}/in.mp4"
    by_password, by_key = partial(sftp, sftp_servers), partial(sftp_by_key, sftp_servers)
    async with ordeal(dsn, tmp_path, *lines(sftp_servers.key), trusted=trusted) as job:
        await job.all_end_as_they_must(
            {
                "ftp": Case(source=ftp(ftp_server, one), to=in_an_address(ftp(ftp_server, f"{inside}/ftp.mp4"))),
                "ftps": Case(source=in_an_address(ftps(one)), to=ftps(f"{inside}/ftps.mp4")),
                "sftp": Case(source=by_password(one), to=in_an_address(by_password(f"{inside}/sftp.mp4"))),
                "key": Case(source=by_key(one), to=by_key(f"{inside}/key.mp4")),
            }
        )
        made = {path.name for server in (ftp_server, sftp_servers) for path in (server.folder / inside).iterdir()}
        assert made == {"in.mp4", "in.txt", "ftp.mp4", "ftps.mp4", "sftp.mp4", "key.mp4"}
        assert any("ffmpeg" in command for command in job.watch.children)
        await job.watch.look_at_commands(job.jobs[0])
        await job.nothing_is_seen()
        await job.nothing_is_kept()
        await audit.audit(job.platform)


@ftp_group
async def test_a_job_that_fails_at_servers_tells_none_of_its_logins(
    dsn: str, tmp_path: Path, ftp_server: Ftpd, sftp_servers: Sshd, inside: str
) -> None:
    one, out, text = f"{inside}/in.mp4", f"{inside}/out.mp4", f"{inside}/in.txt"
    plain, by_key = partial(ftp, ftp_server), partial(sftp_by_key, sftp_servers)
    by_password, ftps = partial(sftp, sftp_servers), partial(ftp, ftp_server, kind="ftps")
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    strange = {"username": SENTINEL_USER, "privateKey": stranger}
    another = {"hostKey": f"SHA256:{'A' * 43}"}
    trusted = ftp_server.authority.file()
    async with (
        Proxy(target=(ftp_server.host, ftp_server.plain), down=Way(reset_after=100)) as resets,
        ordeal(dsn, tmp_path, *lines(sftp_servers.key), *lines(stranger), trusted=trusted) as job,
    ):
        refused, missing = partial(Case, code="source_auth_failed"), partial(Case, code="source_not_found")
        away = partial(Case, code="source_unavailable", attempts=2)
        closed = partial(Case, source=plain(one), code="destination_auth_failed")
        cases = {
            "ftp login": refused(source=plain(one) | NO_LOGIN),
            "ftp login in an address": refused(source=in_an_address(plain(one) | NO_LOGIN)),
            "ftps login": refused(source=ftps(one) | NO_LOGIN),
            "sftp login": refused(source=by_password(one) | NO_LOGIN),
            "sftp key": refused(source=by_key(one) | strange),
            "sftp host key": Case(source=by_key(one) | another, code="host_key_mismatch"),
            "ftp missing": missing(source=plain("nothing.mp4")),
            "ftps missing": missing(source=in_an_address(ftps("nothing.mp4"))),
            "sftp missing": missing(source=by_key("nothing.mp4")),
            "ftp down": away(source=plain(one) | DOWN),
            "ftp resets": away(source=plain(one) | {"host": resets.host, "port": resets.port}),
            "sftp down": away(source=by_key(one) | DOWN),
            "ftp text": Case(source=plain(text), code="unsupported_format"),
            "to ftp login": closed(to=plain(out) | NO_LOGIN),
            "to sftp key": closed(to=by_key(out) | strange),
            "to ftps refused": Case(source=plain(one), to=ftps(f"{one}/out.mp4"), code="destination_not_found"),
            "to ftp down": AWAY(source=plain(one), to=in_an_address(plain(out) | DOWN)),
            "to sftp down": AWAY(source=plain(one), to=by_password(out) | DOWN),
        }
        await job.all_end_as_they_must(cases)
        for name in ("ftp login in an address", "sftp key", "ftp text"):
            status, answer = await job.platform.call("POST", "/probe", json={"source": cases[name].source})
            assert status == 422
            job.watch.look_at("/probe", str(answer))
        await job.watch.look_at_commands(job.jobs[0])
        await job.nothing_is_seen()


@pytest.mark.parametrize(
    "kind",
    [pytest.param("sftp", marks=ftp_group), pytest.param("s3", marks=s3_group)],
)
async def test_a_worker_that_dies_as_it_delivers_leaves_no_login_behind_nor_does_who_takes_over(
    kind: str, dsn: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """It has sent all, but given nothing its name: the next attempt looks for that and removes it."""
    (tmp_path / "in.mp4").write_bytes(media.clip(seconds=1).read_bytes())
    to, words = destination(kind, f"{uuid4().hex}/out.mp4", request)
    async with ordeal(dsn, tmp_path, *words, idle=True) as job:
        job_id = await job.submit(Case(source={"kind": "file", "path": str(tmp_path / "in.mp4")}, to=to))

        async def delivers() -> bool:
            return bool((await job.platform.job(job_id))["outputs"][0]["status"] == "uploading")

        async with turnstile(dsn) as stile:
            worker = await job.start_worker()
            await stile.let_pass_until(delivers)
            await worker.kill()
        await job.watch.look_everywhere(job.hook, job_id)
        assert not job.watch.seen, job.watch.seen
        await job.start_worker()
        ended = await job.platform.ended(job_id)
        assert (ended["status"], ended["outputs"][0]["attempts"]) == ("completed", 2)
        await job.nothing_is_seen()


def destination(kind: str, path: str, request: pytest.FixtureRequest) -> tuple[Place, Sequence[str]]:
    """A place, and the words that let us in there beside the lab's own."""
    if kind == "sftp":
        servers: Sshd = request.getfixturevalue("sftp_servers")
        return sftp_by_key(servers, path), lines(servers.key)
    bucket = request.getfixturevalue("s3_server").bucket()
    return in_bucket(bucket, path), (rgw.SENTINEL_ID, rgw.SENTINEL_SECRET)


def in_bucket(bucket: Bucket, path: str) -> Place:
    keys = {"access_key_id": rgw.SENTINEL_ID, "access_key_secret": rgw.SENTINEL_SECRET}
    return {"kind": "s3", "bucket": bucket.name, "path": path, "endpointUrl": bucket.gateway.url, **keys}


class Repeating(Server):
    """Refuses as Amazon's S3 does: with the key's id, and with what it was told."""

    async def script(self, exchange: Exchange) -> None:
        heard = escape(exchange.request.head.decode())
        told = f"<AWSAccessKeyId>{rgw.SENTINEL_ID}</AWSAccessKeyId><StringToSign>{heard}</StringToSign>"
        code = f"<Code>SignatureDoesNotMatch</Code><Message>{heard}</Message>"
        await exchange.body()
        await exchange.answer(403, f"<Error>{code}{told}</Error>".encode(), {"Content-Type": "application/xml"})


@s3_group
async def test_a_job_that_fails_at_s3_tells_none_of_its_keys(dsn: str, tmp_path: Path, s3_server: Gateway) -> None:
    bucket = s3_server.bucket()
    bucket.put("in.mp4", media.clip(seconds=1).read_bytes())
    bucket.put("in.txt", NO_VIDEO)
    wrong = {"access_key_secret": f"{WORD}/wrong+", "session_token": f"{WORD}/token+=="}
    down = {"endpointUrl": f"http://{NOBODY}:9999", "session_token": f"{WORD}/token+=="}
    at = partial(in_bucket, bucket)
    async with (
        Repeating() as repeats,
        Proxy(target=(s3_server.host, s3_server.port), down=Way(reset_after=20)) as resets,
        ordeal(dsn, tmp_path, rgw.SENTINEL_ID, rgw.SENTINEL_SECRET) as job,
    ):
        reset = {"endpointUrl": f"http://{resets.host}:{resets.port}"}
        source = at("in.mp4")
        await job.all_end_as_they_must(
            {
                "keys": Case(source=source | wrong, code="source_auth_failed"),
                "id": Case(source=source | {"access_key_id": f"{WORD}id"}, code="source_auth_failed"),
                "missing": Case(source=at("nothing.mp4"), code="source_not_found"),
                "repeats": Case(source=source | {"endpointUrl": repeats.url("")}, code="source_auth_failed"),
                "to repeats": Case(
                    source=source, to=at("out.mp4") | {"endpointUrl": repeats.url("")}, code="destination_auth_failed"
                ),
                "down": Case(source=source | down, code="source_unavailable", attempts=2),
                "resets": Case(source=source | reset, code="source_unavailable", attempts=2),
                "text": Case(source=at("in.txt"), code="unsupported_format"),
                "to keys": Case(source=source, to=at("out.mp4") | wrong, code="destination_auth_failed"),
                "to no bucket": Case(
                    source=source, to=at("out.mp4") | {"bucket": "no-such-bucket"}, code="destination_not_found"
                ),
                "to down": AWAY(source=source, to=at("out.mp4") | down),
                "to resets": AWAY(source=source, to=at("out.mp4") | reset),
            }
        )
        await job.nothing_is_seen()
