"""Real SFTP servers: OpenSSH, which lets a key in, and proftpd's mod_sftp, which asks for a password."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from encoder.model.job import Place
from encoder.net.http import Web
from tests.lab.dns import FakeDns
from tests.lab.ftpd import PASSWORD, USER, proftpd_conf
from tests.lab.servers import inetd, require_programs
from tests.lab.wire import lab_web

HOST = "127.77.0.22"
NAME = "ssh.example"

_OPENSSH = """
{host_keys}
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
LogLevel ERROR
Subsystem sftp internal-sftp -d {folder}/files
"""
_MOD_SFTP = """
LoadModule mod_sftp.c
SFTPEngine on
SFTPHostKey {folder}/ssh-ed25519
SFTPAuthMethods password
"""


@dataclass(frozen=True, kw_only=True)
class Sshd:
    """Two servers of one folder. `host_keys`: OpenSSH's public keys, by algorithm; `key`: it lets in."""

    folder: Path
    openssh: int
    proftpd: int
    key: str
    host_keys: dict[str, asyncssh.SSHKey]

    def web(self, *, idle_s: float = 5.0) -> Web:
        """The lab's way out, on which `NAME` is this server."""
        return lab_web(lookup=FakeDns(script={NAME: [[HOST]]}), idle_s=idle_s)

    def members(self, path: str, *, password: bool = False) -> Place:
        """Of a place that these servers have or take; with a password it is proftpd's."""
        place: Place = {"kind": "sftp", "host": NAME, "path": path, "hostKey": self.line("ssh-ed25519")}
        if password:
            return place | {"port": self.proftpd, "username": USER, "password": PASSWORD}
        return place | {"port": self.openssh, "username": pwd.getpwuid(os.getuid()).pw_name, "privateKey": self.key}

    def line(self, algorithm: str) -> str:
        return self.host_keys[algorithm].export_public_key().decode().strip()


@contextmanager
def sshd(folder: Path) -> Iterator[Sshd]:
    """Servers for a whole session, in the new folder `folder`."""
    require_programs("sshd", "proftpd")
    (folder / "files").mkdir(parents=True)
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it, and Debian makes it only where the service starts
    keys = {name: asyncssh.generate_private_key(name) for name in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")}
    for name, key in keys.items():
        key.write_private_key(folder / name)
        (folder / name).chmod(0o600)
    own = asyncssh.generate_private_key("ssh-ed25519")
    own.write_public_key(folder / "authorized")
    program = shutil.which("sshd") or "sshd"  # it starts itself again, by its whole path
    with ExitStack() as running:
        openssh, proftpd = (
            running.enter_context(inetd(HOST, [0], command, log=folder / "out"))[0]
            for command in (
                [program, "-i", "-e", "-f", str(folder / "openssh.conf")],
                ["proftpd", "-n", "-q", "-c", str(folder / "proftpd.conf")],
            )
        )
        _write(folder, keys, proftpd)
        yield Sshd(
            folder=folder / "files",
            openssh=openssh,
            proftpd=proftpd,
            key=own.export_private_key().decode(),
            host_keys={name: key.convert_to_public() for name, key in keys.items()},
        )


def _write(folder: Path, keys: dict[str, asyncssh.SSHKey], port: int) -> None:
    host_keys = "\n".join(f"HostKey {folder / name}" for name in keys)
    (folder / "openssh.conf").write_text(_OPENSSH.format(folder=folder, host_keys=host_keys))
    text = proftpd_conf(folder, HOST, port) + _MOD_SFTP.format(folder=folder)
    (folder / "proftpd.conf").write_text(text)
