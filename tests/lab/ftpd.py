"""A real FTP server: proftpd, in the clear, with TLS asked for, and with TLS from the first byte on."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from encoder.model.job import Place
from encoder.net.http import Web
from tests.lab.dns import FakeDns
from tests.lab.servers import inetd, require_programs
from tests.lab.tls import Authority
from tests.lab.wire import lab_web

NAME = "files.example"  # the lab's certificates are for names
USER, PASSWORD = "ann", "secret word"
SENTINEL_USER, SENTINEL_PASSWORD = "S3NT1NELann", 'S3NT1NEL"pass/w@rd% 7f3a'  # lets in the same user
IMPLICIT_PORT = 990

_HASH = "$6$encoderlab$8IpIqZvaMBNbjGGbEJxDvBk3tv3Y6Mg0IJEDhNfj.ZzT4Uo0jQW4txNMj7rIKkkTxxDD91fd7xdgQe6cBr8W.1"
_SENTINEL_HASH = "$6$encoderlab$h2GtJHcGdByygasT3bBCxKQTGruhTvoETF3mSi.Bsva2sZx32i5S.6nKKFpfmKrD6cM.2RIfl83FD7LwF1eO00"
_PROFTPD = """
ModulePath /usr/lib/proftpd
ServerType inetd
DefaultAddress {host}
Port {port}
UseIPv6 off
UseReverseDNS off
User {user}
Group {group}
PidFile {folder}/pid
ScoreboardFile {folder}/scoreboard
SystemLog {folder}/system.log
TransferLog none
WtmpLog off
<Global>
  RequireValidShell off
  RootLogin on
  AuthOrder mod_auth_file.c
  AuthUserFile {folder}/users
  AuthGroupFile {folder}/groups
  AllowOverwrite on
  AllowStoreRestart on
  AllowRetrieveRestart on
</Global>
"""
_CONF = """
LoadModule mod_tls.c
<Global>
  PassivePorts {first} {last}
  TimeoutLinger 0
  <IfModule mod_delay.c>
    DelayEngine off
  </IfModule>
  TLSECCertificateFile {certificate}
  TLSECCertificateKeyFile {certificate}
  TLSLog {folder}/tls.log
</Global>
<VirtualHost {host}>
  Port {explicit}
  TLSEngine on
  TLSRequired on
</VirtualHost>
"""
_IMPLICIT = """
<VirtualHost {host}>
  Port {implicit}
  TLSEngine on
  TLSRequired on
  TLSOptions UseImplicitSSL
</VirtualHost>
"""


@dataclass(frozen=True, kw_only=True)
class Ftpd:
    """A running server. A login of `USER` leads to `folder`."""

    folder: Path
    host: str
    plain: int
    explicit: int
    data_ports: range
    authority: Authority

    def web(self, *, idle_s: float = 5.0) -> Web:
        """The lab's way out, on which `NAME` is this server and its certificate is trusted."""
        return lab_web(lookup=FakeDns(script={NAME: [[self.host]]}), tls=self.authority.trusted(), idle_s=idle_s)

    def members(self, path: str, *, kind: str = "ftp", implicit: bool = False) -> Place:
        """Of a place that this server has or takes."""
        port = IMPLICIT_PORT if implicit else self.explicit if kind == "ftps" else self.plain
        return {"kind": kind, "host": NAME, "port": port, "path": path, "username": USER, "password": PASSWORD}


def may_listen_on_990() -> bool:
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return os.getuid() == 0 or int(start.read_text()) <= IMPLICIT_PORT


@contextmanager
def ftpd(folder: Path) -> Iterator[Ftpd]:
    """A server for a whole session, in the new folder `folder`."""
    require_programs("proftpd")
    (folder / "files").mkdir(parents=True)
    authority = Authority.new(folder)
    wanted = [0, 0, *([IMPLICIT_PORT] if may_listen_on_990() else [])]
    # proftpd by itself sleeps for 0.4 s after the death of each of its children
    host = f"127.77.{64 + (os.getpid() >> 8) % 64}.{os.getpid() % 256}"  # port 990 is there once for each address
    with inetd(host, wanted, ["proftpd", "-n", "-q", "-c", folder / "conf"], log=folder / "out") as ports:
        first = 30000 + os.getpid() % 20000
        made = Ftpd(
            folder=folder / "files",
            host=host,
            plain=ports[0],
            explicit=ports[1],
            data_ports=range(first, first + 32),
            authority=authority,
        )
        _write(made, folder, authority.server_file(NAME, host))
        yield made


def proftpd_conf(folder: Path, host: str, port: int) -> str:
    """What proftpd must know whatever it speaks; a login of `USER` leads to `files` in `folder`."""
    _write_users(folder)
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    return _PROFTPD.format(folder=folder, host=host, port=port, user=user, group=group)


def _write_users(folder: Path) -> None:
    users, groups = folder / "users", folder / "groups"
    accounts = ((USER, _HASH), (SENTINEL_USER, _SENTINEL_HASH))
    home = f"{os.getuid()}:{os.getgid()}::{folder / 'files'}:/bin/sh"
    users.write_text("".join(f"{user}:{hashed}:{home}\n" for user, hashed in accounts))
    groups.write_text(f"lab:x:{os.getgid()}:{USER},{SENTINEL_USER}\n")
    users.chmod(0o600)
    groups.chmod(0o600)


def _write(made: Ftpd, folder: Path, certificate: Path) -> None:
    of_ftp = (_CONF + (_IMPLICIT if may_listen_on_990() else "")).format(
        host=made.host,
        explicit=made.explicit,
        implicit=IMPLICIT_PORT,
        first=made.data_ports.start,
        last=made.data_ports.stop - 1,
        folder=folder,
        certificate=certificate,
    )
    (folder / "conf").write_text(proftpd_conf(folder, made.host, made.plain) + of_ftp)
