"""A job said once more: as the body that `POST /jobs` would make the same job of, and as a command that sends it.

What was secret is not there any more to be said. `***` stands in its place in the body, which is refused until it is
said again, and the value of a variable in the command.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from aiohttp import web
from msgspec import structs

from encoder.api import curl, presets
from encoder.api.answers import RequestAnswer, SecretAnswer
from encoder.api.jobs import find
from encoder.api.operations import Call, answer
from encoder.ffmpeg.presets import AUTO, Members, Presets, merge
from encoder.model.base import Json, Record, replace, to_json
from encoder.model.job import JobSpec, OutputSpec, Place
from encoder.model.queue import ENCODE
from encoder.model.secrets import HIDDEN
from encoder.store.rows import JobRow

_OF_THE_PRESET = ("preset", "preset_version")
_TAKE_AUTO = ("chunked", "deinterlace", "rotate")  # whose not being said no other value means


async def told(call: Call) -> web.Response:
    """GET /jobs/{id}/request."""
    return answer(await request_of(call, await find(call)))


async def request_of(call: Call, row: JobRow) -> RequestAnswer:
    """How the job would be asked for again, by presets as they stand now: what these say otherwise by now is said."""
    named: list[Json] = [{"preset": output.preset} for output in row.spec.outputs if output.preset]
    known = await presets.known(call.parts.store, call.tenant_id, {"outputs": named})
    body = body_of(row.spec, known)
    shown, secrets = curl.veiled(body, call.parts.places.secret_members)
    return RequestAnswer(
        body=shown,
        secrets=tuple(SecretAnswer(path=path, variable=name) for path, name in secrets.items()),
        curl=curl.command(shown, secrets, url=call.parts.public_url, keyed=call.parts.gate.asks_for_keys),
    )


def body_of(spec: JobSpec, known: Presets) -> dict[str, Json]:
    """The fewest words that make `spec`, whose secrets are hidden: `read_job` makes it of them again.

    `known`: the presets that there are; a preset that is gone, or says too much by now, is said by its members.
    """
    more: dict[str, Json] = {
        "notificationUrl": spec.notification_url,
        "priority": spec.priority or None,
        "queue": None if spec.queue == ENCODE else spec.queue,
        "metadata": spec.metadata or None,
        "tags": list(spec.tags) or None,
    }
    outputs: list[Json] = [output_of(output, known) for output in spec.outputs]
    said = {name: value for name, value in more.items() if value is not None}
    return {"source": _source(spec.source), "outputs": outputs, **said}


def output_of(spec: OutputSpec, known: Presets) -> dict[str, Json]:
    """The fewest members that make `spec`."""
    whole = _said(spec, but=_OF_THE_PRESET)
    preset = known.get(spec.preset or "")
    if preset is None:
        return whole
    wanted = replace(spec, preset_version=None)
    for members in (_beyond(whole, preset.members), whole):
        said: dict[str, Json] = {"preset": preset.name, **members}
        if merge(preset.members, said) == wanted:
            return said
    return whole


def _source(source: Place) -> Place:
    """As callers say it. The file itself is not told back: nobody wants it with every answer."""
    match source.get("kind"):
        case "upload":
            return {name: value for name, value in source.items() if name != "fileName"}  # its owner's name for it
        case "inline":
            return {**source, "data": HIDDEN}
        case _:
            return source


def _beyond(members: Members, preset: Members) -> dict[str, Json]:
    """What of `members` the preset does not say, and what takes back what it says too much."""
    differs = {name: value for name, value in members.items() if preset.get(name) != value}
    return {**differs, **dict(_taken_back(members, preset))}


def _taken_back(members: Members, preset: Members) -> Iterator[tuple[str, Json]]:
    for field in structs.fields(cast("Any", OutputSpec)):
        name = field.encode_name
        if name in preset and name not in members:
            if name in _TAKE_AUTO:
                yield name, AUTO
            elif isinstance(field.default, bool | str):
                yield name, field.default


def _said(record: Record, *, but: tuple[str, ...] = ()) -> dict[str, Json]:
    """The members of a record that are not as they are where nothing is said."""
    said: dict[str, Json] = {}
    for field in structs.fields(cast("Any", record)):
        value = getattr(record, field.name)
        if field.name not in but and value != field.default:
            said[field.encode_name] = _value(value)
    return said


def _value(value: object) -> Json:
    match value:
        case Record():
            return _said(value)
        case tuple():
            return [_value(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            plain: Json = to_json(value)
            return plain
