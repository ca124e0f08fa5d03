"""The form for a new job, filled in with what a body of `POST /jobs` says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from encoder.dashboard.forms import pretty
from encoder.dashboard.job_fields import DESTINATIONS, JOB, OUTPUT_FIELDS, SOURCES, Field, Group, Kind
from encoder.dashboard.job_form import MOST_OUTPUTS, Form
from encoder.model.base import Json


def of_body(body: Mapping[str, Json]) -> Form:
    """A form that says what `body` does, secrets hidden in it as `***`."""
    listed = body.get("outputs")
    outputs = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    values = dict(_from_place(body.get("source"), "/source", SOURCES))
    for slot, output in enumerate(outputs[:MOST_OUTPUTS]):
        values |= dict(_from_output(output, f"/outputs/{slot}"))
    values |= dict(_from_members(body, "", JOB)[0])
    form = Form(values=values, slots=tuple(range(len(outputs[:MOST_OUTPUTS]))) or (0,))
    return form.fit_to_show()


def _from_output(output: Mapping[str, Json], at: str) -> Iterator[tuple[str, str]]:
    found, rest = _from_members(output, at, OUTPUT_FIELDS)
    yield from found
    preset, to = rest.pop("preset", None), rest.pop("destination", None)
    if preset is not None:
        yield f"{at}/preset", str(preset)
    if to is not None:
        yield from _from_place(to, f"{at}/destination", DESTINATIONS)
    if rest:
        yield at, pretty(rest)


def _from_place(place: Json, at: str, groups: Mapping[str, Group]) -> Iterator[tuple[str, str]]:
    if not isinstance(place, dict):
        return
    for group in groups.values():
        if group.name != "json" and _is_of(group, place):
            found, rest = _from_members(place, f"{at}:{group.name}", group.fields)
            rest.pop("kind", None)
            if not rest:
                yield at, group.name
                yield from found
                return
    yield at, "json"
    yield f"{at}:json", pretty(place)


def _is_of(group: Group, place: Mapping[str, Json]) -> bool:
    kind = place.get("kind")
    of_group = {"url": ("http", "https"), "server": ("ftp", "ftps", "sftp")}.get(group.name, (group.name,))
    return kind in of_group or (kind is None and group.name == "url" and "url" in place)


def _from_members(
    said: Mapping[str, Json], at: str, fields: Iterable[Field]
) -> tuple[list[tuple[str, str]], dict[str, Json]]:
    """The members that have a field, by its name; and those that have none."""
    rest: dict[str, Json] = json.loads(json.dumps(said))
    found = []
    for each in fields:
        holder, member = _holder(rest, each.member)
        value = None if holder is None else holder.get(member)
        if holder is not None and value is not None and (text := _text(each, value)) is not None:
            found.append((f"{at}/{each.member}", text))
            del holder[member]
    _prune(rest)
    return found, rest


def _holder(said: dict[str, Json], member: str) -> tuple[dict[str, Json] | None, str]:
    """The object in which a member stands. A watermark that lies elsewhere than at a URL is no matter of fields."""
    *way, last = member.split("/")
    holder: Json = said
    for token in way:
        holder = holder.get(token) if isinstance(holder, dict) else None
    if member == "watermark/source/url" and isinstance(holder, dict):
        if holder.keys() - {"url", "kind"} or holder.get("kind", "http") not in ("http", "https"):
            return None, last
        holder.pop("kind", None)
    return (holder, last) if isinstance(holder, dict) else (None, last)


def _prune(said: dict[str, Json]) -> None:
    """Take out objects that fields have emptied."""
    for name in ("clip", "watermark"):
        part = said.get(name)
        if isinstance(part, dict):
            if part.get("source") == {}:
                del part["source"]
            if not part:
                del said[name]


def _text(each: Field, value: Json) -> str | None:
    """`value` as it is written into the field; None: it cannot be."""
    match value:
        case bool():
            return ("true" if value else "false") if each.kind is Kind.SWITCH else None
        case int() | float():
            text = str(value).removesuffix(".0")
            return text if not each.choices or text in each.choices else None
        case str():
            return value if not each.choices or value in each.choices else None
        case list() if each.member == "tags":
            return ", ".join(map(str, value))
        case dict():
            return _as_pairs(value) if each.kind is Kind.PAIRS else _mode(each, value)
        case _:
            return None


def _mode(each: Field, value: Mapping[str, Json]) -> str | None:
    """Of subtitles, where all of them are meant."""
    return str(value["mode"]) if each.member == "subtitles" and value.keys() == {"mode"} else None


def _as_pairs(value: Mapping[str, Json]) -> str:
    fits = all(
        isinstance(text, str) and text and text == text.strip() and text.isprintable() for text in value.values()
    )
    if fits and ":" not in "".join(value):
        return "\n".join(f"{name}: {text}" for name, text in value.items())
    return pretty(dict(value))


def _fits_a_line(value: Json) -> bool:
    return isinstance(value, str) and value.isprintable() and value == value.strip() != ""
