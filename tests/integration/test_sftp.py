"""SFTP: whose key the server has, who may come in, and what is said when it goes wrong."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from uuid import uuid4

import asyncssh
import pytest
from structlog.testing import capture_logs

from encoder import errors
from encoder.model.base import Json
from encoder.net import sftp
from encoder.net.dial import dial
from encoder.net.http import Web
from encoder.plugins import Surroundings
from encoder.sources.registry import Sources
from encoder.suites.cargo import noise, parcel, read
from encoder.suites.destination import publish
from tests.lab.canary import FORBIDDEN, Canary
from tests.lab.dns import FakeDns
from tests.lab.served import destination, source
from tests.lab.sshd import NAME, Sshd
from tests.lab.wire import PUBLIC, lab_web

pytestmark = pytest.mark.xdist_group("ftp")

DATA = noise(1_500_000)
OTHER = noise(len(DATA), seed=2)
ALGORITHMS = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]


@pytest.fixture
def path(sftp_servers: Sshd) -> str:
    """A file that is there."""
    name = f"{uuid4().hex}.mov"
    (sftp_servers.folder / name).write_bytes(DATA)
    return name


async def got(servers: Sshd, path: str, **members: Json) -> bytes:
    place = servers.members(path) | members
    _, data = await read(source(place, servers.web()))
    return data


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_server_with_the_key_that_was_given_is_read(sftp_servers: Sshd, path: str, algorithm: str) -> None:
    key = sftp_servers.host_keys[algorithm]
    with capture_logs() as logs:
        assert await got(sftp_servers, path, hostKey=f"{sftp_servers.line(algorithm)} with a comment") == DATA
        assert await got(sftp_servers, path, hostKey=key.get_fingerprint()) == DATA
    assert logs == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_server_with_another_key_hears_no_secret(sftp_servers: Sshd, path: str, algorithm: str) -> None:
    other = asyncssh.generate_private_key(algorithm)
    for given in (other.export_public_key().decode(), other.get_fingerprint()):
        with pytest.raises(errors.Permanent, match="host_key_mismatch"):
            await got(sftp_servers, path, hostKey=given)


async def test_a_server_of_which_no_key_was_given_is_read_with_a_warning(sftp_servers: Sshd, path: str) -> None:
    place = sftp_servers.members(path)
    del place["hostKey"]
    with capture_logs() as logs:
        _, data = await read(source(place, sftp_servers.web()))
    assert data == DATA
    fingerprint = sftp_servers.host_keys["ssh-ed25519"].get_fingerprint()
    assert [(each["event"], each["fingerprint"]) for each in logs] == [("sftp.host_key_unchecked", fingerprint)]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("hostKey", ""),
        ("hostKey", "MD5:00:11"),
        ("hostKey", "SHA256:short"),
        ("hostKey", "ssh-ed25519 AAAA"),
        ("privateKey", ""),
        ("privateKey", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"),
        ("privateKey", asyncssh.generate_private_key("ssh-rsa").export_private_key("pkcs8-pem", "word").decode()),
    ],
    ids=["nothing", "md5", "short", "half", "none", "of zeros", "under a word"],  # the workers of xdist agree on them
)
def test_a_key_that_cannot_be_used_is_refused_at_once(sftp_servers: Sshd, member: str, value: str) -> None:
    faults = Sources(Surroundings(web=sftp_servers.web())).check(sftp_servers.members("x") | {member: value})
    assert [(fault.path, fault.code) for fault in faults] == [(f"/{member}", "invalid_value")]


@pytest.mark.parametrize("form", ["openssh", "pkcs1-pem", "pkcs8-pem"])
def test_a_private_key_is_taken_in_every_usual_form(sftp_servers: Sshd, form: str) -> None:
    text = asyncssh.generate_private_key("ssh-rsa").export_private_key(form).decode()
    assert Sources(Surroundings(web=sftp_servers.web())).check(sftp_servers.members("x") | {"privateKey": text}) == []


@pytest.mark.parametrize(
    ("password", "members"),
    [
        (True, {"password": "wrong SENTINEL"}),
        (True, {"username": "SENTINEL"}),
        (False, {"privateKey": asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()}),
    ],
)
async def test_who_may_not_come_in_is_told_so_without_the_secret(
    sftp_servers: Sshd, path: str, password: bool, members: dict[str, Json]
) -> None:
    """J1, P7"""
    with pytest.raises(errors.Permanent, match="source_auth_failed") as raised:
        await read(source(sftp_servers.members(path, password=password) | members, sftp_servers.web()))
    assert "SENTINEL" not in repr(raised.value)


async def test_nothing_of_the_machines_own_ssh_counts(
    sftp_servers: Sshd, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key, no setting, no list of known hosts from the home of who runs the worker."""
    home = tmp_path / ".ssh"
    home.mkdir()
    (home / "id_ed25519").write_text(sftp_servers.key)
    (home / "config").write_text("Host *\n  ProxyCommand false\n  HostName 127.66.0.1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    assert await got(sftp_servers, path) == DATA
    place = sftp_servers.members(path)
    del place["privateKey"]
    with pytest.raises(errors.Permanent, match="source_auth_failed"):
        await read(source(place, sftp_servers.web()))


async def test_a_name_that_leads_to_a_forbidden_address_is_not_dialled(sftp_servers: Sshd) -> None:
    """C4"""
    async with Canary() as canary:
        web = lab_web(lookup=FakeDns(script={NAME: [[FORBIDDEN[0]]]}))
        with pytest.raises(errors.Permanent, match="address_not_allowed"):
            await read(source(sftp_servers.members("x") | {"port": canary.port}, web))


async def test_a_server_that_falls_silent_is_a_timeout(sftp_servers: Sshd) -> None:
    """J6"""
    with socket.create_server((PUBLIC, 0)) as silent:
        place = sftp_servers.members("x") | {"host": PUBLIC, "port": silent.getsockname()[1]}
        with pytest.raises(errors.Transient, match="timeout"):
            await read(source(place, lab_web(idle_s=0.2)))


async def test_cancelled_before_the_first_word_it_leaves_no_socket_open(
    sftp_servers: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled = list[socket.socket]()

    async def dial_and_be_cancelled(host: str, port: int, web: Web, *, away: str) -> socket.socket:
        dialled.append(await dial(host, port, web, away=away))
        asyncio.get_running_loop().call_soon(reading.cancel)  # asyncssh is still making its options, in a thread
        return dialled[0]

    monkeypatch.setattr(sftp, "dial", dial_and_be_cancelled)
    reading = asyncio.create_task(read(source(sftp_servers.members("x"), sftp_servers.web())))
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert dialled[0].fileno() == -1


async def test_a_path_may_begin_at_the_servers_root(sftp_servers: Sshd, path: str) -> None:
    assert await got(sftp_servers, f"{sftp_servers.folder}/{path}") == DATA


@pytest.mark.parametrize("password", [False, True], ids=["openssh", "proftpd"])
async def test_a_file_that_is_written_into_while_it_is_read_is_not_whole(
    sftp_servers: Sshd, path: str, password: bool
) -> None:
    asked = source(sftp_servers.members(path, password=password), sftp_servers.web())
    file = sftp_servers.folder / path

    async def all_of_it() -> None:
        async for _ in incoming.chunks:
            file.write_bytes(OTHER)  # as large as before
            os.utime(file, (1, 1))

    async with asked.open() as incoming:
        with pytest.raises(errors.Transient, match=r"source_unavailable.*changed"):
            await all_of_it()
    again, data = await read(asked, offset=1000, validator=incoming.validator)
    assert (again.offset, data) == (0, OTHER)


@pytest.mark.parametrize("name", ["[a] *?.mov", "-la", "a 'b' \"c\".mov", "ü é 漢字.mov", "~root.mov"])
async def test_a_name_is_taken_as_it_stands(sftp_servers: Sshd, name: str) -> None:
    (sftp_servers.folder / name).write_bytes(DATA[:1000])
    assert await got(sftp_servers, name) == DATA[:1000]


async def test_a_folder_that_may_not_be_written_is_a_refusal(sftp_servers: Sshd, tmp_path: Path) -> None:
    out = destination(sftp_servers.members("/proc/version/out.mp4"), sftp_servers.web())
    with pytest.raises(errors.Failure, match="destination_"):
        await publish(out, parcel(tmp_path, DATA))


def test_without_asyncssh_the_kind_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("asyncssh", "encoder.net.sftp", "encoder.sources.sftp"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "asyncssh", None)  # an import of it fails
    faults = Sources(Surroundings()).check({"kind": "sftp", "host": "h.example", "path": "x"})
    assert [(fault.path, fault.code) for fault in faults] == [("/kind", "unsupported_kind")]
    assert "needs `asyncssh`" in faults[0].message
