"""Which places are one and the same thing, however they are written."""

from __future__ import annotations

import json
import posixpath

from encoder.model.job import Place
from encoder.net.guard import default_port


def identity(place: Place) -> str:
    """Equal for two places only if they are the same file. On a server, each login may have a root of its own."""
    match place["kind"]:
        case "file":
            return f"file:{_plain(place)}"
        case "http" | "https":
            return _of_address(str(place["url"]))
        case "s3":
            endpoint = _of_address(str(place.get("endpointUrl", "")))
            return f"s3:{endpoint.rstrip('/')}/{place['bucket']}/{place['path']}"
        case "ftp" | "ftps" | "sftp" as kind:
            server = "sftp" if kind == "sftp" else "ftp"
            host = f"{str(place['host']).lower()}:{place.get('port', default_port(str(kind)))}"
            return f"{server}:{place.get('username', '')}@{host}:{_plain(place)}"
        case _:
            return json.dumps(place, sort_keys=True)


def _plain(place: Place) -> str:
    return posixpath.normpath(str(place["path"]))


def _of_address(url: str) -> str:
    scheme, separator, rest = url.partition("#")[0].partition("://")
    authority, slash, target = rest.partition("/")
    return f"{scheme}{separator}{authority}".lower() + slash + target
