"""What a path in a job may look like, wherever it leads: a folder, a server, a bucket."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote

from encoder.errors import Fault

LONGEST_PATH_BYTES = 1024
LONGEST_SEGMENT_BYTES = 200

_NOT_IN_PATHS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\\]")
_NOT_IN_SEGMENTS = re.compile(r"[/\\:*?\"<>|%#&{}]+")


def path_fault(path: str, *, folder: bool = False) -> Fault | None:
    """What is wrong with `path`, relative; as it stands and also if somebody decodes it once more.

    `folder`: it names a folder of files, and so ends in one slash.
    """
    if folder and not path.endswith("/"):
        return Fault(path="", code="invalid_path", message="The path names one file; a folder's ends in a slash.")
    name = path[:-1] if folder else path
    for text in {name, unquote(name)}:
        why = _why_not(text)
        if why is not None:
            return Fault(path="", code="invalid_path", message=f"The path {why}.")
    return None


def segment(text: str) -> str:
    """`text`, which may come from anywhere, as one clean part of a path: never empty, hidden or over 200 bytes."""
    composed = unicodedata.normalize("NFC", text)
    # category C: controls, marks that turn the writing direction, halves of characters, unassigned ones
    visible = "".join(char for char in composed if unicodedata.category(char)[0] != "C")
    joined = _NOT_IN_SEGMENTS.sub("-", visible).strip(" .-")
    cut = joined.encode()[:LONGEST_SEGMENT_BYTES].decode(errors="ignore")
    return cut.strip(" .-") or "unnamed"


def part_name(path: str, token: str) -> str:
    """Where the file `path` is written before it is whole: beside it, hidden, its own for each attempt."""
    folder, slash, name = path.rpartition("/")
    # the name itself could be too long with anything added to it; outputs of one job share token and folder
    digest = hashlib.blake2s(name.encode(), digest_size=8).hexdigest()
    return f"{folder}{slash}.{digest}.{token}.part"


def stem(name: str) -> str:
    """The last part of a file's name or address without its extension."""
    return PurePosixPath(name.replace("\\", "/")).stem


def _why_not(path: str) -> str | None:
    if _NOT_IN_PATHS.search(path):
        return "holds a control character or a backslash"
    if len(path.encode()) > LONGEST_PATH_BYTES:
        return f"is longer than {LONGEST_PATH_BYTES} bytes"
    parts = path.split("/")
    if parts[0] == "":
        return "is empty or begins with two slashes" if path else "is empty"
    if parts[-1] == "":
        return "ends in a slash, but names one file"
    if any(part in {"", ".", ".."} for part in parts):
        return "holds an empty part, `.` or `..`"
    return None
