"""`input` and `storage` of Coconut as a source and destinations."""

from __future__ import annotations

from dataclasses import dataclass, field

from encoder.compat.foreign import Foreign
from encoder.model.base import Json
from encoder.model.job import Place

_ENDPOINTS = {
    "s3": "",
    "gcs": "https://storage.googleapis.com",
    "dospaces": "https://{region}.digitaloceanspaces.com",
    "wasabi": "https://s3.{region}.wasabisys.com",
    "linode": "https://{region}.linodeobjects.com",
    "s3other": "{endpoint}",
}
_PUBLIC = "public-read"  # what Coconut gave to objects in S3 of which nothing was said
_SERVED = f"services are {', '.join(_ENDPOINTS)}; other servers by `url`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where outputs go. `place`: without a path; None: the platform's own storage. `root`: what paths begin with."""

    place: Place | None
    root: str = ""
    at: str = ""
    told: dict[str, str] = field(default_factory=dict)

    def to(self, path: str) -> Place | None:
        """The destination of what lies at `path`, from the root on."""
        if self.place is None:
            return None
        whole = "/".join(part for part in (self.root.strip("/"), path.lstrip("/")) if part)
        if "url" in self.place:
            return {**self.place, "url": f"{str(self.place['url']).rstrip('/')}/{whole}"}
        return {**self.place, "path": whole}


def source(read: Foreign) -> Place:
    """What `input` names."""
    service = read.text("service")
    if service is None:
        url = read.text("url", required=True) or ""
        read.close()
        return {"url": url}
    place = _bucket(read, service)
    key = read.text("key", required=True) or ""
    read.close()
    return {**place, "path": key.lstrip("/")}


def storage(read: Foreign) -> Storage:
    """What `storage` names."""
    service, root = read.text("service"), read.text("path") or ""
    if service == "coconut":
        read.close()
        return Storage(place=None)
    if service is None:
        url = read.text("url", required=True) or ""
        read.close()
        return Storage(place={"url": url}, root=root, at=read.path)
    place = _bucket(read, service) | _given(read, service)
    read.close()
    return Storage(place=place, root=root, at=read.path)


def _bucket(read: Foreign, service: str) -> Place:
    region, endpoint = read.text("region") or "", read.text("endpoint") or ""
    place: Place = {"kind": "s3", "bucket": read.text("bucket", required=True) or ""}
    place |= {"region": region} if region else {}
    if service not in _ENDPOINTS:
        read.found.unsupported(read.at("service"), _SERVED)
    elif "{region}" in _ENDPOINTS[service] and not region:
        read.fault("region", "missing_field", "must be there")
    elif served := _ENDPOINTS[service].format(region=region, endpoint=endpoint):
        place["endpointUrl"] = served
    read.flag("force_path_style")
    return place | _keys(read.one("credentials"))


def _keys(read: Foreign | None) -> Place:
    """Theirs is `secret_access_key`."""
    if read is None:
        return {}
    said = {"access_key_id": read.text("access_key_id", required=True)}
    said |= {"access_key_secret": read.text("secret_access_key", required=True)}
    said |= {"session_token": read.text("session_token")}
    read.close()
    return {name: value for name, value in said.items() if value is not None}


def _given(read: Foreign, service: str) -> Place:
    """What objects get."""
    acl, kind, cache = (read.text(name) for name in ("acl", "storage_class", "cache_control"))
    read.refuse("expires", "set `cache_control`")
    if read.raw("secure") is False:
        read.found.unsupported(read.at("secure"), "addresses are told as the server has them")
    acl = acl or (_PUBLIC if service == "s3" else None)
    said: dict[str, Json] = {"acl": acl, "storageClass": kind, "cacheControl": cache}
    return {name: value for name, value in said.items() if value}
