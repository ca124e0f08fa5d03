"""Takes the secrets out of a job's words, and puts them back.

What stays can be stored, shown and logged; what came out goes into the vault, keyed by JSON Pointer into the spec.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from encoder import errors
from encoder.model import beside
from encoder.model.base import Json, replace
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.place import pointer

# Where a value stands in a spec, and what becomes of a text that stands there.
Trail: TypeAlias = tuple[str | int, ...]
Change: TypeAlias = Callable[[Trail, str], str]

HIDDEN = "***"
_NONE: Mapping[str, frozenset[str]] = {}

# Secret in a place of every kind. `username`: in an address it is userinfo, and so it is beside one.
_SECRET_MEMBERS = frozenset(
    {"headers", "username", "password", "access_key_id", "access_key_secret", "session_token", "privateKey"}
)
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:[/\\]{2})(?P<user>[^/\\?#]*@)?(?P<rest>[^?#]*)(?P<query>[?#].*)?", re.DOTALL
)


def hide(spec: JobSpec, members: Mapping[str, frozenset[str]] = _NONE) -> tuple[JobSpec, dict[str, str]]:
    """`spec` without its secrets, and the secrets.

    Secret are all texts below the members named above and those that a kind names (`members`, by kind), and userinfo,
    query and fragment of every address in a place; of an address the rest stays to be shown.
    """
    secrets: dict[str, str] = {}

    def take(trail: Trail, text: str) -> str:
        kind = str(_place(spec, trail).get("kind"))
        shown = _shown(trail, text, _SECRET_MEMBERS | members.get(kind, frozenset()))
        if shown != text:
            secrets[pointer(*trail)] = text
        return shown

    return _mapped(spec, take), secrets


def reveal(spec: JobSpec, secrets: Mapping[str, str]) -> JobSpec:
    """`spec` with its secrets where they were.

    Raises:
        errors.Permanent: `secret_unreadable`; a secret belongs to no place of this spec.
    """
    unused = dict(secrets)

    def give(trail: Trail, text: str) -> str:
        return unused.pop(pointer(*trail), text)

    revealed = _mapped(spec, give)
    if unused:
        raise errors.Permanent("secret_unreadable", "The stored secrets do not fit this job.")
    return revealed


def hide_in(
    value: dict[str, Json], members: Mapping[str, frozenset[str]] = _NONE
) -> tuple[dict[str, Json], dict[str, str]]:
    """What is no job but holds places, without its secrets, and the secrets: what is secret in a place of any kind.

    `members`: what kinds name beside that, as for `hide`; here it is secret in places of all kinds.
    """
    secrets: dict[str, str] = {}
    secret = _SECRET_MEMBERS.union(*members.values())

    def take(trail: Trail, text: str) -> str:
        shown = _shown(trail, text, secret)
        if shown != text:
            secrets[pointer(*trail)] = text
        return shown

    return cast("dict[str, Json]", _changed(value, (), take)), secrets


def reveal_in(value: dict[str, Json], secrets: Mapping[str, str]) -> dict[str, Json]:
    """What `hide_in` was given."""
    return cast("dict[str, Json]", _changed(value, (), lambda trail, text: secrets.get(pointer(*trail), text)))


def unsaid(value: dict[str, Json]) -> list[str]:
    """Where in it stands what was shown in place of a secret: JSON Pointers."""
    found: list[str] = []

    def look(trail: Trail, text: str) -> str:
        if text == HIDDEN or is_veiled(text):
            found.append(pointer(*trail))
        return text

    _changed(value, (), look)
    return found


def is_veiled(url: str) -> bool:
    """Whether `url` is what `hide` leaves of an address with secrets: it leads nowhere."""
    shown = _URL.fullmatch(url)
    return shown is not None and (shown["user"] == f"{HIDDEN}@" or (shown["query"] or "")[1:] == HIDDEN)


def _mapped(spec: JobSpec, change: Change) -> JobSpec:
    """`spec` with every text of its places changed."""
    outputs = tuple(
        replace(
            _beside(output, ("outputs", index), change),
            destination=_changed(output.destination, ("outputs", index, "destination"), change),
        )
        for index, output in enumerate(spec.outputs)
    )
    url = spec.notification_url
    return replace(
        spec,
        source=_changed(spec.source, ("source",), change),
        outputs=outputs,
        notification_url=None if url is None else change(("notificationUrl",), url),
    )


def _beside(output: OutputSpec, trail: Trail, change: Change) -> OutputSpec:
    found = beside.sources(output)
    changed = {where: cast("Place", _changed(place, (*trail, *where), change)) for where, place in found.items()}
    return beside.with_sources(output, changed)


def _changed(value: Json, trail: Trail, change: Change) -> Json:
    match value:
        case str():
            return change(trail, value)
        case dict():
            return {name: _changed(below, (*trail, name), change) for name, below in value.items()}
        case list():
            return [_changed(below, (*trail, index), change) for index, below in enumerate(value)]
        case _:
            return value


def _place(spec: JobSpec, trail: Trail) -> Place:
    """The source or destination in which `trail` ends."""
    match trail:
        case ("source", *_):
            return spec.source
        case ("outputs", int(index), "destination", *_):
            return spec.outputs[index].destination or {}
        case ("outputs", int(index), *rest):
            found = beside.sources(spec.outputs[index]).items()
            return next((place for where, place in found if tuple(rest[: len(where)]) == where), {})
        case _:
            return {}


def _shown(trail: Trail, text: str, secret: frozenset[str]) -> str:
    if not secret.isdisjoint(trail):
        return HIDDEN
    url = _URL.fullmatch(text)
    if url is None:
        return text
    user = f"{HIDDEN}@" if url["user"] else ""
    query = f"{url['query'][0]}{HIDDEN}" if url["query"] else ""
    return f"{url['scheme']}{user}{url['rest']}{query}"
