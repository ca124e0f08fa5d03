"""A file on a server that is named by host, path and who we are there: FTP, FTPS and SFTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

from encoder.errors import Fault
from encoder.model.base import Record
from encoder.model.paths import path_fault
from encoder.model.plan import Note
from encoder.net.guard import Host, Policy, check_host, default_port

LONGEST_NAME_BYTES = 1024
ANYBODY = "anonymous"

_NOT_IN_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Account(Record):
    """`path` begins where a login leads, or with a slash at the server's root."""

    host: str
    path: str
    port: int | None = None
    username: str | None = None
    password: str | None = None


def faults(members: Account, scheme: str, policy: Policy, *, path: str, folder: bool) -> Iterator[Fault]:
    """What is wrong with `members`; `path`: theirs, as it may read when templates are filled in."""
    host = check_host(members.host, members.port, scheme, policy)
    if isinstance(host, Fault):
        yield host
    wrong = path_fault(path.removeprefix("/"), folder=folder)
    if wrong is not None:
        yield Fault(path="/path", code=wrong.code, message=wrong.message)
    for name, text in (("username", members.username), ("password", members.password)):
        if text is not None and (_NOT_IN_COMMANDS.search(text) or len(text.encode()) > LONGEST_NAME_BYTES):
            message = f"`{name}` holds a line break or another control, or is over {LONGEST_NAME_BYTES} bytes."
            yield Fault(path=f"/{name}", code="invalid_text", message=message)


def in_the_clear(members: Account) -> Iterator[Note]:
    """What is to be known of FTP without TLS. Nobody's secret is in an anonymous login."""
    if members.username != ANYBODY and (members.username, members.password) != (None, None):
        message = f"User name and password are sent to {members.host} in the clear, for whoever listens on the way."
        yield Note(code="password_in_the_clear", message=message)


def uri(scheme: str, host: Host, path: str) -> str:
    """The address of a file, without a user. A path from the server's root begins with an encoded slash."""
    port = "" if host.port == default_port(scheme) else f":{host.port}"
    rooted = f"%2F{quote(path[1:])}" if path.startswith("/") else quote(path)
    return f"{scheme}://{host.shown}{port}/{rooted}"
