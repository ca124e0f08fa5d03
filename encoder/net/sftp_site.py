"""Who is who on an SFTP server: the key that it must have, and the words or the key that let us in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import asyncssh

from encoder.errors import Fault
from encoder.model.plan import Note
from encoder.net import account
from encoder.net.account import ANYBODY, Account
from encoder.net.guard import Host, Policy, check_host

# What a server may prove its key with, best first; a server has at most one key of each family.
_FAMILIES = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)
_ANY = tuple(algorithm for family in _FAMILIES for algorithm in family)
_FINGERPRINT = re.compile(r"SHA256:(?P<digest>[A-Za-z0-9+/]{43})=?")
_NO_HOST_KEY = Fault(
    path="/hostKey",
    code="invalid_value",
    message="`hostKey` is neither `SHA256:` with a fingerprint nor a public key of a kind that we know.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey:
    """`fingerprint` None: any will do. `offers`: algorithms to ask for, in turn, until the key fits."""

    fingerprint: str | None
    offers: Sequence[Sequence[str]]


UNKNOWN = HostKey(fingerprint=None, offers=(_ANY,))


class Members(Account):
    host_key: str | None = None
    private_key: str | None = None


def faults(members: Members, policy: Policy, *, path: str, folder: bool) -> Iterator[Fault]:
    """As for any account; the keys must be such that they can be used."""
    yield from account.faults(members, "sftp", policy, path=path, folder=folder)
    if members.host_key is not None and host_key(members.host_key) is None:
        yield _NO_HOST_KEY
    if members.private_key is not None and private_key(members.private_key) is None:
        message = "`privateKey` is no private key in PEM or OpenSSH's form, or it needs a passphrase."
        yield Fault(path="/privateKey", code="invalid_value", message=message)


def unchecked(members: Members) -> Iterator[Note]:
    """What is to be known where any server will do."""
    if members.host_key is None:
        message = f"Nobody checks the key of {members.host}: any server that answers is taken for it."
        yield Note(code="host_key_unchecked", message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server, the key that it must have, and who we are there."""

    host: Host
    host_key: HostKey
    username: str
    password: str | None = field(repr=False)
    private_key: asyncssh.SSHKey | None = field(repr=False)


def site(members: Members, policy: Policy) -> Site | Fault:
    host = check_host(members.host, members.port, "sftp", policy)
    if isinstance(host, Fault):
        return host
    known = UNKNOWN if members.host_key is None else host_key(members.host_key)
    if known is None:
        return _NO_HOST_KEY
    return Site(
        host=host,
        host_key=known,
        username=members.username or ANYBODY,
        password=members.password,
        private_key=None if members.private_key is None else private_key(members.private_key),
    )


def host_key(text: str) -> HostKey | None:
    """The key that `text` names, a line as in a `.pub` file or `SHA256:…`; None if it names none."""
    told = _FINGERPRINT.fullmatch(text)
    if told is not None:
        return HostKey(fingerprint=f"SHA256:{told['digest']}", offers=_FAMILIES)
    try:
        key = asyncssh.import_public_key(text)
    except asyncssh.KeyImportError:
        return None
    name = "rsa-sha2-512" if key.get_algorithm() == "ssh-rsa" else key.get_algorithm()
    offers = [family for family in _FAMILIES if name in family]
    return HostKey(fingerprint=key.get_fingerprint(), offers=offers) if offers else None


def private_key(text: str) -> asyncssh.SSHKey | None:
    """The key in `text`, in PEM or OpenSSH's form and without a passphrase; None if there is none.

    What an RSA key's numbers are worth is not looked into: for huge ones it would take seconds.
    """
    try:
        return asyncssh.import_private_key(text, unsafe_skip_rsa_key_validation=True)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError):
        return None
