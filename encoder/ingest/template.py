"""Where the outputs of a rule lie: `{dir}` and `{name}` of the source in their paths, and how its own are told from
sources."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import translate
from functools import lru_cache
from urllib.parse import quote

from encoder.errors import Fault
from encoder.model.base import Json
from encoder.model.job import Place
from encoder.model.paths import stem

DIR = "{dir}"
_NAME = "{name}"
_MARK = re.compile(r"\{[A-Za-z]*\}")
_BRACES = str.maketrans("{}", "--")  # a name must not become a template of what is delivered later


def filled(place: Place, key: str) -> Place:
    """`place` with `{dir}` and `{name}` of the source `key` in its path, or percent-encoded in its address."""
    made: Place = dict(place)
    for member, encoded in (("path", False), ("url", True)):
        text = place.get(member)
        if isinstance(text, str):
            made[member] = fill(text, key, encoded=encoded)
    return made


def fill(text: str, key: str, *, encoded: bool = False) -> str:
    """`text` with `{dir}`, the folder of `key` as it is, and `{name}`, its file's name without its suffix."""
    folder, _, name = key.translate(_BRACES).rpartition("/")
    told = {DIR: folder, _NAME: stem(name)}
    if encoded:
        told = {mark: quote(value) for mark, value in told.items()}
    if not folder:  # an object that lies in no folder has its outputs in none
        text = text.replace(f"{DIR}/", "")
    return text.replace(DIR, told[DIR]).replace(_NAME, told[_NAME])


def fault(text: Json) -> Fault | None:
    """What is wrong with `{dir}` in a path or address: it stands for whole folders, and once."""
    parts = text.split("/") if isinstance(text, str) else []
    if any(DIR in part and part != DIR for part in parts) or parts.count(DIR) > 1:
        return Fault(path="", code="invalid_path", message="`{dir}` stands for whole folders, and once: `{dir}/…`.")
    return None


def meets(path: str, *, prefix: str, suffixes: Sequence[str]) -> bool:
    """Whether what lies at `path`, a template, might be taken for a source: so that it would be encoded again.

    Of a folder all may lie in it. But what lies in one with a name of its own (`is_apart`) is known as ours.
    """
    if not _may_begin_with(path, prefix):
        return False
    return not is_apart(path, prefix) if path.endswith("/") else _may_end_with(path, suffixes)


def is_apart(folder: str, prefix: str) -> bool:
    """Whether a folder, a template, has a part by which keys in it are told from others below `prefix`."""
    parts = folder.split("/")
    for shared in prefix.split("/")[:-1]:
        if not parts or parts[0] != shared:
            break
        parts = parts[1:]
    return any(re.search(r"\w", _MARK.sub("", part)) for part in parts)


def lies_in(key: str, folder: str) -> bool:
    """Whether `key` lies in a folder that is made by the template `folder`."""
    parts, places = folder.rstrip("/").split("/"), key.split("/")[:-1]
    if DIR not in parts:
        return _are(places[: len(parts)], parts)
    before, behind = parts[: parts.index(DIR)], parts[parts.index(DIR) + 1 :]
    if not _are(places[: len(before)], before):
        return False
    # `{dir}` may be any number of folders
    return any(_are(places[at : at + len(behind)], behind) for at in range(len(before), len(places)))


def _are(places: Sequence[str], parts: Sequence[str]) -> bool:
    return len(places) == len(parts) and all(map(_may_be, places, parts))


def _may_be(place: str, part: str) -> bool:
    return _pattern(part).match(place) is not None


@lru_cache(maxsize=4096)
def _pattern(part: str) -> re.Pattern[str]:
    """Of fnmatch's kind, which matches in linear time whatever a caller wrote."""
    literals = (re.sub(r"([*?[])", r"[\1]", literal) for literal in _MARK.split(part))
    return re.compile(translate("*".join(literals)))


def _may_begin_with(path: str, prefix: str) -> bool:
    *folders, begun = prefix.split("/")
    parts = path.rstrip("/").split("/")
    for part, folder in zip(parts, folders, strict=False):
        if part == DIR:
            return True
        if not _may_be(folder, part):
            return False
    if len(parts) <= len(folders):
        return path.endswith("/")
    literal, mark, _ = parts[len(folders)].partition("{")
    return literal.startswith(begun) or (bool(mark) and begun.startswith(literal))


def _may_end_with(path: str, suffixes: Sequence[str]) -> bool:
    name = path.rpartition("/")[2].lower()
    literal, is_template = name.rpartition("}")[2], "}" in name
    return not suffixes or any(
        literal.endswith(suffix) or (is_template and suffix.endswith(literal)) for suffix in suffixes
    )
