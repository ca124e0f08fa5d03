"""Tables of what the API takes and tells, one per object, out of its own document."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

from encoder.api.openapi import document
from encoder.api.operations import Operation
from encoder.api.routes import operations
from encoder.api.scrape import Scrape

Schema = dict[str, Any]

# where the table of each object that is sent stands, below docs/; those that are told stand in one page
ANSWERS = "reference/answers.md"
_JOB, _PLACES, _COMPAT = "reference/job.md", "reference/places.md", "reference/compat.md"
PAGE_OF = {
    **dict.fromkeys(
        ("Job", "Output", "Clip", "Watermark", "Rendition", "Thumbnails", "Sheet", "Subtitles", "SubtitleFile"), _JOB
    ),
    **dict.fromkeys(
        (
            *("HttpSource", "HttpDestination", "S3Source", "S3Destination", "S3UrlSource", "S3UrlDestination"),
            *("Ftp", "FtpUrl", "Sftp", "SftpUrl", "FilePath", "FileUrlPlace", "InlineSource", "UploadSource"),
        ),
        _PLACES,
    ),
    **dict.fromkeys(("Bulk", "JobsMeant", "Probe", "Quota", "Key"), "reference/api.md"),
    "Preset": "reference/presets.md",
    "Upload": "reference/uploads.md",
    "Endpoint": "reference/webhooks.md",
    **dict.fromkeys(("IngestRule", "RuleSource", "RuleOutput"), "reference/ingest.md"),
    **dict.fromkeys(("Pipeline", "S3Bucket", "S3BucketTo"), _COMPAT),
}
# those that are others with a difference, or whose members are another service's
ELSEWHERE = {
    "PresetMembers": ("the members of an output", f"{_JOB}#output"),
    "OtherSource": ("one of a plug-in", "howto/plug-in.md"),
    "OtherDestination": ("one of a plug-in", "howto/plug-in.md"),
    "PresetBody": ("`Preset`", "reference/presets.md#preset"),
    "ElasticTranscoderPreset": ("Elastic Transcoder's `Preset`", f"{_COMPAT}#elastic-transcoder"),
    "ElasticTranscoderJob": ("its `CreateJob`", f"{_COMPAT}#elastic-transcoder"),
    "CoconutBody": ("its job", f"{_COMPAT}#coconut"),
    "ObjectEvents": ("events as they come", "reference/ingest.md"),
}


@cache
def listed() -> tuple[Operation, ...]:
    return operations(cast("Scrape", None))  # only read when it is called


@cache
def told() -> Schema:
    """The document of the API."""
    return document(listed())


def schemas() -> Schema:
    found: Schema = told()["components"]["schemas"]
    return found


def table(name: str, *, of: str) -> str:
    """An object that is sent, for the page `of` below docs/: each member with what it may be."""
    schema = schemas()[name]
    required = set(schema.get("required", ()))
    head = f"{_about(schema)}\n\n| member | is | |\n|---|---|---|\n"
    rows = (_member(key, value, key in required, of) for key, value in schema["properties"].items())
    return head + "".join(rows)


def answers() -> str:
    """All objects that are told."""
    sent = {*PAGE_OF, *ELSEWHERE}
    names = [name for name, schema in schemas().items() if name not in sent and "properties" in schema]
    return "\n".join(_answer(name) for name in names)


def _answer(name: str) -> str:
    schema = schemas()[name]
    about = _about(schema)
    head = f"### {name}\n\n" + (f"{about}\n\n" if about else "") + "| member | is |\n|---|---|\n"
    rows = (f"| `{key}` | {kind(value, of=ANSWERS)} |\n" for key, value in schema["properties"].items())
    return head + "".join(rows)


def _about(schema: Schema) -> str:
    return " ".join(str(schema.get("description", "")).split())


def _member(key: str, schema: Schema, required: bool, of: str) -> str:  # noqa: FBT001  # as its row says
    facts = [kind(schema, of=of)]
    if required:
        facts.append("required")
    if "default" in schema:
        facts.append(f"`{_json(schema['default'])}` if absent")
    about = " ".join(str(schema.get("description", "")).split()).replace("|", "\\|")
    return f"| `{key}` | {'; '.join(facts)} | {about} |\n"


def link(name: str, *, of: str) -> str:
    """An object by its name, as a link from the page `of`."""
    if name in ELSEWHERE:
        said, target = ELSEWHERE[name]
        return f"[{said}]({_from(of, target)})"
    page = PAGE_OF.get(name, ANSWERS)
    if "properties" not in schemas()[name]:
        return kind(schemas()[name], of=of)
    return f"[{name}]({_from(of, f'{page}#{name.lower()}')})"


def _from(page: str, target: str) -> str:
    file, _, anchor = target.partition("#")
    if file == page:
        return f"#{anchor}"
    return os.path.relpath(file, os.path.dirname(page)) + (f"#{anchor}" if anchor else "")  # noqa: PTH120  # relative


def kind(schema: Schema, *, of: str) -> str:
    """What a value may be, in a few words."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2], of=of)
    either = schema.get("anyOf") or schema.get("oneOf")
    if either:
        return _either(either, of)
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return ", ".join(f"`{_json(value)}`" for value in values)
    if schema.get("type") == "array":
        return _array(schema, of)
    plain = _PLAIN.get(str(schema.get("type")))
    return plain(schema) if plain else "anything"


def _either(branches: list[Schema], of: str) -> str:
    places = [branch["$ref"].rpartition("/")[2] for branch in branches if "$ref" in branch]
    for kinds, said in (("OtherSource", "a source"), ("OtherDestination", "a destination")):
        if kinds in places:
            return f"[{said}]({_from(of, _PLACES)})"
    return " or ".join(dict.fromkeys(kind(branch, of=of) for branch in branches))


def _number(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    word = "whole number" if schema["type"] == "integer" else "number"
    if low is None and high is None:
        return word
    least = "above " if "exclusiveMinimum" in schema else ""
    return (
        f"{word}, {least}{_figure(low)} to {_figure(high)}"
        if high is not None
        else f"{word}, {least}{_figure(low)} or more"
    )


def _figure(number: float | None) -> str:
    return "–" if number is None else f"{number:,.10g}"


def _array(schema: Schema, of: str) -> str:
    items = schema.get("items", {})
    many = kind(items, of=of) if items else "values"
    most = schema.get("maxItems")
    bounds = f", {schema.get('minItems', 0)} to {most}" if most else ""
    return f"list of {many}{bounds}"


def _text(schema: Schema) -> str:
    if schema.get("format") == "date-time":
        return "time"
    if schema.get("format"):
        return str(schema["format"])
    if schema.get("examples"):
        return "text such as " + ", ".join(f"`{_json(each)}`" for each in schema["examples"])
    most = schema.get("maxLength")
    return f"text, at most {most:,}" if most else "text"


def _json(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def sent() -> Iterator[str]:
    """Every object that may be sent, by its name."""
    yield from (name for name, schema in schemas().items() if schema.get("additionalProperties") is False)


_PLAIN: dict[str, Callable[[Schema], str]] = {
    "integer": _number,
    "number": _number,
    "string": _text,
    "boolean": lambda _: "`true` or `false`",
    "object": lambda _: "object",
    "null": lambda _: "`null`",
}
