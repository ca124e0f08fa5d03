"""The members that S3 sources and destinations share, and what must be true of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from encoder.errors import Fault
from encoder.model.base import Record
from encoder.net.guard import Policy, check_url
from encoder.net.s3 import Bucket, Keys, S3Access

# Both become part of a host's name: nothing that ends it, and no address.
_LABEL = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_BUCKET = re.compile(rf"(?=.{{3,63}}\Z){_LABEL}(?:\.{_LABEL})*")
_ADDRESS = re.compile(r"[0-9.]+")
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_CREDENTIAL = re.compile(r"[!-~]{1,8192}")  # a space or a line's end would end the header that it is in


class S3Members(Record):
    bucket: str
    path: str
    region: str | None = None
    endpoint_url: str | None = None
    access_key_id: str | None = msgspec.field(default=None, name="access_key_id")
    access_key_secret: str | None = msgspec.field(default=None, name="access_key_secret")
    session_token: str | None = msgspec.field(default=None, name="session_token")

    def at(self) -> Bucket:
        """Where that is; the members were found in order."""
        keys = None
        if self.access_key_id is not None and self.access_key_secret is not None:
            keys = Keys(id=self.access_key_id, secret=self.access_key_secret, token=self.session_token)
        return Bucket(name=self.bucket, region=self.region, endpoint=self.endpoint_url, keys=keys)


def is_bucket(name: str) -> bool:
    """Whether `name` is one that a bucket may have."""
    return _BUCKET.fullmatch(name) is not None and _ADDRESS.fullmatch(name) is None


def is_region(name: str) -> bool:
    """Whether `name` is one that a region may have."""
    return _REGION.fullmatch(name) is not None


def faults(members: S3Members, access: S3Access, policy: Policy) -> Iterator[Fault]:
    """What is wrong with where the members lead, and with who asks there; `path` from the place on."""
    if not is_bucket(members.bucket):
        message = "A bucket's name has 3 to 63 small letters, digits, hyphens and single dots, and is no address."
        yield Fault(path="/bucket", code="invalid_value", message=message)
    if members.region is not None and not is_region(members.region):
        message = "A region has up to 32 small letters, digits and hyphens."
        yield Fault(path="/region", code="invalid_value", message=message)
    yield from _endpoint_faults(members.endpoint_url, policy)
    yield from _credential_faults(members, access)


def _endpoint_faults(endpoint: str | None, policy: Policy) -> Iterator[Fault]:
    if endpoint is None:
        return
    url = check_url(endpoint, policy)
    if isinstance(url, Fault):
        yield Fault(path="/endpointUrl", code=url.code, message=url.message)
    elif "?" in endpoint or "#" in endpoint:
        yield Fault(path="/endpointUrl", code="invalid_url", message="An endpoint has no query and no fragment.")


def _credential_faults(members: S3Members, access: S3Access) -> Iterator[Fault]:
    given = {
        "access_key_id": members.access_key_id,
        "access_key_secret": members.access_key_secret,
        "session_token": members.session_token,
    }
    if not any(value is not None for value in given.values()):
        yield from _ambient_faults(members, access)
        return
    for name in ("access_key_id", "access_key_secret"):
        if given[name] is None:
            message = f"`{name}` is missing: credentials come whole or not at all."
            yield Fault(path=f"/{name}", code="missing_field", message=message)
    for name, value in given.items():
        if value is not None and not _CREDENTIAL.fullmatch(value):
            message = "The credential is empty, too long, or holds more than printable ASCII without spaces."
            yield Fault(path=f"/{name}", code="invalid_value", message=message)


def _ambient_faults(members: S3Members, access: S3Access) -> Iterator[Fault]:
    """The operator's credentials serve the operator's servers, and the buckets that the operator named."""
    if members.endpoint_url is not None:
        message = "`endpointUrl` needs credentials in the request: the platform's own are not sent there."
    elif not access.serves(members.bucket, members.path):
        message = "The platform's own credentials do not serve this place; send some that do."
    else:
        return
    yield Fault(path="/access_key_id", code="credentials_required", message=message)
