"""What a person writes for a source or destination, as the job language says it."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from encoder.cli import exits
from encoder.cli.next import LOOPBACK, command
from encoder.cli.refused import Object, Refused
from encoder.cli.text import clean

UPLOAD = "upload:"  # and the id of one
MAX_INLINE_BYTES = 12_000_000  # the server takes bodies of 16 MiB, and base64 adds a third


class TooLarge(exits.Wrong):
    """A local file that can neither be read where it stands nor go with the job."""

    def __init__(self, path: Path, remedy: str, *, why: str = "") -> None:
        super().__init__(f"{clean(path)} is too large to be sent with the job (12 MB){why}.\n  → {remedy}")
        self.path = path
        self._remedy = remedy

    def because(self, refusal: Refused) -> TooLarge:
        """The same, after an upload of it was refused too."""
        return TooLarge(self.path, self._remedy, why=f", and was not taken as an upload: {clean(refusal).rstrip('.')}")


def is_url(text: str) -> bool:
    scheme, found, _ = text.partition("://")
    return bool(found) and scheme.replace("+", "").isalnum()


def source(text: str, server: str) -> Object:
    """The source that `text` names: a URL, `-` (standard input), `upload:ID`, or a local file.

    A server on this machine is told the file's path, which it may refuse (`instead`); one elsewhere is sent the
    bytes.
    """
    if is_url(text):
        return {"url": text}
    if text.startswith(UPLOAD):
        return {"kind": "upload", "fileId": text.removeprefix(UPLOAD)}
    if text == "-":
        return _inline(sys.stdin.buffer.read(MAX_INLINE_BYTES + 1), None)
    path = Path(text)
    if not path.is_file():
        folder = clean(path.absolute().parent)
        raise exits.Wrong(f"there is no file {clean(path.name)} in {folder}.\n  → Correct the path, or say a URL.")
    if path.stat().st_size == 0:
        raise exits.Wrong(f"empty_source: {clean(text)}: The file is empty.")
    if urlsplit(server).hostname in LOOPBACK:
        return {"kind": "file", "path": str(_absolute(path))}
    return _inline_file(path, "Put it where the server can fetch it, and give its URL.")


def instead(place: Object, refusal: Refused) -> Object | None:
    """What to send for a file whose path the server refused; None: it is not the path that it refused.

    First the path without links, which the server does not follow, then the bytes. What else was wrong with the job
    is judged anew with the answer to those.
    """
    if place.get("kind") != "file" or not _path_refused(refusal):
        return None
    path = Path(str(place["path"]))
    real = path.resolve()
    if real != path:
        return {"kind": "file", "path": str(real)}
    folder = clean(shlex.quote(str(path.parent)))
    return _inline_file(path, f"Let the server read its folder: ENCODER_FILE_ROOTS={folder} {command('up')}")


def destination(text: str) -> Object:
    """The destination that `text` names: a URL or a local path."""
    if is_url(text):
        return {"url": text}
    path = str(_absolute(Path(text)))
    return {"kind": "file", "path": path + "/" if text.endswith("/") else path}


def _absolute(path: Path) -> Path:
    """`path` from the root on without `..`. Links stay: the server compares it with its folders as they are written.

    Where a `..` follows a link, dropping the two would name another place: there all links are resolved.
    """
    plain, real = Path(os.path.normpath(path.absolute())), path.resolve()
    return plain if plain.resolve() == real else real


def _path_refused(refusal: Refused) -> bool:
    faults = refusal.problem.get("errors")
    return isinstance(faults, list) and any(
        isinstance(fault, dict)
        and str(fault.get("path")).startswith("/source")
        and fault.get("code") in ("path_not_allowed", "unsupported_kind")
        for fault in faults
    )


def _inline_file(path: Path, remedy: str) -> Object:
    if path.stat().st_size > MAX_INLINE_BYTES:
        raise TooLarge(path, remedy)
    return _inline(path.read_bytes(), path.name)


def _inline(data: bytes, name: str | None) -> Object:
    if not data:
        raise exits.Wrong("empty_source: standard input is empty.")
    if len(data) > MAX_INLINE_BYTES:
        raise exits.Wrong("standard input is too large to be sent with the job (12 MB): give a URL.")
    named: Object = {"fileName": name} if name else {}
    return {"kind": "inline", "data": base64.b64encode(data).decode(), **named}
