"""JSON Schemas of what the API takes, plug-ins included, for its document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from pydantic.json_schema import models_json_schema

from encoder.api import wire_compat, wire_words
from encoder.api.wire import Job, Probe
from encoder.api.wire_bulk import Bulk
from encoder.api.wire_endpoint import Endpoint
from encoder.api.wire_ingest import IngestRule, ObjectEvents
from encoder.api.wire_key import Key
from encoder.api.wire_pipeline import Pipeline
from encoder.api.wire_place import OtherDestination, OtherSource
from encoder.api.wire_preset import Preset
from encoder.api.wire_quota import Quota
from encoder.api.wire_upload import Upload
from encoder.destinations.registry import Destinations
from encoder.errors import Fault
from encoder.model.base import Record
from encoder.plugins import Registry, load
from encoder.sources.registry import Sources

_Schema = dict[str, Any]
_NONE: _Schema = {"not": {}}
_BODIES = (Job, Bulk, Probe, Upload, Endpoint, Preset, Pipeline, Quota, IngestRule, ObjectEvents, Key)


def schemas(ref_template: str) -> _Schema:
    """Each class of the job language by its name; `{model}` in `ref_template` stands for one."""
    _, document = models_json_schema([(part, "validation") for part in _BODIES], ref_template=ref_template)
    definitions: _Schema = document["$defs"] | wire_compat.SCHEMAS
    wire_words.say(definitions)
    either = (Preset.__name__, "ElasticTranscoderPreset")
    definitions["PresetBody"] = {"anyOf": [{"$ref": ref_template.format(model=name)} for name in either]}
    for part, registry in ((OtherSource, Sources), (OtherDestination, Destinations)):
        branches: list[_Schema] = []
        for name, own in _brought(registry, part.__name__.removeprefix("Other"), ref_template):
            definitions |= own
            branches.append({"$ref": ref_template.format(model=name)})
        installed: _Schema = {"oneOf": branches} if branches else _NONE
        definitions[part.__name__] = {"description": "What plug-ins bring.", **installed}
    return definitions


def _brought(registry: type[Registry[Any]], suffix: str, ref_template: str) -> Iterator[tuple[str, _Schema]]:
    """The schema of each kind that plug-ins bring, by its name and with all that it refers to."""
    for kind, entry in registry.others().items():
        loaded = load(entry)
        if isinstance(loaded, Fault):  # cannot be used either
            continue
        name = re.sub(r"[^A-Za-z0-9]", "", kind.title()) + suffix
        prefixed = ref_template.replace("{model}", f"{name}.{{model}}")
        schema, others = _read(loaded.members, prefixed)
        below = {f"{name}.{other}": definition for other, definition in others.items()}
        yield name, {**below, name: {**_with_kind(schema, kind), "title": name}}


def _read(members: Any, ref_template: str) -> tuple[_Schema, _Schema]:  # noqa: ANN401  # a model or a record
    """The schema of a plug-in's members, and those that it refers to, by name."""
    if issubclass(members, Record):
        _, components = msgspec.json.schema_components(
            [members], ref_template=ref_template.replace("{model}", "{name}")
        )
        return components.pop(members.__name__), components
    schema = members.model_json_schema(ref_template=ref_template)
    return schema, schema.pop("$defs", {})


def _with_kind(schema: _Schema, kind: str) -> _Schema:
    """The whole object: its kind is named, or told by the scheme of `url`."""
    properties = schema.get("properties", {})
    told = {"properties": {"url": {"pattern": f"^{re.escape(kind)}://"}}, "required": ["url"]}
    named = {"required": ["kind"]}
    return {
        "additionalProperties": False,
        **schema,
        "properties": {"kind": {"const": kind, "type": "string"}, **properties},
        **({"anyOf": [named, told]} if "url" in properties else {"allOf": [named]}),
    }
