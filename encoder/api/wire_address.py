"""Addresses as a short way to name a place: `s3://bucket/key`, `ftp://user@host/path`, read into their parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from encoder.api.wire_types import fault, plain
from encoder.model.paths import path_fault

_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9]*)://"
    r"(?:(?P<username>[^/?#@:\\]*)(?::(?P<password>[^/?#@\\]*))?@)?"
    r"(?P<host>\[[0-9a-f.]*:[0-9a-f:.]*\]|[^/?#@:\[\]\\]+)(?::(?P<port>[0-9]{1,5}))?"
    r"/(?P<path>[^?#\\]*)",
    re.IGNORECASE,
)
_STRAY_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_FORM = "must read scheme://user:password@host:port/path; other uses of @ : ? # % \\ are percent-encoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """All percent-encoding is undone, once. `path` is what stands behind the slash of the host."""

    scheme: str  # lower case
    username: str | None
    password: str | None
    host: str  # as it stands; IPv6 without brackets
    port: int | None
    path: str


def read_address(text: str) -> Address:
    """The parts of `text`.

    Raises:
        PydanticCustomError: `invalid_url`, `invalid_text`, `invalid_path`, at the member `url`.
    """
    parts = _ADDRESS.fullmatch(text)
    if parts is None or not 1 <= int(parts["port"] or 1) <= 65535 or _is_misread(parts):  # noqa: PLR2004  # as TCP has
        raise fault("invalid_url", _FORM, member="url")
    return Address(
        scheme=parts["scheme"].lower(),
        username=decoded(parts["username"] or "") or None,
        password=None if parts["password"] is None else decoded(parts["password"]),
        host=parts["host"].strip("[]"),
        port=int(parts["port"]) if parts["port"] else None,
        path=_clean(decoded(parts["path"])),
    )


def decoded(text: str) -> str:
    """`text`, a part of the member `url`, without its percent-encoding. Raises as `read_address`."""
    if _STRAY_PERCENT.search(text):
        raise fault("invalid_url", "must write a percent sign as %25: two hex digits follow each %", member="url")
    try:
        said = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise fault("invalid_text", "must be UTF-8 where it is percent-encoded", member="url") from None
    try:
        return plain(said)
    except ValueError:
        message = "must not hold control characters or line breaks, percent-encoded ones neither"
        raise fault("invalid_text", message, member="url") from None


def _is_misread(parts: re.Match[str]) -> bool:
    """Whether an `@` stands behind the host: a password with a `/` in it was cut there, and must not be told as one."""
    return "@" in parts["path"] and parts["scheme"].lower() != "s3"  # where nobody logs in, it is a character


def _clean(path: str) -> str:
    """`path`, if it could name a file or a folder. Which of the two is wanted, whoever uses it knows."""
    wrong = path_fault(path.removeprefix("/"), folder=path.endswith("/"))
    if wrong is not None:
        raise fault(wrong.code, wrong.message.removeprefix("The path ").removesuffix("."), member="url")
    return path
