"""Places on servers that one logs in to: FTP, FTP over TLS, SFTP."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from encoder.api.wire_address import read_address
from encoder.api.wire_types import (
    ABSENT,
    WHOLE,
    Path,
    PrivateKey,
    Url,
    WirePlace,
    begins,
    fault,
    form,
    plain,
    scheme_of,
)
from encoder.model.job import Place

_HOST_KEY = r"^(?:SHA256:[A-Za-z0-9+/]{43}=?|(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}(?: [!-~ ]*)?)$"
_HOST_KEY_FORM = "must be `SHA256:` and 43 characters, or a public key in a line of OpenSSH"
_WORDS = Field(min_length=1, max_length=1024, json_schema_extra={"writeOnly": True})

FtpAddress = Annotated[Url, *begins("ftp", "ftps")]
SftpAddress = Annotated[Url, *begins("sftp")]
_Host = Annotated[
    str,
    Field(min_length=1, max_length=253),
    *form(r"^[A-Za-z0-9._:\[\]-]+$", "must be a name or an address, and nothing else"),
]
_Port = Annotated[int, Field(ge=1, le=65535), WHOLE]
_Word = Annotated[str, _WORDS, AfterValidator(plain)]


class _Login(WirePlace):
    username: _Word = ABSENT
    password: _Word = ABSENT


class _Key(_Login):
    private_key: PrivateKey = Field(ABSENT, description="PEM or OpenSSH form, without a passphrase")
    host_key: Annotated[str, Field(max_length=4096), *form(_HOST_KEY, _HOST_KEY_FORM)] = Field(
        ABSENT, description="the server's: `SHA256:` and its fingerprint, or the public key itself"
    )


class _Server(WirePlace):
    host: _Host
    port: _Port = ABSENT
    path: Path = Field(description="from the folder of the login on, or with a slash from the server's root")


class _Address(_Login):
    """`url` in the place of the server's members."""

    said_by_url: ClassVar[frozenset[str]] = frozenset({"host", "port", "path"})

    url: str

    def parts(self) -> Place:
        address = read_address(self.url)
        given = {"port": address.port, "username": address.username, "password": address.password}
        for member in ("username", "password"):
            if given[member] is not None and getattr(self, member) is not ABSENT:
                raise fault("unsupported_combination", "must not stand beside `url`, which has it", member=member)
        said: Place = {name: value for name, value in given.items() if value is not None}
        return {"kind": address.scheme, "host": address.host, "path": address.path, **said}


class Ftp(_Login, _Server):
    """A file on an FTP server; `ftps` is FTP over TLS."""

    kind: Literal["ftp", "ftps"]


class FtpUrl(_Address):
    """The same, written as an address: what stands behind the host's slash is below the folder of the login."""

    kind: Literal["ftp", "ftps"] = Field(ABSENT, description="told by `url` when absent")
    url: FtpAddress = Field(description="ftp://user:password@host:port/path, percent-encoded")

    @model_validator(mode="after")
    def _kind_fits(self) -> Self:
        if self.kind not in {ABSENT, scheme_of(self.url)}:
            raise fault("invalid_url", "must begin with what `kind` says", member="url")
        return self


class Sftp(_Key, _Server):
    """A file on a server that speaks SSH."""

    kind: Literal["sftp"]


class SftpUrl(_Key, _Address):
    """The same, written as an address: what stands behind the host's slash is below the folder of the login."""

    kind: Literal["sftp"] = Field(ABSENT, description="told by `url` when absent")
    url: SftpAddress = Field(description="sftp://user:password@host:port/path, percent-encoded")
