"""The address of a database: `mysql://user:password@host:port/database`, settings behind a `?`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from encoder import errors

PORT = 3306
_SETTINGS = {"ssl-mode", "ssl-ca", "socket"}
_MODES = ("disabled", "required", "verify_ca", "verify_identity")  # the words of MySQL's own programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    host: str
    port: int
    user: str
    password: str
    database: str
    socket: str | None
    tls: ssl.SSLContext | None

    @classmethod
    def of(cls, dsn: str) -> Address:
        """Read one.

        Raises:
            errors.Unfit: it is none; its words are never repeated, for they may hold a password.
        """
        try:
            return cls._read(dsn)
        except (ValueError, OSError):
            told = (
                "ENCODER_DATABASE_URL is no address of a MySQL database; docs/operate/databases.md says how it reads."
            )
            raise errors.Unfit(told) from None

    @classmethod
    def _read(cls, dsn: str) -> Address:
        parts = urlsplit(dsn)
        said = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        database = unquote(parts.path.removeprefix("/"))
        if parts.scheme != "mysql" or not database or not said.keys() <= _SETTINGS:
            raise ValueError
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or PORT,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=database,
            socket=said.get("socket"),
            tls=_tls(said.get("ssl-mode"), said.get("ssl-ca")),
        )


def _tls(mode: str | None, authority: str | None) -> ssl.SSLContext | None:
    """What `ssl-mode` means; an authority without a mode is to be held against."""
    mode = (mode or ("verify_identity" if authority else "disabled")).lower()
    if mode not in _MODES:
        raise ValueError
    if mode == "disabled":
        return None
    context = ssl.create_default_context(cafile=authority)
    context.check_hostname = mode == "verify_identity"
    if mode == "required":
        context.verify_mode = ssl.CERT_NONE
    return context
