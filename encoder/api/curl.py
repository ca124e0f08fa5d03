"""A job's body as a command for a shell, in which variables stand for what is secret of it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from uuid import uuid4

from encoder.api.wire import HOLD_PLACES
from encoder.model.base import Json
from encoder.model.secrets import hide_in, reveal_in, unsaid

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_LIVE = re.compile(r"[\\$`]")  # what a shell would read in a here-document
# a value as what stands between the quotes of JSON: secrets have no control characters but a key's line breaks
_FUNCTION = """_json() { printf %s "$1" | sed 's/[\\\\"]/\\\\&/g; $!s/$/\\\\n/' | tr -d '\\n'; }"""


def veiled(body: Mapping[str, Json], members: Mapping[str, frozenset[str]]) -> tuple[dict[str, Json], dict[str, str]]:
    """`body` with `***` for each secret, and by the JSON Pointer of each a name of its own for a variable.

    `members`: what is secret in places of each kind, beside what is so in all. A body in which secrets are hidden
    already stays as it is. It may be anything but well formed.
    """
    places, _ = hide_in({name: body[name] for name in HOLD_PLACES if name in body}, members)
    return {**body, **places}, _named(unsaid(places))


def command(shown: Mapping[str, Json], secrets: Mapping[str, str], *, url: str, keyed: bool) -> str:
    """What to paste into a POSIX shell, in ASCII. `shown` and `secrets`: as `veiled` tells them.

    `url`: how the API is reached; `keyed`: it asks for keys. What the body holds is no word of the command, which
    others on the machine could see, but its input.
    """
    mark = uuid4().hex
    marked = reveal_in(dict(shown), {path: f"{mark}{name}{mark}" for path, name in secrets.items()})
    text = json.dumps(marked, indent=2)
    key = """ -H "Authorization: Bearer $ENCODER_API_KEY\"""" if keyed else ""
    call = f"curl {shlex.quote(url.rstrip('/') + '/jobs')} -H 'Content-Type: application/json'{key} --data-binary @-"
    if not secrets:
        return f"{call} <<'END'\n{text}\nEND"
    quiet = _LIVE.sub(r"\\\g<0>", text)
    asked = re.sub(f"{mark}([A-Z0-9_]+){mark}", r'$(_json "$\1")', quiet)
    return f"{_FUNCTION}\n{call} <<END\n{asked}\nEND"


def _named(paths: Iterable[str]) -> dict[str, str]:
    """`/outputs/0/destination/privateKey` is `OUTPUTS_0_DESTINATION_PRIVATE_KEY`; no two are alike."""
    named: dict[str, str] = {}
    for path in paths:
        name = _NO_NAME.sub("_", _HUMP.sub("_", path)).strip("_").upper()
        taken = set(named.values())
        named[path] = next(each for each in _numbered(name) if each not in taken)
    return named


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{number}" for number in count(2))
