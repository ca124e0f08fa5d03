"""The document of the API (OpenAPI 3.1), written from the table that mounts it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import msgspec

from encoder import __version__
from encoder.api import examples, problems
from encoder.api.dialect import Dialect
from encoder.api.operations import Answer, Header, Operation
from encoder.api.problems import ProblemAnswer
from encoder.api.query import Parameter
from encoder.api.wire_schema import schemas
from encoder.ffmpeg.presets import NAME
from encoder.model.base import Record

_REF = "#/components/schemas/{name}"
# What any call may get: a bad query, header or body, a foreign page, too long an address or headers, a bug of ours; and
# one that is not public: it shows no good key, comes too often, or there is no database to look its key up in.
_ALWAYS = (400, 403, 414, 431, 500)
_OF_CALLERS = (401, 429, 503)
# What answers of counted calls tell: of success, and of having come too often
_RATED = ("RateLimit-Policy", "RateLimit")
_TELLING_RATES = frozenset({"200", "202", "204", "429"})
_WAITS = {"429": ("Retry-After",), "503": ("Retry-After",)}
_HEADERS = {
    "RateLimit-Policy": 'How many calls are taken in how many seconds: `"writes";q=120;w=120`. Absent: without end.',
    "RateLimit": 'How many are left, and in how many seconds all will be again: `"writes";r=119;t=1`.',
    "Retry-After": "Seconds to wait before the next call.",
}
_KEY = "key"
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key of `encoder keys create`; a server that is open asks for none.",
}
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")
_Schema = dict[str, Any]


def document(operations: Iterable[Operation]) -> _Schema:
    """The whole of it, as plain data."""
    listed = list(operations)
    paths: dict[str, _Schema] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Encoder",
            "version": __version__,
            "summary": "Video encoding with proof.",
            "description": "Errors are problems (RFC 9457); `code` is one of those at /docs/errors.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "headers": {name: {"description": about, "schema": {"type": "string"}} for name, about in _HEADERS.items()},
            "securitySchemes": _schemes(listed),
            "schemas": {**_answer_schemas(listed), **schemas(_REF.replace("{name}", "{model}"))},
        },
    }


def _operation(operation: Operation) -> _Schema:
    described: _Schema = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "parameters": [
            *_in_path(operation),
            *map(_in_header, operation.headers),
            *map(_in_query, operation.query),
        ],
        "responses": _responses(operation),
        "security": _security(operation),
    }
    if operation.body is not None:
        described["requestBody"] = {"required": operation.body_required, "content": _taken(operation.body)}
    if operation.about:
        described["description"] = operation.about
    return described


def _security(operation: Operation) -> list[_Schema]:
    if operation.scope is None:
        return []
    dialect = operation.dialect
    return [{_KEY: [operation.scope]}, *([{dialect.name: []}] if dialect else [])]


def _schemes(operations: Iterable[Operation]) -> _Schema:
    """How a key may be shown."""
    dialects = {operation.dialect.name: operation.dialect for operation in operations if operation.dialect}
    return {_KEY: _SCHEME, **{name: dict(dialect.security) for name, dialect in dialects.items()}}


def _taken(body: str) -> _Schema:
    """A class of the job language as JSON, or bytes of a media type."""
    if "/" in body:
        return {body: {}}
    return {"application/json": {"schema": {"$ref": _REF.format(name=body)}, "examples": examples.of(body)}}


def _in_path(operation: Operation) -> Iterable[_Schema]:
    """Names that callers give have a form; one of another form is none."""
    for name in _PATH_PARAMETER.findall(operation.path):
        is_given = operation.scope is not None and name in {"name", "queue"}
        form = {"pattern": f"^{NAME}$"} if is_given else {"minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", **form}}


def _in_header(header: Header) -> _Schema:
    schema = {"type": "string", **({"pattern": header.pattern} if header.pattern else {})}
    told = {"name": header.name, "in": "header", "description": header.about, "schema": schema}
    return {**told, "required": True} if header.required else told


def _in_query(parameter: Parameter) -> _Schema:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.about,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }


def _responses(operation: Operation) -> _Schema:
    told = {str(status): _response(status, answer) for status, answer in operation.answers.items()}
    if operation.links:
        told[str(max(operation.answers))]["links"] = {name: _link(name, at) for name, at in operation.links.items()}
    for status in sorted({*_ALWAYS, *operation.problems, *(_OF_CALLERS if operation.scope else ())}):
        for under, content in _refusals(status, operation.dialect):
            refused = told.setdefault(str(under), {"description": problems.phrase(under), "content": {}})
            refused["content"] |= content
    for status, response in told.items():
        named = [*(_RATED if operation.scope and status in _TELLING_RATES else ()), *_WAITS.get(status, ())]
        if named:
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in named}
    return told


def _refusals(status: int, dialect: Dialect | None) -> Iterator[tuple[int, _Schema]]:
    """As a problem, and in the words of who is asked for; before a call is known to be for them, it is still ours."""
    if dialect is None or status in _ALWAYS:
        yield status, {problems.MEDIA_TYPE: {"schema": {"$ref": _REF.format(name=ProblemAnswer.__name__)}}}
    if dialect is not None:
        refusal = {"schema": {"$ref": _REF.format(name=dialect.refusal.__name__)}}
        yield dialect.status(status), {"application/json": refusal}


def _response(status: int, answers: tuple[Answer, ...]) -> _Schema:
    content: _Schema = {}
    for answer in answers:
        if isinstance(answer, str):
            content[answer] = {"schema": {"type": "string"}}
        else:
            content["application/json"] = {"schema": {"$ref": _REF.format(name=answer.__name__)}}
    return {"description": problems.phrase(status), **({"content": content} if content else {})}


def _link(operation_id: str, member: str) -> _Schema:
    return {"operationId": operation_id, "parameters": {"id": f"$response.body#/{member}"}}


def _answer_schemas(operations: Collection[Operation]) -> _Schema:
    records = [
        answer
        for operation in operations
        for answers in operation.answers.values()
        for answer in answers
        if not isinstance(answer, str)
    ]
    refusals = [operation.dialect.refusal for operation in operations if operation.dialect]
    kinds: list[type[Record]] = list(dict.fromkeys([*records, ProblemAnswer, *refusals]))
    _, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    for schema in components.values():
        if schema.get("type") == "object" and "properties" in schema:
            schema["required"] = list(schema["properties"])  # every member is told, so there are no defaults
            for member in schema["properties"].values():
                member.pop("default", None)
    return components
