"""What a person writes for a source or destination, as the job language says it."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from urllib.parse import urlsplit

import click

from encoder.cli.client import Object, Refused
from encoder.cli.text import clean

MAX_INLINE_BYTES = 12_000_000  # the server takes bodies of 16 MiB, and base64 adds a third
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def is_url(text: str) -> bool:
    scheme, found, _ = text.partition("://")
    return bool(found) and scheme.replace("+", "").isalnum()


def source(text: str, server: str) -> Object:
    """The source that `text` names: a URL, `-` (standard input) or a local file.

    A server on this machine is told the file's path, which it may refuse (`inline_instead`); one elsewhere is sent
    the bytes.
    """
    if is_url(text):
        return {"url": text}
    if text == "-":
        return _inline(sys.stdin.buffer.read(MAX_INLINE_BYTES + 1), None)
    path = Path(text)
    if not path.is_file():
        raise click.UsageError(f"there is no file {clean(text)}")
    if urlsplit(server).hostname in LOOPBACK:
        return {"kind": "file", "path": str(path.resolve())}
    return _inline_file(path)


def inline_instead(place: Object, refusal: Refused) -> Object | None:
    """The same file as bytes, when the server refused its path because of the folder; None: that is not why."""
    if place.get("kind") != "file" or refusal.code not in ("path_not_allowed", "unsupported_kind"):
        return None
    path = Path(str(place["path"]))
    return _inline_file(path) if path.stat().st_size <= MAX_INLINE_BYTES else None


def destination(text: str) -> Object:
    """The destination that `text` names: a URL or a local path."""
    if is_url(text):
        return {"url": text}
    path = str(Path(text).absolute())
    return {"kind": "file", "path": path + "/" if text.endswith("/") else path}


def _inline_file(path: Path) -> Object:
    if path.stat().st_size > MAX_INLINE_BYTES:
        raise click.UsageError(
            f"{clean(path)} is too large to be sent with the job (12 MB).\n"
            "  → Put it where the server can fetch it, and give its URL."
        )
    return _inline(path.read_bytes(), path.name)


def _inline(data: bytes, name: str | None) -> Object:
    if len(data) > MAX_INLINE_BYTES:
        raise click.UsageError("standard input is too large to be sent with the job (12 MB): give a URL.")
    named: Object = {"fileName": name} if name else {}
    return {"kind": "inline", "data": base64.b64encode(data).decode(), **named}
